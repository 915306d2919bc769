// One run of a schedule: what `backup-plugin-db run NAME` does, by hand or for a scheduler.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/platform/run_lock.h"
#include "core/schedule/job.h"
#include "core/schedule/run_folder.h"
#include "core/schedule/run_offsite.h"
#include "core/snapshot/snapshot.h"

namespace core {

struct RunOptions {
  // Started by a scheduler: logs, uses the folders of the installer, and waits for a busy source.
  bool scheduled = false;
  bool if_due = false;  // does nothing unless a run is due (core/schedule/due.h) or was asked for
};

struct JobRun {
  enum class Outcome { done, not_due, already_running };
  Outcome outcome = Outcome::done;
  BackupJob job;
  std::optional<SnapshotResult> snapshot;  // with Outcome::done, of one database
  std::vector<MemberRun> members;          // of a folder
  OffsiteRun offsite;  // of what was owed; its failures are no alarm, or the error
  int attempts = 0;
  std::vector<Warning> warnings;
};

inline constexpr int kMaxAttempts = 3;  // on a busy source; 1 where somebody waits for the run
inline constexpr std::chrono::milliseconds kOnFailureTimeout{60'000};
inline constexpr std::chrono::milliseconds kPingTimeout{10'000};  // one attempt of curl's

// Takes the job's snapshot, or those of its folder (run_folder.h); it stands in history.db
// afterwards under the schedule's name, also when it failed before a snapshot could be tried. Runs
// of one schedule exclude each other: the second one is busy, or with if_due ends as
// already_running, and nothing else happens.
//
// When that has ended, well or not, follows what the schedule owes off this machine
// (run_offsite.h), which is owed by itself: with if_due a run may be of that alone. It spoils
// nothing of the above. What fails there and is no alarm yet is told in JobRun::offsite, and stays
// owed.
//
// After a failure the on_failure command runs in the user's shell (not where a run by hand met
// another run), with BACKUP_PLUGIN_DB_SCHEDULE, _SOURCE, _DESTINATION, _ERROR and _LEG ("local" or
// "offsite") in its environment; ping_url is called through curl at the start, on success and on
// failure (https://healthchecks.io/docs/http_api/). What these do wrong is a warning, which is
// added to the run in history.db, or stands in the hint of the run's error. A stop request ends the
// run, also while it waits to try again, and calls neither.
Expected<JobRun> run_job(const std::string& name, const RunOptions& options, const Env& env,
                         ProgressSink& progress, std::stop_token stop);

// Held by each run of that schedule. busy names the run that holds it.
Expected<RunLock> lock_run(const std::string& name, std::chrono::milliseconds timeout,
                           const Env& env, std::stop_token stop);

// What a scheduled run prints: nothing where the scheduler would mail it although all is well.
std::string report_of(const JobRun& run, const RunOptions& options);

// Asks the next scheduled run of that name to run although it is not due, and not to wait for a
// busy source: somebody is waiting. Taken by that run, or stale after kRequestLifetime.
Expected<> request_run(const std::string& name, const Env& env);
// Whether no run has taken it yet.
bool has_request(const std::string& name, const Env& env);
// Takes a request back; fine where there is none.
void withdraw_request(const std::string& name, const Env& env);
inline constexpr std::chrono::minutes kRequestLifetime{60};

// Adds lines to <state>/logs/<name>.log, which is kept below kMaxLogBytes with one predecessor
// (.log.1).
Expected<> append_log(const std::string& name, const std::string& text, const Env& env);
fs::path log_path(const std::string& name, const Places& places);
inline constexpr std::uint64_t kMaxLogBytes = 256 * 1024;

}  // namespace core
