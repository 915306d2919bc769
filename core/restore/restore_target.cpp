#include "core/restore/restore_target.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/base/side_files.h"
#include "core/catalog/catalog.h"
#include "core/catalog/history.h"
#include "core/catalog/names.h"

namespace core {
namespace {

constexpr std::size_t kRunsLookedAt = 1000;

std::vector<RunRecord> good_runs_of(const fs::path& database, const Env& env) {
  RunFilter filter;
  filter.kind = kSnapshotRun;
  filter.source = text_of(database);
  filter.limit = kRunsLookedAt;
  auto runs = list_runs(filter, env);
  if (!runs) return {};
  std::erase_if(*runs, [](const RunRecord& run) { return !run.ok; });
  return std::move(*runs);
}

fs::path resolved(const fs::path& path, const FileSystem& files) {
  auto real = files.canonical(path);
  return real ? *real : path;
}

}  // namespace

bool is_there(const fs::path& path, const FileSystem& files) {
  return files.link_info(path).has_value();
}

std::vector<fs::path> side_files_of(const fs::path& database, const FileSystem& files) {
  std::vector<fs::path> there;
  for (fs::path& path : side_paths_of(database)) {
    if (is_there(path, files)) there.push_back(std::move(path));
  }
  return there;
}

std::string list_of(const std::vector<fs::path>& paths) {
  std::string text;
  for (const fs::path& path : paths) text += (text.empty() ? "" : ", ") + text_of(path);
  return text;
}

#ifdef _WIN32
std::string make_folder_command(const fs::path& folder) {
  return shell_command({"mkdir", text_of(folder)});
}
#else
std::string make_folder_command(const fs::path& folder) {
  return shell_command({"mkdir", "-p", text_of(folder)});
}
#endif

Expected<> check_recorded_target(const fs::path& snapshot, const fs::path& target, const Env& env) {
  const auto name = parse_snapshot_name(text_of(snapshot.filename()));
  const fs::path folder = resolved(snapshot.parent_path(), env.files);
  const auto runs = good_runs_of(target, env);
  const bool known = std::any_of(runs.begin(), runs.end(), [&](const RunRecord& run) {
    const fs::path made = path_of(run.snapshot);
    const auto other = parse_snapshot_name(text_of(made.filename()));
    return name && other && (name->stem == other->stem || is_kept_stem(name->stem, other->stem)) &&
           resolved(made.parent_path(), env.files) == folder;
  });
  if (known) return {};
  return fail(
      ErrorCode::needs_confirmation,
      "That " + text_of(snapshot) + " was taken of " + text_of(target) +
          " is known from its manifest only: the history of this machine has no such "
          "snapshot.",
      "If " + text_of(target) + " is what to replace: the same call with that path as target.");
}

Expected<> check_was_database(const fs::path& target, const Error& error, const Env& env) {
  if (error.code != ErrorCode::not_a_database) return {};
  const auto info = env.files.info(target);
  if ((info && info->bytes == 0) || !good_runs_of(target, env).empty()) return {};
  return fail(ErrorCode::not_a_database,
              text_of(target) +
                  " is no SQLite database, and no snapshot of it was ever taken here: a restore in "
                  "place does not replace it.",
              "Check the path. If it is a database whose beginning was destroyed, put it aside, "
              "then restore again: " +
                  move_command(text_of(target), text_of(target) + ".damaged"));
}

}  // namespace core
