#include "tools/shell/draft.h"

#include <algorithm>

#include "core/catalog/catalog.h"
#include "core/catalog/destinations.h"
#include "core/discovery/project_here.h"

namespace tools {

namespace fs = core::fs;
using server::Json;

std::vector<core::BackupJob> known_jobs(const Setting& setting) {
  std::vector<core::UnusableJob> unusable;  // the status tells of them
  return core::list_jobs(setting.world.places, setting.world.files, unusable);
}

fs::path source_path(const fs::path& source, const Setting& setting) {
  return core::recorded_source(source, setting.env.files);
}

std::optional<DefaultSource> default_source(const std::vector<core::BackupJob>& jobs,
                                            const Setting& setting) {
  if (auto project = core::project_database_above(setting.env.places.current_folder, setting.env)) {
    return DefaultSource{std::move(*project), true};
  }
  const Json nothing = Json::object();
  const auto global = Arguments(nothing, setting).source();
  if (!global) return std::nullopt;
  const fs::path recorded = source_path(*global, setting);
  const bool scheduled = std::any_of(jobs.begin(), jobs.end(), [&](const core::BackupJob& job) {
    return job.snapshot.source == recorded;
  });
  if (!scheduled && !setting.env.files.info(*global)) return std::nullopt;
  return DefaultSource{*global, false};
}

std::vector<KnownDestination> known_destinations_of(const std::optional<fs::path>& source,
                                                    const std::vector<core::BackupJob>& jobs,
                                                    const Setting& setting) {
  std::vector<KnownDestination> found;
  const auto add = [&found](KnownDestination known) {
    const bool there = std::any_of(found.begin(), found.end(),
                                   [&known](const auto& one) { return one.path == known.path; });
    if (!there) found.push_back(std::move(known));
  };
  for (const auto& job : jobs) {
    if (source && job.snapshot.source == source_path(*source, setting)) {
      add({job.snapshot.destination, job.name, &job});
    }
  }
  if (!found.empty()) return found;
  for (const auto& job : jobs) add({job.snapshot.destination, job.name});
  if (!found.empty()) return found;
  for (auto& folder : core::known_destinations(setting.world)) add({std::move(folder), ""});
  return found;
}

}  // namespace tools
