#include "core/restore/replace_database.h"

#include <sqlite3.h>

#include <algorithm>
#include <cassert>

#include "core/base/paths.h"
#include "core/base/side_files.h"
#include "core/catalog/machine.h"
#include "core/catalog/names.h"
#include "core/sqlite/newer_schema.h"
#include "core/sqlite/pinned_source.h"

namespace core {
namespace {

// SQLite waits this long at a time, so that a stop is seen.
constexpr int kLockTryMs = 50;

bool is_about_content(const Error& error) {
  return error.code == ErrorCode::damaged || error.code == ErrorCode::not_a_database;
}

}  // namespace

Expected<std::unique_ptr<ReplacedDatabase>> ReplacedDatabase::take(
    const fs::path& target, std::chrono::milliseconds busy_timeout, const Env& env,
    std::stop_token stop) {
  std::unique_ptr<ReplacedDatabase> taken(new ReplacedDatabase(target, env));
  // A connection that is idle in rollback mode holds no lock: only the system knows of it.
  if (auto openers = openers_of(target, env.files); !openers.empty()) {
    return taken->fail_busy(openers);
  }
  const auto there = env.files.link_info(target);
  taken->lost_ = !there && there.error().code == ErrorCode::not_found;
  if (taken->lost_) return taken;
  BPD_TRY(taken->lock(busy_timeout, std::move(stop)));
  // Who opened it before it was locked, and is idle, would go on with the file that was replaced.
  if (auto openers = taken->other_openers(); !openers.empty()) return taken->fail_busy(openers);
  if constexpr (FileGuard::kNeeded) {
    BPD_TRY(taken->guard());
  }
  return taken;
}

ReplacedDatabase::~ReplacedDatabase() {
  if (!done_) put_back();
}

std::vector<Opener> ReplacedDatabase::other_openers() const {
  return other_openers_of(target_, env_.files);
}

tl::unexpected<Error> ReplacedDatabase::fail_busy(const std::vector<Opener>& openers) const {
  return fail(ErrorCode::busy,
              text_of(target_) + " is open in " +
                  (openers.empty() ? std::string("another program") : describe_openers(openers)) +
                  "." + tell_of_openers(openers, env_.files),
              "Close it there, then restore again; or restore to a new file.");
}

// The database is in rollback mode by now: who opened it in between and went again left it whole.
Expected<> ReplacedDatabase::guard() {
  connection_.reset();
  auto guard = FileGuard::take(target_);
  if (!guard && guard.error().code == ErrorCode::busy) return fail_busy(other_openers());
  if (!guard) return fail(guard.error());
  guard_.emplace(std::move(*guard));
  // What our connection left of its own.
  if (const auto journal = env_.files.link_info(journal_of(target_));
      facts_ && journal && journal->bytes == 0) {
    (void)env_.files.remove(journal_of(target_));
  }
  // One that could not be opened keeps its side files anyway.
  for (const fs::path& side : side_paths_of(target_)) {
    const auto info = env_.files.link_info(side);
    if (!facts_ || side == shm_of(target_) || !info || info->bytes == 0) continue;
    return fail(ErrorCode::busy, "Another program has just used " + text_of(target_) + ".",
                "Close it there, then restore again; or restore to a new file.");
  }
  return {};
}

Expected<sqlite::ConnectionHandle> ReplacedDatabase::connect() {
  return sqlite::open(text_of(target_),
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                      vfs_->name());
}

Expected<> ReplacedDatabase::lock(std::chrono::milliseconds busy_timeout, std::stop_token stop) {
  BPD_TRY(refuse_odd_side_files(target_, env_.files));
  BPD_TRY_AS(folder, Folder::of(target_));
  vfs_.emplace(std::move(*folder));
  BPD_TRY_AS(connection, connect());
  connection_ = std::move(*connection);
  sqlite3_busy_timeout(connection_.get(), kLockTryMs);
  // Should locking fail half-way, the WAL stays as it is.
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  const auto deadline = env_.clock.steady_now() + busy_timeout;
  while (true) {
    const auto locked = try_lock();
    if (locked) return {};
    // One that its disk cannot read is kept as it is, like a damaged one.
    if (is_about_content(locked.error()) || sqlite::read_failed(connection_.get())) {
      connection_.reset();
      facts_.reset();
      return {};
    }
    if (locked.error().code != ErrorCode::busy) return locked;
    if (stop.stop_requested()) {
      return fail(ErrorCode::cancelled, "The restore of " + text_of(target_) + " was cancelled.");
    }
    if (env_.clock.steady_now() >= deadline) return fail_busy(other_openers());
  }
}

Expected<> ReplacedDatabase::try_lock() {
  sqlite3* raw = connection_.get();
  const std::string what = "cannot lock " + text_of(target_);
  // In this mode a WAL database is opened without shared memory and by one connection only.
  // https://www.sqlite.org/wal.html#use_of_wal_without_shared_memory
  BPD_TRY_AS(mode, sqlite::query_text(raw, "PRAGMA locking_mode = EXCLUSIVE", what));
  accept_newer_schema(raw, newer_writer(raw));
  BPD_TRY_AS(before, sqlite::query_text(raw, "PRAGMA journal_mode", what));
  // In exclusive mode a journal is not deleted before the connection closes; an empty one does no
  // harm to whatever it lies beside, should we be killed.
  BPD_TRY_AS(after, sqlite::query_text(raw, "PRAGMA journal_mode = TRUNCATE", what));
  if (*after != "truncate") {
    return fail(ErrorCode::busy, what + ": it stays in journal mode " + *after + ".");
  }
  if (!facts_) {
    facts_.emplace();
    facts_->journal_mode = *before == "wal" ? "wal" : "delete";
  }
  BPD_TRY(sqlite::execute(raw, "BEGIN EXCLUSIVE", what));
  if (facts_->journal_mode != "wal") {
    // Not hot, or SQLite would have played it back; we have not opened it.
    (void)env_.files.remove(journal_of(target_));
  }
  return read_facts(facts_->journal_mode);
}

Expected<> ReplacedDatabase::read_facts(const std::string& journal_mode) {
  sqlite3* raw = connection_.get();
  const std::string what = "cannot read " + text_of(target_);
  BPD_TRY_AS(page_size, sqlite::query_integer(raw, "PRAGMA page_size", what));
  BPD_TRY_AS(page_count, sqlite::query_integer(raw, "PRAGMA page_count", what));
  BPD_TRY_AS(user_version, sqlite::query_integer(raw, "PRAGMA user_version", what));
  facts_->source = manifest_text(text_of(target_));
  facts_->host = manifest_text(env_.places.host);
  facts_->machine = machine_id(env_);
  facts_->taken_at = env_.clock.now();
  facts_->tool_version = BPD_VERSION;
  facts_->journal_mode = journal_mode;
  facts_->page_size = static_cast<std::uint32_t>(*page_size);
  facts_->page_count = static_cast<std::uint32_t>(*page_count);
  facts_->bytes = static_cast<std::uint64_t>(*page_size * *page_count);
  // SQLite counts the page that it would write into an empty file.
  if (const auto info = env_.files.info(target_); info && info->bytes == 0) facts_->bytes = 0;
  facts_->user_version = *user_version;
  return {};
}

Expected<> ReplacedDatabase::keep_as(const fs::path& safety) {
  safety_ = safety;
  if (facts_ && facts_->bytes > 0) {
    // So that it can be restored in its journal mode even if we get no further than the swap.
    // Before the link: until the swap the live database has two names, for as short a time as can
    // be.
    BPD_TRY(write_manifest(safety, *facts_, env_.files));
  }
  if (!lost_) {
    const auto linked = env_.files.link(target_, safety);
    linked_ = linked.has_value();
    if (!linked && linked.error().code != ErrorCode::unsupported) return linked;
  }
  BPD_TRY(move_side_files(safety));
  return env_.files.sync_folder(target_.parent_path());
}

// With the database locked there is none but perhaps an old -shm and an empty journal; without,
// they belong to its copy.
Expected<> ReplacedDatabase::move_side_files(const fs::path& safety) {
  for (const char* suffix : kSideSuffixes) {
    const fs::path from = with_suffix(target_, suffix);
    const fs::path to = with_suffix(safety, suffix);
    if (auto moved = env_.files.rename(from, to); moved) {
      moved_.emplace_back(from, to);
    } else if (moved.error().code != ErrorCode::not_found) {
      return moved;
    }
  }
  return {};
}

std::vector<fs::path> ReplacedDatabase::side_files_kept() const {
  std::vector<fs::path> kept;
  for (const auto& [from, to] : moved_) kept.push_back(to);
  return kept;
}

Expected<> ReplacedDatabase::swap_in(const fs::path& file) {
  if (lost_) {
    auto renamed = env_.files.rename_new(file, target_);
    if (renamed || renamed.error().code != ErrorCode::conflict) return renamed;
    std::string message = "Another program has just made a new " + text_of(target_) + ".";
    for (const auto& [from, to] : moved_)
      message += " " + text_of(from) + " is now " + text_of(to) + ".";
    moved_.clear();
    return fail(ErrorCode::conflict, std::move(message),
                "Close that program, then restore again: that keeps the new one, too.");
  }
  assert(!safety_.empty());
  if (!linked_) {
    BPD_TRY(env_.files.rename_new(target_, safety_));
  }
  auto renamed = rename_over_target(file);
  if (!renamed && !linked_) (void)env_.files.rename(safety_, target_);
  return renamed;
}

Expected<> ReplacedDatabase::rename_over_target(const fs::path& file) {
  auto renamed = env_.files.rename(file, target_);
  if (renamed || !guard_) return renamed;
  // A file system without renames over an open file: then for this moment nothing holds it.
  guard_->release();
  return env_.files.rename(file, target_);
}

Expected<std::vector<std::string>> ReplacedDatabase::replace_with(const fs::path& file) {
  assert(!done_);
  BPD_TRY(swap_in(file));
  done_ = true;
  connection_.reset();
  guard_.reset();
  if (facts_) {
    // Of a database that was locked, what was moved holds nothing.
    for (const auto& [from, to] : moved_) (void)env_.files.remove(to);
  }
  std::vector<std::string> warnings;
  if (auto synced = env_.files.sync_folder(target_.parent_path()); !synced) {
    warnings.push_back(unsynced_warning(synced.error()));
  }
  return warnings;
}

void ReplacedDatabase::put_back() {
  guard_.reset();
  for (const auto& [from, to] : moved_) (void)env_.files.rename(to, from);
  if (linked_) (void)env_.files.remove(safety_);
  if (!safety_.empty()) (void)env_.files.remove(manifest_path_of(safety_));
  const bool was_wal = facts_ && facts_->journal_mode == "wal";
  if (!connection_ && was_wal && FileGuard::kNeeded) {
    if (auto again = connect()) connection_ = std::move(*again);
  }
  if (connection_ && was_wal) {
    if (sqlite3_get_autocommit(connection_.get()) == 0) {
      sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
    sqlite3_exec(connection_.get(), "PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL",
                 nullptr, nullptr, nullptr);
    // Then the last close tidies up after itself, as after any program.
    sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  }
  connection_.reset();
}

std::string unsynced_warning(const Error& error) {
  return "The database is in place, but a power failure now might undo that: " + error.message;
}

}  // namespace core
