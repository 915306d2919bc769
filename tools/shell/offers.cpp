#include "tools/shell/offers.h"

#include <algorithm>

#include "core/base/paths.h"
#include "core/catalog/catalog.h"
#include "core/catalog/names.h"
#include "tools/shell/draft.h"

namespace tools {

namespace {

// Of one destination.
constexpr std::size_t kSnapshotsOffered = 60;

void add_once(std::vector<std::string>& values, std::string value) {
  if (std::find(values.begin(), values.end(), value) == values.end()) {
    values.push_back(std::move(value));
  }
}

}  // namespace

std::vector<std::string> offers(const std::string& kind, const Setting& setting) {
  const auto jobs = known_jobs(setting);
  const auto destinations = [&] { return known_destinations_of(std::nullopt, jobs, setting); };
  std::vector<std::string> values;
  if (kind == "schedules") {
    for (const auto& job : jobs) values.push_back(job.name);
  }
  if (kind == "destinations") {
    for (const auto& known : destinations()) values.push_back(core::text_of(known.path));
  }
  if (kind != "snapshots") return values;
  values.emplace_back("latest");
  for (const auto& known : destinations()) {
    const auto page =
        core::list_snapshots(known.path, {}, kSnapshotsOffered, "", setting.env.files);
    if (!page) continue;
    for (const auto& snapshot : page->snapshots) {
      add_once(values, core::format_date(snapshot.date));
      if (!snapshot.time) continue;
      add_once(values, core::format_snapshot_day(snapshot.day()));
    }
  }
  for (const auto& job : jobs) {
    if (!job.is_of_folder()) add_once(values, job.name);
  }
  return values;
}

}  // namespace tools
