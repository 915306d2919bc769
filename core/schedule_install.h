// Installs, removes and runs schedules on this machine: plans, applies, proves, or puts everything
// back.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/history.h"
#include "core/schedule_plan.h"
#include "core/verify.h"

namespace core {

struct InstallRequest {
  BackupJob
      job;  // an empty name: default_schedule_name; `scheduler`, `scheduled_since` are set here
  std::optional<SchedulerKind> scheduler;  // absent: the first that works here
  bool run_now = true;
  bool dry_run = false;
};

// A file that was, or in a dry run would be, written; its text as UTF-8.
struct PlannedFile {
  fs::path path;
  std::string text;
  std::uint32_t mode = 0;
};

// A run that a scheduler did while we watched.
struct ProvenRun {
  RunRecord record;
  VerifyReport verification;  // of the snapshot, after the run, by us
  std::string how;            // how the scheduler was made to run it
};

struct InstallResult {
  BackupJob job;
  bool dry_run = false;
  bool updated = false;  // there was a schedule of this name
  std::vector<PlannedFile> files;
  std::vector<std::string> commands;  // in order, as one would type them
  std::optional<ProvenRun> run;       // absent without run_now
  std::vector<std::string> removed;   // entries of this name in other schedulers
  Instant next_run{};
  std::vector<std::string> warnings;
};

// Asks the scheduler about an entry.
EntryState ask_state(const Scheduler& scheduler, const std::string& name, const HostFacts& facts,
                     const Env& env, std::stop_token stop);

inline constexpr std::chrono::milliseconds kInstallLockTimeout{30'000};
// A first run includes a whole copy, whose own limit is the same.
inline constexpr std::chrono::milliseconds kFirstRunTimeout{3'600'000};

// Writes job file, program copy and entry; makes the scheduler run it once; and returns only when
// that run stands in history.db as good and its snapshot has been verified. On any failure,
// a stop request included, everything is put back as it was before, and the error says what failed.
// Installing a name again updates it; entries of the name in other schedulers go.
//
// dry_run: the same checks and the same texts; nothing is written or run. Installations on one
// user's account exclude each other.
Expected<InstallResult> install_schedule(const InstallRequest& request, const Env& env,
                                         ProgressSink& progress, std::stop_token stop);

struct RemovalResult {
  std::string name;
  std::vector<std::string> removed;  // in words: files and entries
  std::optional<BackupJob> job;      // what it was, where its file could be read
  std::vector<std::string> warnings;
};
// Removes every trace of the schedule but its snapshots and its runs in history.db; with the last
// schedule the program copy goes, too. not_found when no job and no entry has that name.
Expected<RemovalResult> remove_schedule(const std::string& name, const Env& env,
                                        std::stop_token stop);

// Runs one schedule now, through its scheduler, and waits for the end. A failed run is an error
// with the run's own code and text.
Expected<ProvenRun> run_schedule(const std::string& name, const Env& env, std::stop_token stop);

}  // namespace core
