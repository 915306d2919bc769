#include "core/catalog/destinations.h"

#include <algorithm>

#include "core/base/paths.h"
#include "core/catalog/history.h"

namespace core {

namespace {

// Runs looked at: a year of nightly runs of one database.
constexpr std::size_t kRunsConsidered = 400;

}  // namespace

std::string destination_of_environment(const Places& places) {
  for (const std::string_view name : {kDestinationVariable, kSettingVariable}) {
    const auto found = places.variables.find(std::string(name));
    if (found != places.variables.end() && !found->second.empty()) return found->second;
  }
  return "";
}

std::vector<fs::path> known_destinations(const Env& env) {
  std::vector<fs::path> folders;
  const auto add = [&](const fs::path& folder) {
    if (folder.empty() || folders.size() >= kMaxDestinations) return;
    const auto real = env.files.canonical(folder);
    if (real && std::find(folders.begin(), folders.end(), *real) == folders.end()) {
      folders.push_back(*real);
    }
  };
  const std::string named = destination_of_environment(env.places);
  if (!named.empty()) add(path_of(named));
  // Without a readable history there is just less to know.
  RunFilter snapshots;
  snapshots.kind = kSnapshotRun;
  snapshots.limit = kRunsConsidered;
  const auto runs = list_runs(snapshots, env);
  if (!runs) return folders;
  for (const auto& run : *runs) {
    if (run.ok) add(path_of(run.destination));
  }
  return folders;
}

}  // namespace core
