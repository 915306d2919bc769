// Snapshots that are taken while something fails, and what is left by them.
#pragma once

#include "core/verify/verify.h"
#include "support/catch.h"
#include "support/faulty_files.h"
#include "support/snapshots.h"
#include "support/test_database.h"

namespace test::failing {

inline core::Expected<core::SnapshotResult> take_with(SnapshotWorld& world,
                                                      core::FileSystem& files) {
  const core::Env env{world.clock, files, world.commands, world.places};
  core::NoProgress progress;
  return core::take_snapshot(world.request(), env, progress, {});
}

// A first snapshot, one that takes an earlier one's place, one that sets an earlier one aside.
enum class Case { first, replacing, shrunk };

inline void set_up(SnapshotWorld& world, Case kind) {
  test::make_notes_database(world.source, {"wal", 4096, 60});
  if (kind == Case::first) return;
  REQUIRE(world.take());
  test::run_sql(world.source, kind == Case::shrunk
                                  ? "DELETE FROM links; DELETE FROM notes; DELETE FROM ledger_in; "
                                    "DELETE FROM ledger_out"
                                  : test::commit_sql(60));
}

inline bool fails_its_check(SnapshotWorld& world, const fs::path& snapshot) {
  core::NoProgress progress;
  core::VerifyRequest request;
  request.snapshot = snapshot;
  const auto report = core::verify_snapshot(request, world.env(), progress, {});
  return !report || report->verdict == core::VerifyReport::Verdict::damaged;
}

inline constexpr int kMaxSteps = 100;

}  // namespace test::failing
