// Runs schedules through their schedulers, as proof that these can.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/catalog/history.h"
#include "core/schedule/announce.h"
#include "core/schedule/scheduler.h"
#include "core/verify/verify.h"

namespace core {

// A snapshot that a run has made, or why it has made none.
struct ProvenSnapshot {
  RunRecord record;
  std::optional<VerifyReport> verification;  // of the snapshot, after the run, by us; none: failed
};

// A run that a scheduler did while we watched.
struct ProvenRun {
  RunRecord record;                       // of one database, or of the folder as a whole
  std::vector<ProvenSnapshot> snapshots;  // one, or those of the folder's databases
  std::string how;                        // how the scheduler was made to run it
  std::vector<RunRecord> offsite{};       // its copies off this machine
  std::vector<Expiry> expired{};          // what retention removed in it, as far as was foreseen
};

// What a run of the job would do, without doing it (SnapshotRequest::dry_run).
struct PreviewedDatabase {
  fs::path source;
  std::string label;
  std::uint64_t bytes = 0;
  std::optional<Error> error;         // why there would be no snapshot of it
  std::optional<Snapshot> planned{};  // what would be taken
};
struct RunPreview {
  std::vector<PreviewedDatabase> databases;  // one, or those of the folder
  std::vector<Expiry> expired;
  std::vector<std::string> warnings;
  std::uint64_t bytes() const;  // of one snapshot of each
};
// Of a folder, not_found where there is no database below it; else an error only where none of the
// databases could be backed up: the first's.
Expected<RunPreview> preview_run(const BackupJob& job, const Env& env, std::stop_token stop);

// A first run includes a whole copy, whose own limit is the same.
inline constexpr std::chrono::milliseconds kFirstRunTimeout{3'600'000};

// Makes the job's scheduler run its entry once and waits for the end; `facts` are those of now. A
// failed run is an error with the run's own code and text, a folder's only where no snapshot was
// made; likewise one whose snapshots did not come off this machine, where they are to; busy while
// another run of it goes on; timed_out where no run took the request in time.
Expected<ProvenRun> prove_schedule(const BackupJob& job, const HostFacts& facts, const Env& env,
                                   ProgressSink& progress, std::stop_token stop);

// The same for the schedule of that name. not_found when it has no job or no entry.
Expected<ProvenRun> run_schedule(const std::string& name, const Env& env, std::stop_token stop);

}  // namespace core
