#include "core/replace_database.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "core/openers.h"

namespace core {
namespace {

// SQLite waits this long at a time, so that a stop is seen.
constexpr int kLockTryMs = 50;

fs::path with_suffix(fs::path path, const char* suffix) {
  path += suffix;
  return path;
}

bool is_about_content(const Error& error) {
  return error.code == ErrorCode::damaged || error.code == ErrorCode::not_a_database;
}

}  // namespace

Expected<std::unique_ptr<ReplacedDatabase>> ReplacedDatabase::take(
    const fs::path& target, std::chrono::milliseconds busy_timeout, const Env& env,
    std::stop_token stop) {
  std::unique_ptr<ReplacedDatabase> taken(new ReplacedDatabase(target, env));
  // A connection that is idle in rollback mode holds no lock: only the system knows of it.
  if (!openers_of(target, env.files).empty()) return taken->fail_busy();
  if (auto locked = taken->lock(busy_timeout, std::move(stop)); !locked) {
    return fail(locked.error());
  }
  return taken;
}

ReplacedDatabase::~ReplacedDatabase() {
  if (!done_) put_back();
}

tl::unexpected<Error> ReplacedDatabase::fail_busy() const {
  const std::string openers = describe_openers(openers_of(target_, env_.files));
  return fail(ErrorCode::busy,
              target_.string() + " is open in " +
                  (openers.empty() ? std::string("another program") : openers) + ".",
              "Close it there, then restore again; or restore to a new file.");
}

Expected<> ReplacedDatabase::lock(std::chrono::milliseconds busy_timeout, std::stop_token stop) {
  auto connection = sqlite::open(
      target_.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE);
  if (!connection) return fail(connection.error());
  connection_ = std::move(*connection);
  sqlite3_busy_timeout(connection_.get(), kLockTryMs);
  // Should locking fail half-way, the WAL stays as it is.
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  const auto deadline = env_.clock.steady_now() + busy_timeout;
  while (true) {
    const auto locked = try_lock();
    if (locked) return {};
    if (is_about_content(locked.error())) {
      connection_.reset();
      facts_.reset();
      return {};
    }
    if (locked.error().code != ErrorCode::busy) return locked;
    if (stop.stop_requested()) {
      return fail(ErrorCode::cancelled, "The restore of " + target_.string() + " was cancelled.");
    }
    if (env_.clock.steady_now() >= deadline) {
      connection_.reset();  // so that we are not among the openers
      return fail_busy();
    }
  }
}

Expected<> ReplacedDatabase::try_lock() {
  sqlite3* raw = connection_.get();
  const std::string what = "cannot lock " + target_.string();
  // In this mode a WAL database is opened without shared memory and by one connection only.
  // https://www.sqlite.org/wal.html#use_of_wal_without_shared_memory
  const auto mode = sqlite::query_text(raw, "PRAGMA locking_mode = EXCLUSIVE", what);
  if (!mode) return fail(mode.error());
  const auto before = sqlite::query_text(raw, "PRAGMA journal_mode", what);
  if (!before) return fail(before.error());
  const auto after = sqlite::query_text(raw, "PRAGMA journal_mode = DELETE", what);
  if (!after) return fail(after.error());
  if (*after != "delete") {
    return fail(ErrorCode::busy, what + ": it stays in journal mode " + *after + ".");
  }
  if (!facts_) {
    facts_.emplace();
    facts_->journal_mode = *before == "wal" ? "wal" : "delete";
  }
  if (auto begun = sqlite::execute(raw, "BEGIN EXCLUSIVE", what); !begun) return begun;
  return read_facts(facts_->journal_mode);
}

Expected<> ReplacedDatabase::read_facts(const std::string& journal_mode) {
  sqlite3* raw = connection_.get();
  const std::string what = "cannot read " + target_.string();
  const auto page_size = sqlite::query_integer(raw, "PRAGMA page_size", what);
  if (!page_size) return fail(page_size.error());
  const auto page_count = sqlite::query_integer(raw, "PRAGMA page_count", what);
  if (!page_count) return fail(page_count.error());
  const auto user_version = sqlite::query_integer(raw, "PRAGMA user_version", what);
  if (!user_version) return fail(user_version.error());
  facts_->source = manifest_text(target_.string());
  facts_->host = manifest_text(env_.places.host);
  facts_->taken_at = env_.clock.now();
  facts_->tool_version = BPD_VERSION;
  facts_->journal_mode = journal_mode;
  facts_->page_size = static_cast<std::uint32_t>(*page_size);
  facts_->page_count = static_cast<std::uint32_t>(*page_count);
  facts_->bytes = static_cast<std::uint64_t>(*page_size * *page_count);
  facts_->user_version = *user_version;
  return {};
}

Expected<> ReplacedDatabase::keep_as(const fs::path& safety) {
  safety_ = safety;
  std::error_code error;
  fs::create_hard_link(target_, safety, error);
  linked_ = !error;
  if (error == std::errc::file_exists) {
    safety_.clear();
    return fail(ErrorCode::conflict, safety.string() + " is there already.");
  }
  if (linked_ && facts_ && facts_->bytes > 0) {
    // So that it can be restored in its journal mode even if we get no further than the swap.
    if (auto written = write_manifest(safety, *facts_, env_.files); !written) return written;
  }
  if (auto moved = move_side_files(safety); !moved) return moved;
  return env_.files.sync_folder(target_.parent_path());
}

// With the database locked there is none but perhaps an old -shm; without, they belong to its copy.
Expected<> ReplacedDatabase::move_side_files(const fs::path& safety) {
  for (const char* suffix : {"-wal", "-journal", "-shm"}) {
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

Expected<> ReplacedDatabase::replace_with(const fs::path& file) {
  if (!linked_) {
    if (auto kept = env_.files.rename(target_, safety_); !kept) return kept;
  }
  if (auto renamed = env_.files.rename(file, target_); !renamed) {
    if (!linked_) (void)env_.files.rename(safety_, target_);
    return renamed;
  }
  done_ = true;
  connection_.reset();
  if (facts_) {
    // Of a database that was locked, what was moved is an empty rest of its shared memory.
    for (const auto& [from, to] : moved_) (void)env_.files.remove(to);
    if (!linked_ && facts_->bytes > 0) (void)write_manifest(safety_, *facts_, env_.files);
  }
  return env_.files.sync_folder(target_.parent_path());
}

void ReplacedDatabase::put_back() {
  for (const auto& [from, to] : moved_) (void)env_.files.rename(to, from);
  if (linked_) {
    (void)env_.files.remove(manifest_path_of(safety_));
    (void)env_.files.remove(safety_);
  }
  if (connection_ && facts_ && facts_->journal_mode == "wal") {
    sqlite3_exec(connection_.get(),
                 "ROLLBACK; PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL", nullptr,
                 nullptr, nullptr);
    // Then the last close tidies up after itself, as after any program.
    sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  }
  connection_.reset();
}

void take_after(const fs::path& file, const fs::path& like) {
  struct stat status {};
  if (::stat(like.c_str(), &status) != 0) return;
  // Only root may give files away; for anyone else it is theirs already.
  if (::chown(file.c_str(), status.st_uid, status.st_gid) != 0) {
    status.st_mode &= 0700U;
  }
  (void)::chmod(file.c_str(), status.st_mode & 0777U);
}

}  // namespace core
