#include "core/schedule/success.h"

#include <algorithm>

#include "core/base/paths.h"
#include "core/catalog/machine.h"
#include "core/catalog/series.h"
#include "core/snapshot/snapshot_plan.h"

namespace core {

Expected<std::vector<RunRecord>> runs_of(const BackupJob& job, const char* kind, std::size_t limit,
                                         const Env& env) {
  RunFilter filter;
  filter.kind = kind;
  filter.schedule = job.name;
  filter.limit = limit;
  return list_runs(filter, env);
}

std::vector<Instant> successes_of(const BackupJob& job, const std::vector<RunRecord>& runs,
                                  const Env& env) {
  std::vector<Instant> successes;
  for (const RunRecord& run : runs) {
    if (run.ok) successes.push_back(run.started_at);
  }
  if (!successes.empty()) return successes;
  const auto plan = plan_snapshot(snapshot_of(job), env);
  if (!plan) return successes;  // it cannot have run as it is
  auto series = list_series(plan->folder, plan->name.stem, env.files);
  if (!series) return successes;
  const std::string source = manifest_text(text_of(plan->source));
  const std::string machine = known_machine_id(env);
  std::erase_if(*series, [&](const Snapshot& snapshot) {
    return !snapshot.manifest || snapshot.manifest->source != source ||
           is_of_other_host(snapshot, plan->host, machine);
  });
  if (const auto latest = latest_of(*series, env.clock.now())) {
    successes.push_back(latest->taken_at());
  }
  return successes;
}

}  // namespace core
