// The leg of a schedule that leads off this machine: what is owed of it, and doing it.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/offsite/copy_off.h"
#include "core/offsite/offsite_history.h"
#include "core/schedule/job.h"

namespace core {

// Finds rclone for the job's offsite, and what its settings say of the remote; tells as warnings
// what the user should know. Refuses (invalid_argument) a remote that leads into the destination,
// and settings that are for copies elsewhere where there are none; else the errors of find_rclone
// and facts_of_remote. Asks no network.
Expected<> settle_offsite(BackupJob& job, bool settings_given, std::vector<std::string>& warnings,
                          const Env& env, std::stop_token stop);

// Whether the job has rules for copies elsewhere that were not applied there before.
bool has_new_offsite_rules(const std::optional<BackupJob>& former, const BackupJob& job);

// What these rules let go of there once the snapshots that are planned are sent. Asks the remote.
// Errors: those of copy_off.
Expected<std::vector<Expiry>> preview_offsite(const BackupJob& job,
                                              const std::vector<Snapshot>& planned, const Env& env,
                                              std::stop_token stop);

// Whether the schedule owes a copy, by the history. False without offsite. Errors: those of
// list_runs.
Expected<bool> owes_offsite(const BackupJob& job, const Env& env);

struct OffsiteFailure {
  std::string source;
  Error error;
  bool alarm = false;  // is_alarm
};
struct OffsiteRun {
  std::vector<OffsiteCopy> copies;
  std::vector<OffsiteFailure> failures;
  // The first that is an alarm, as the run's own error; nothing where none is.
  std::optional<Error> alarm() const;
};
struct OffsiteOptions {
  bool all = false;  // also what is not owed
  bool dry_run = false;
  // Over a network that costs by what goes through it nothing goes: it stays owed.
  bool spares_metered = false;
};
// One database after the other; where the remote cannot be reached, or lets nobody in, the others
// stay owed. Each stands in history.db as a run of its own. Bounded by kMaxOffsiteTime. Errors:
// that the history cannot be read, and not_found where the schedule has no good snapshot yet.
Expected<OffsiteRun> run_offsite(const BackupJob& job, const OffsiteOptions& options,
                                 const Env& env, ProgressSink& progress, std::stop_token stop);

}  // namespace core
