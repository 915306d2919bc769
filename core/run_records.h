// What the history keeps of a run.
#pragma once

#include "core/history.h"
#include "core/restore.h"
#include "core/snapshot.h"

namespace core {

// Of a run that ends now, in any way.
RunRecord record_of(const SnapshotRequest& request, const Expected<SnapshotResult>& outcome,
                    Instant started_at, const Env& env);
// `target`: the database itself, links resolved.
RunRecord record_of(const RestoreRequest& request, const fs::path& target,
                    const Expected<RestoreResult>& outcome, Instant started_at, const Env& env);

}  // namespace core
