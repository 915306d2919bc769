// Runs schedules through their schedulers, as proof that these can.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "core/base/progress.h"
#include "core/catalog/history.h"
#include "core/schedule/announce.h"
#include "core/schedule/scheduler.h"
#include "core/verify/verify.h"

namespace core {

// A run that a scheduler did while we watched.
struct ProvenRun {
  RunRecord record;
  VerifyReport verification;      // of the snapshot, after the run, by us
  std::string how;                // how the scheduler was made to run it
  std::vector<Expiry> expired{};  // what retention removed in it, as far as was foreseen
};

// What a run of the job would do, without doing it (SnapshotRequest::dry_run).
Expected<SnapshotResult> preview_run(const BackupJob& job, const Env& env, std::stop_token stop);

// A first run includes a whole copy, whose own limit is the same.
inline constexpr std::chrono::milliseconds kFirstRunTimeout{3'600'000};

// Makes the job's scheduler run its entry once and waits for the end; `facts` are those of now. A
// failed run is an error with the run's own code and text; busy while another run of it goes on;
// timed_out where no run took the request in time.
Expected<ProvenRun> prove_schedule(const BackupJob& job, const HostFacts& facts, const Env& env,
                                   ProgressSink& progress, std::stop_token stop);

// The same for the schedule of that name. not_found when it has no job or no entry.
Expected<ProvenRun> run_schedule(const std::string& name, const Env& env, std::stop_token stop);

}  // namespace core
