// What a snapshot run came to.
#pragma once

#include <optional>
#include <vector>

#include "core/base/env.h"
#include "core/catalog/catalog.h"
#include "core/catalog/manifest.h"
#include "core/catalog/retention.h"
#include "core/catalog/warning.h"
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
  // Nothing was written: `snapshot` and `manifest` are those of the earlier one that has this
  // state.
  bool unchanged = false;
  bool replaced = false;  // a snapshot of the same day or hour was (would be) replaced
  std::optional<VerifyReport>
      verification;  // absent with VerifyLevel::none, and where unchanged without a copy
  std::vector<Expiry> retention;  // every decision, kept ones too, with reasons
  std::vector<fs::path> removed;  // snapshots that retention removed
  std::vector<fs::path> swept;    // left-over temporaries of dead runs
  std::vector<Warning> warnings;  // shrink alarm, history not recorded, …
  bool shrink_alarm = false;
  SnapshotTimings timings;
};

// Of a dry run: the snapshot as it will stand in its series, passed at that level.
Snapshot planned_snapshot(const SnapshotResult& result, VerifyLevel level);

}  // namespace core
