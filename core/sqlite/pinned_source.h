// A live database held at one moment: opened without touching it, one read transaction open.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/error.h"
#include "core/sqlite/file_header.h"
#include "core/sqlite/source_vfs.h"
#include "core/sqlite/sqlite.h"

namespace core {

struct BusyWait;
// conflict where a -wal, -journal or -shm beside the database is a folder, a named pipe or the
// like: SQLite would wait for ever for a pipe's writer. To be asked before SQLite opens a live
// database.
Expected<> refuse_odd_side_files(const std::filesystem::path& path, const FileSystem& files);

// One thread at a time.
class PinnedSource {
 public:
  // Opens the database and pins its present state, waiting up to `busy_timeout` for a writer.
  // Errors tell apart: not_found, not_a_database (empty, encrypted, garbage, a folder), damaged,
  // busy (the message names who has it open, where the system tells), permission_denied
  // (unreadable, or a WAL database in a folder that may not be written, but for media that nobody
  // can write), no_space (a WAL database on a full disk), conflict (a crashed writer's journal
  // waits to be rolled back; odd side files; the path is a second name of a database whose -wal or
  // journal lies beside another one: second_names.h), cancelled.
  //
  // `path` must have its symbolic links resolved: the side files lie beside the file itself. One
  // that comes up meanwhile is not followed (conflict).
  static Expected<PinnedSource> open(const std::filesystem::path& path,
                                     std::chrono::milliseconds busy_timeout, const Env& env,
                                     std::stop_token stop);
  // Closes; side files that were not there before are removed.
  ~PinnedSource();
  PinnedSource(PinnedSource&&) noexcept = default;
  PinnedSource& operator=(PinnedSource&&) = delete;

  // What page 1 of the pinned state says; sizes as SQLite takes them.
  const FileHeader& header() const { return header_; }
  const std::vector<unsigned char>& first_page() const { return first_page_; }
  sqlite3* connection() const { return connection_.get(); }
  // Hands the database and its -wal to the disk (SourceVfs::sync); false where that failed.
  bool sync();
  // What SQLite itself keeps of the pinned state, or of a later one if somebody has written
  // meanwhile: no two states of a database that only SQLite writes have the same. The header of
  // page 1, which counts changes in rollback mode; in WAL mode also the header of the -wal, with
  // its salts, and that of the wal-index, with the last frame and the checksum over all of them.
  // As hexadecimal digits, to be compared only. Empty where it could not be read, or the database
  // may have other names.
  std::string witness() const;
  // Lets what is read from now on come straight from the mapped file, which saves two copies of
  // each page. Advice: what cannot be mapped is read.
  void map_pages();
  // What could not be made certain of its names; empty as a rule.
  const std::string& warning() const { return warning_; }
  // Asked after the last read and before close(): io when a page could not be read, so that what
  // came of it is not what the file holds; conflict when the database came to be used by another
  // name meanwhile.
  Expected<> intact() const;
  // Ends the read transaction and closes. Nothing but the header may be used afterwards.
  void close();

 private:
  PinnedSource() = default;
  Expected<> start(const std::filesystem::path& path, SourceVfs::Media media, BusyWait& wait,
                   const FileSystem& files);
  Expected<> pin(const std::filesystem::path& path, const FileSystem& files);
  Expected<> read_header(const std::filesystem::path& path, const FileSystem& files);
  Expected<> look_for_second_names(const std::filesystem::path& path, const FileSystem& files);

  std::unique_ptr<SourceVfs> vfs_;  // outlives the connection
  sqlite::ConnectionHandle connection_;
  FileHeader header_;
  std::vector<unsigned char> first_page_;
  std::string warning_;
  bool may_have_second_names_ = false;
  std::function<Expected<>()> check_names_again_;  // empty: it has but one
};

}  // namespace core
