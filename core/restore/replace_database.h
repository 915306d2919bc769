// Takes hold of a database, keeps it under another name, and puts a finished file in its place.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/base/env.h"
#include "core/catalog/manifest.h"
#include "core/platform/file_guard.h"
#include "core/platform/open_files.h"
#include "core/sqlite/folder_vfs.h"
#include "core/sqlite/sqlite.h"

namespace core {

// The steps in their order: take, keep_as, replace_with. Unless the last one succeeds, destruction
// puts everything back as it was.
//
// Between taking and replacing no other program can read or write the database through SQLite: it
// is locked exclusively (on Windows: held by a FileGuard), in rollback mode (its WAL folded in),
// with no -wal or -shm beside it that could replay into what comes in its place. A database that
// SQLite cannot open is not locked; its side files are kept beside its copy.
// https://www.sqlite.org/howtocorrupt.html, section 2.4 (why a database and its side files must not
// part). Of one that is gone the side files are kept likewise, under the name that its copy would
// have: they may hold its last transactions.
class ReplacedDatabase {
 public:
  // busy when another program has it open, within `busy_timeout`; the message names it. The target
  // must be resolved: no link on its path is followed.
  static Expected<std::unique_ptr<ReplacedDatabase>> take(const fs::path& target,
                                                          std::chrono::milliseconds busy_timeout,
                                                          const Env& env, std::stop_token stop);
  ~ReplacedDatabase();
  ReplacedDatabase(const ReplacedDatabase&) = delete;
  ReplacedDatabase& operator=(const ReplacedDatabase&) = delete;

  // Size, page size and journal mode before it was taken; nothing when SQLite cannot open it.
  const std::optional<Manifest>& facts() const { return facts_; }
  // True when there was none to take: at most side files.
  bool lost() const { return lost_; }
  // Where the side files are that keep_as moved.
  std::vector<fs::path> side_files_kept() const;

  // Gives it the second name `safety`, in the same folder, synced to the disk.
  Expected<> keep_as(const fs::path& safety);
  // Renames `file` over it, lets go, syncs the folder. An error means that nothing was replaced;
  // what goes wrong after that comes back as warnings. A database that came up where one was lost
  // is a conflict; the side files then stay where keep_as moved them, as they are not its own.
  Expected<std::vector<std::string>> replace_with(const fs::path& file);

 private:
  ReplacedDatabase(fs::path target, const Env& env) : target_(std::move(target)), env_(env) {}
  Expected<> lock(std::chrono::milliseconds busy_timeout, std::stop_token stop);
  Expected<sqlite::ConnectionHandle> connect();
  Expected<> try_lock();
  Expected<> guard();
  Expected<> read_facts(const std::string& journal_mode);
  Expected<> move_side_files(const fs::path& safety);
  // All but this process.
  std::vector<Opener> other_openers() const;
  tl::unexpected<Error> fail_busy(const std::vector<Opener>& openers) const;
  Expected<> swap_in(const fs::path& file);
  Expected<> rename_over_target(const fs::path& file);
  void put_back();

  const fs::path target_;
  const Env& env_;
  std::optional<FolderVfs> vfs_;  // outlives the connection
  sqlite::ConnectionHandle connection_;
  std::optional<FileGuard> guard_;  // in place of the lock, where there has to be one
  std::optional<Manifest> facts_;
  bool lost_ = false;
  fs::path safety_;
  bool linked_ = false;  // false: the file system has no hard links, the copy is made by renaming
  std::vector<std::pair<fs::path, fs::path>> moved_;  // side files: from, to
  bool done_ = false;
};

// For a folder that could not be synced after the database got its place.
std::string unsynced_warning(const Error& error);

}  // namespace core
