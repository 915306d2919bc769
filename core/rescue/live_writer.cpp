#include "core/rescue/live_writer.h"

#include <sqlite3.h>

#include "core/base/paths.h"
#include "core/platform/open_files.h"
#include "core/sqlite/pinned_source.h"
#include "core/sqlite/second_names.h"

namespace core {
namespace {

constexpr std::chrono::milliseconds kLockPause{2};

}  // namespace

// One wait for another program's lock: a busy handler's context.
struct LiveWriter::Wait {
  const Clock& clock;
  const std::chrono::milliseconds limit;
  const std::stop_token stop;
  std::chrono::steady_clock::time_point deadline{};

  static int go_on(void* self, int waited) {
    auto& wait = *static_cast<Wait*>(self);
    if (waited == 0) wait.deadline = wait.clock.steady_now() + wait.limit;
    if (wait.clock.steady_now() >= wait.deadline) return 0;
    return wait.clock.sleep_for(kLockPause, wait.stop) ? 1 : 0;
  }
};

LiveWriter::LiveWriter(fs::path path, const Env& env, std::unique_ptr<Wait> wait)
    : path_(std::move(path)), env_(env), wait_(std::move(wait)) {}
LiveWriter::LiveWriter(LiveWriter&&) noexcept = default;
LiveWriter::~LiveWriter() = default;

Expected<LiveWriter> LiveWriter::open(const fs::path& path, std::chrono::milliseconds busy_timeout,
                                      const Env& env, std::stop_token stop) {
  BPD_TRY(PinnedSource::open(path, busy_timeout, env, stop));
  if (may_have_second_names(path, env.files)) {
    return fail(ErrorCode::conflict,
                text_of(path) +
                    " has several names (hard links, or it is mounted by itself): a "
                    "program that uses another one would not see what is written.",
                "Remove the other names; or restore the snapshot to a new file.");
  }
  BPD_TRY_AS(folder, Folder::of(path));
  LiveWriter writer(path, env,
                    std::make_unique<Wait>(Wait{env.clock, busy_timeout, std::move(stop)}));
  writer.vfs_ = std::make_unique<FolderVfs>(std::move(*folder));
  BPD_TRY_AS(connection, sqlite::open(text_of(path),
                                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                                          SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_URI,  // ATTACH's
                                      writer.vfs_->name()));
  writer.connection_ = std::move(*connection);
  sqlite3* raw = writer.connection_.get();
  if (sqlite3_db_readonly(raw, "main") != 0) {
    return fail(ErrorCode::permission_denied, text_of(path) + " may not be written.",
                "Run as a user who may write to it.");
  }
  // Its own triggers run as for any program that writes to it.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, nullptr);
  // Every statement waits, those that only read as well: without a WAL a commit locks readers out.
  sqlite3_busy_handler(raw, Wait::go_on, writer.wait_.get());
  // Large rows may go to a file of the system's, not to memory.
  BPD_TRY(sqlite::execute(raw, "PRAGMA temp_store = FILE; PRAGMA cell_size_check = ON",
                          "cannot prepare to write to " + text_of(path)));
  return writer;
}

Expected<> LiveWriter::execute(const char* sql) {
  auto done = sqlite::execute(connection_.get(), sql, "cannot write to " + text_of(path_));
  if (done || done.error().code != ErrorCode::busy) return done;
  if (wait_->stop.stop_requested()) {
    return fail(ErrorCode::cancelled, "stopped while waiting for " + text_of(path_));
  }
  const auto openers = other_openers_of(path_, env_.files);
  return fail(ErrorCode::busy,
              text_of(path_) + " is being written by another program" +
                  (openers.empty() ? "." : "; it is open in " + describe_openers(openers) + "."),
              "Try again in a moment: nothing was changed, and nothing has to be closed.");
}

Expected<> LiveWriter::begin() {
  return execute("BEGIN IMMEDIATE");
}

Expected<> LiveWriter::commit() {
  auto done = execute("COMMIT");
  if (!done) roll_back();
  return done;
}

void LiveWriter::roll_back() {
  if (sqlite3_get_autocommit(connection_.get()) == 0) {
    (void)sqlite::execute(connection_.get(), "ROLLBACK", "cannot roll back");
  }
}

}  // namespace core
