// When a schedule last did its work, also where the history was lost.
#pragma once

#include <vector>

#include "core/base/env.h"
#include "core/catalog/history.h"
#include "core/schedule/job.h"

namespace core {

// The beginnings of the schedule's good runs, latest first, as `runs` (of this schedule, newest
// first) have them. Where they have none, as after a history was begun anew: when the newest
// snapshot in the schedule's series was taken, by its manifest.
std::vector<Instant> successes_of(const BackupJob& job, const std::vector<RunRecord>& runs,
                                  const Env& env);

}  // namespace core
