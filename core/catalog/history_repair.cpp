#include "core/catalog/history_repair.h"

#include <algorithm>
#include <vector>

#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/base/side_files.h"

namespace core {
namespace {

constexpr std::string_view kDamagedHistory = "history.db.damaged-";
constexpr std::size_t kMaxStateEntries = 10'000;
constexpr int kMaxNames = 100;  // of one second
constexpr std::chrono::milliseconds kLockTimeout{2'000};

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

Expected<fs::path> rename_history(const fs::path& history, const Env& env) {
  Expected<> moved;
  for (int number = 1; number <= kMaxNames; ++number) {
    fs::path aside = damaged_name(history, env.clock.now(), number);
    moved = env.files.rename_new(history, aside);
    if (moved) return aside;
    if (moved.error().code != ErrorCode::conflict) break;
  }
  return fail(moved.error());
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
  return RunLock::acquire("history", "the repair of history.db", kLockTimeout, env, {});
}

Expected<fs::path> move_history_aside(const Env& env, const RunLock&) {
  const fs::path history = history_path(env.places);
  auto aside = rename_history(history, env);
  if (!aside) {
    return fail(ErrorCode::damaged,
                "The history of runs, " + text_of(history) +
                    ", is damaged and could not be moved aside: " + aside.error().message,
                "Move it away; the next run begins a new one: " +
                    shell_command({"mv", text_of(history), text_of(history) + ".damaged"}));
  }
  // Without its database SQLite would not read a -wal, but remove it.
  for (const char* suffix : kSideSuffixes) {
    (void)env.files.rename(with_suffix(history, suffix), with_suffix(*aside, suffix));
  }
  remove_oldest(history.parent_path(), env.files);
  return aside;
}

}  // namespace core
