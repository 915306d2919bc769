// A live database opened for one short transaction beside the programs that use it.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "core/base/env.h"
#include "core/sqlite/folder_vfs.h"
#include "core/sqlite/sqlite.h"

namespace core {

// One thread at a time. Destruction rolls back what was not committed. Killed at any moment, SQLite
// itself undoes the transaction when the database is next opened, or it was committed.
class LiveWriter {
 public:
  // Looks at the database first as a snapshot does (PinnedSource: its errors), then opens it for
  // writing. conflict for one that has several names: programs that use another name see neither
  // our locks nor our WAL. `path` must have its links resolved.
  static Expected<LiveWriter> open(const fs::path& path, std::chrono::milliseconds busy_timeout,
                                   const Env& env, std::stop_token stop);
  LiveWriter(LiveWriter&&) noexcept;
  LiveWriter& operator=(LiveWriter&&) = delete;
  ~LiveWriter();

  sqlite3* connection() const { return connection_.get(); }
  // BEGIN IMMEDIATE; busy names who has it open.
  Expected<> begin();
  // On every error the transaction is rolled back.
  Expected<> commit();
  void roll_back();

 private:
  struct Wait;
  LiveWriter(fs::path path, const Env& env, std::unique_ptr<Wait> wait);
  Expected<> execute(const char* sql);

  fs::path path_;
  const Env& env_;
  std::unique_ptr<Wait> wait_;      // outlives the connection
  std::unique_ptr<FolderVfs> vfs_;  // outlives the connection
  sqlite::ConnectionHandle connection_;
};

}  // namespace core
