// When a schedule last did its work, also where the history was lost.
#pragma once

#include <vector>

#include "core/base/env.h"
#include "core/catalog/history.h"
#include "core/schedule/job.h"

namespace core {

// The schedule's runs of that kind (BackupJob::run_kind, or those of a folder's databases), newest
// first. Errors: those of list_runs.
Expected<std::vector<RunRecord>> runs_of(const BackupJob& job, const char* kind, std::size_t limit,
                                         const Env& env);

// When the schedule's good runs began, latest first, by `runs` (of this schedule, newest first).
// Where these have none, as after the history was begun anew: when the newest snapshot of the
// schedule's series was taken, by its manifest.
std::vector<Instant> successes_of(const BackupJob& job, const std::vector<RunRecord>& runs,
                                  const Env& env);

}  // namespace core
