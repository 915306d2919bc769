#include "core/snapshot/snapshot_record.h"

#include "core/base/paths.h"
#include "core/catalog/run_records.h"

namespace core {

RunRecord record_of(const SnapshotRequest& request, const Expected<SnapshotResult>& outcome,
                    Instant started_at, const Env& env) {
  RunRecord run = ended_run(kSnapshotRun, started_at, env);
  run.schedule = request.schedule;
  run.source = recorded_path(request.source, env);
  run.destination = recorded_path(request.destination, env);
  if (!outcome) {
    note_failure(run, outcome.error());
    return run;
  }
  run.snapshot = text_of(outcome->snapshot);
  run.bytes = outcome->unchanged ? 0 : outcome->manifest.bytes;
  run.warnings = outcome->warnings;
  return run;
}

}  // namespace core
