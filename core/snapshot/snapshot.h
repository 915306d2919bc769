// Takes a verified, point-in-time copy of a live SQLite database and publishes it atomically.
#pragma once

#include <stop_token>

#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/snapshot/request.h"
#include "core/snapshot/result.h"

namespace core {

// Copies under one read transaction (WAL: writers go on; rollback: writers wait for the copy only),
// fsyncs, verifies, renames into place, writes the manifest, applies retention, records the run in
// history.db. On any error nothing that looks like a snapshot is left and an older snapshot of the
// same name is untouched. The source's bytes, side files and locks are as before.
//
// With unless_unchanged a source that is in the state of its last verified snapshot is not copied,
// or its copy not published: then that snapshot is the result. Retention and history go on.
//
// Reports pages on `progress` (phase "copy"), then checks (phase "verify"). A stop request or a
// passed deadline ends it within 100 ms (cancelled, timed_out). Safe to call from any thread;
// runs on one source and destination exclude each other, across processes.
// https://www.sqlite.org/backup.html, https://www.sqlite.org/isolation.html
Expected<SnapshotResult> take_snapshot(const SnapshotRequest& request, const Env& env,
                                       ProgressSink& progress, std::stop_token stop);

}  // namespace core
