// Takes a verified, point-in-time copy of a live SQLite database and publishes it atomically.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/catalog/catalog.h"
#include "core/catalog/manifest.h"
#include "core/catalog/retention.h"
#include "core/catalog/warning.h"
#include "core/snapshot/request.h"
#include "core/verify/verify.h"

namespace core {

// Wall-clock milliseconds of the phases of one run.
struct SnapshotTimings {
  double copy_ms = 0, digest_ms = 0, sync_ms = 0, verify_ms = 0, total_ms = 0;
};

struct SnapshotResult {
  fs::path snapshot;
  fs::path manifest_path;
  Manifest manifest;  // in a dry run only what is known without copying
  bool dry_run = false;
  bool replaced = false;                     // a snapshot of the same day was (would be) replaced
  std::optional<VerifyReport> verification;  // absent with VerifyLevel::none
  std::vector<Expiry> retention;             // every decision, kept ones too, with reasons
  std::vector<fs::path> removed;             // snapshots that retention removed
  std::vector<fs::path> swept;               // left-over temporaries of dead runs
  std::vector<Warning> warnings;             // shrink alarm, history not recorded, …
  bool shrink_alarm = false;
  SnapshotTimings timings;
};

// Copies under one read transaction (WAL: writers go on; rollback: writers wait for the copy only),
// fsyncs, verifies, renames into place, writes the manifest, applies retention, records the run in
// history.db. On any error nothing that looks like a snapshot is left and an older snapshot of the
// same name is untouched. The source's bytes, side files and locks are as before.
//
// Reports pages on `progress` (phase "copy"), then checks (phase "verify"). A stop request or a
// passed deadline ends it within 100 ms (cancelled, timed_out). Safe to call from any thread;
// runs on one source and destination exclude each other, across processes.
// https://www.sqlite.org/backup.html, https://www.sqlite.org/isolation.html
Expected<SnapshotResult> take_snapshot(const SnapshotRequest& request, const Env& env,
                                       ProgressSink& progress, std::stop_token stop);

}  // namespace core
