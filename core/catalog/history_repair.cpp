#include "core/catalog/history_repair.h"

#include <sqlite3.h>

#include <algorithm>
#include <vector>

#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/base/side_files.h"
#include "core/sqlite/sqlite.h"

namespace core {
namespace {

constexpr std::string_view kDamagedHistory = "history.db.damaged-";
constexpr std::size_t kMaxStateEntries = 10'000;
constexpr int kMaxNames = 100;  // of one second
constexpr std::chrono::milliseconds kTimeout{2'000};
constexpr std::uint64_t kMaxBytes = 256 << 20;  // a whole history has a few MiB

fs::path damaged_name(const fs::path& history, Instant now, int number) {
  fs::path path =
      history.parent_path() / path_of(std::string(kDamagedHistory) + compact_instant(now));
  if (number > 1) path += path_of("-" + std::to_string(number));
  return path;
}

void remove_oldest(const fs::path& folder, FileSystem& files) {
  const auto entries = files.list(folder, kMaxStateEntries);
  if (!entries) return;
  std::vector<std::string> names;
  for (const DirEntry& entry : *entries) {
    if (entry.name.starts_with(kDamagedHistory) && !is_side_file(entry.name)) {
      names.push_back(entry.name);
    }
  }
  std::sort(names.begin(), names.end());
  for (std::size_t i = 0; i + kMaxDamagedHistories < names.size(); ++i) {
    (void)files.remove(folder / path_of(names[i]));
    for (const fs::path& side : side_paths_of(folder / path_of(names[i]))) (void)files.remove(side);
  }
}

Expected<fs::path> free_name(const fs::path& history, const Env& env) {
  for (int number = 1; number <= kMaxNames; ++number) {
    fs::path name = damaged_name(history, env.clock.now(), number);
    const auto info = env.files.link_info(name);
    if (!info && info.error().code == ErrorCode::not_found) return name;
  }
  return fail(ErrorCode::conflict, "there are too many of them already");
}

Expected<> copy(const fs::path& from, const fs::path& to, const Env& env) {
  BPD_TRY_AS(content, env.files.read(from, kMaxBytes));
  return env.files.write_atomically(to, *content, kPrivateFile);
}

Expected<fs::path> copy_aside(const fs::path& history, const Env& env) {
  BPD_TRY_AS(aside, free_name(history, env));
  BPD_TRY(copy(history, *aside, env));
  const auto log = copy(wal_of(history), wal_of(*aside), env);
  if (!log && log.error().code != ErrorCode::not_found) return fail(log.error());
  return aside;
}

// https://www.sqlite.org/c3ref/c_dbconfig_defensive.html, SQLITE_DBCONFIG_RESET_DATABASE
Expected<> empty_database(const fs::path& path) {
  BPD_TRY_AS(connection, sqlite::open(text_of(path), SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX));
  sqlite3_busy_timeout(connection->get(), static_cast<int>(kTimeout.count()));
  sqlite3_db_config(connection->get(), SQLITE_DBCONFIG_RESET_DATABASE, 1, nullptr);
  return sqlite::execute(connection->get(), "VACUUM", "cannot begin anew " + text_of(path));
}

}  // namespace

fs::path history_path(const Places& places) {
  return places.state / "history.db";
}

bool is_damaged_history(const Error& error) {
  if (error.code == ErrorCode::damaged || error.code == ErrorCode::not_a_database) return true;
  // SQLite has no code for a table that is not as our version number says.
  const auto says = [&](std::string_view words) {
    return error.message.find(words) != std::string::npos;
  };
  return error.code == ErrorCode::internal &&
         (says("no such table: runs") || says("no such column: ") || says("table runs has "));
}

Expected<RunLock> lock_history_repair(const Env& env) {
  return RunLock::acquire("history", "the repair of history.db", kTimeout, env, {});
}

Expected<fs::path> empty_history(const Env& env, const RunLock&) {
  const fs::path history = history_path(env.places);
  const auto by_hand = [&](const Error& error) {
    return fail(ErrorCode::damaged,
                "The history of runs, " + text_of(history) +
                    ", is damaged and could not be begun anew: " + error.message,
                "Move it away; the next run begins a new one: " +
                    move_command(text_of(history), text_of(history) + ".damaged"));
  };
  const auto aside = copy_aside(history, env);
  if (!aside) return by_hand(aside.error());
  const auto emptied = empty_database(history);
  if (!emptied) return by_hand(emptied.error());
  remove_oldest(history.parent_path(), env.files);
  return aside;
}

}  // namespace core
