#include "core/catalog/destinations.h"

#include <algorithm>

#include "core/base/paths.h"
#include "core/catalog/history.h"

namespace core {

namespace {

// Runs looked at: a year of nightly runs of one database.
constexpr std::size_t kRunsConsidered = 400;

}  // namespace

std::vector<fs::path> known_destinations(const Env& env) {
  std::vector<fs::path> folders;
  const auto add = [&](const fs::path& folder) {
    if (folder.empty() || folders.size() >= kMaxDestinations) return;
    const auto real = env.files.canonical(folder);
    if (real && std::find(folders.begin(), folders.end(), *real) == folders.end()) {
      folders.push_back(*real);
    }
  };
  const auto named = env.places.variables.find(std::string(kDestinationVariable));
  if (named != env.places.variables.end()) add(path_of(named->second));
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
