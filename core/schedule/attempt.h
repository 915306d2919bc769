// One try at one database's snapshot for a schedule, which stands in history.db afterwards.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/schedule/job.h"
#include "core/snapshot/snapshot.h"

namespace core {

// take_snapshot records its runs; a failure before it got so far is recorded by this one. The
// request bears the schedule's name. What throws, as for want of memory, is an error, too.
Expected<SnapshotResult> attempt_snapshot(const SnapshotRequest& request, const Env& env,
                                          ProgressSink& progress, const std::stop_token& stop);

// A failure of the schedule as a whole, unless a run of it has been recorded since `started_at`.
// `job` is null where it could not be read.
void record_unless_recorded(const std::string& name, const BackupJob* job, const Error& error,
                            Instant started_at, const Env& env);

// A drill with the snapshot (core/restore/drill.h), where the job wants them and the last good one
// is older than kDrillPeriod. Damage is an error to be told of; what else keeps a drill from being
// done, as another one that goes on just now, is a warning: the next run tries again.
std::optional<Error> drill_if_due(const BackupJob& job, const SnapshotResult& taken,
                                  std::vector<Warning>& warnings, const Env& env,
                                  ProgressSink& progress, const std::stop_token& stop);

}  // namespace core
