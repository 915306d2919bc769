// What the history keeps of a snapshot run.
#pragma once

#include "core/base/env.h"
#include "core/catalog/history.h"
#include "core/snapshot/request.h"
#include "core/snapshot/result.h"

namespace core {

// The record of a run that ends now, in any way.
RunRecord record_of(const SnapshotRequest& request, const Expected<SnapshotResult>& outcome,
                    Instant started_at, const Env& env);

}  // namespace core
