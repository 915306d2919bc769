// Installs and removes schedules on this machine: plans, applies, proves, or puts everything
// back.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/schedule/announce.h"
#include "core/schedule/job_settings.h"
#include "core/schedule/prove.h"
#include "core/schedule/scheduler.h"

namespace core {

struct InstallRequest {
  std::string name;      // empty: default_schedule_name
  JobSettings settings;  // over those of the schedule of that name, if there is one
  std::optional<SchedulerKind>
      scheduler;               // absent: as the schedule has it, else the first that works
  bool any_scheduler = false;  // the first that works, also for an old schedule
  bool run_now = true;
  bool dry_run = false;
  bool confirmed = false;  // the user knows which snapshots new keep rules remove
};

// A file that was, or in a dry run would be, written; its text as UTF-8.
struct PlannedFile {
  fs::path path;
  std::string text;
  std::uint32_t mode = 0;
};

struct InstallResult {
  BackupJob job;
  bool dry_run = false;
  bool updated = false;    // there was a schedule of this name
  SettingChanges changes;  // against that one, where its job could be read
  std::vector<PlannedFile> files;
  std::vector<std::string> commands;  // in order, as one would type them
  // What retention removes in the next run, or has removed in `run`.
  std::vector<Expiry> expired;
  bool new_rules = false;  // some of these go by keep rules that are new (has_new_rules)
  KeepEstimate keeps;
  std::vector<PreviewedDatabase> databases;  // what the run covers, as it was when we looked
  std::optional<ProvenRun> run;              // absent without run_now
  std::vector<std::string> removed;          // entries of this name in other schedulers
  Instant next_run{};
  std::vector<std::string> warnings;
};

// Asks the scheduler about entries; an answer for each name.
std::map<std::string, EntryState> ask_states(const Scheduler& scheduler,
                                             const std::vector<std::string>& names,
                                             const HostFacts& facts, const Env& env,
                                             std::stop_token stop);

inline constexpr std::chrono::milliseconds kInstallLockTimeout{30'000};
// Writes job file, program copy and entry; makes the scheduler run it once; and returns only when
// that run stands in history.db as good and its snapshot has been verified. On any failure,
// a stop request included, everything is put back as it was before, and the error says what failed.
// Installing a name again updates it: what the request does not set stays; entries of the name in
// other schedulers go. Refused (invalid_argument) where that is not known and no source is given,
// and (needs_confirmation) where keep rules that are new would remove something in the first run.
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
// schedule the program copy goes, too. not_found when no job and no entry has that name. Where its
// scheduler may hold an entry that cannot be seen, that scheduler's error, and everything stays.
Expected<RemovalResult> remove_schedule(const std::string& name, const Env& env,
                                        std::stop_token stop);

}  // namespace core
