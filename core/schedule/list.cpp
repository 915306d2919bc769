// Puts together what jobs, schedulers and history say of each schedule.
#include "core/schedule/list.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/base/patience.h"
#include "core/schedule/due.h"
#include "core/schedule/install.h"
#include "core/schedule/installed_program.h"
#include "core/schedule/run_job.h"
#include "core/schedule/schedulers.h"
#include "core/schedule/success.h"

namespace core {

namespace {

constexpr std::size_t kRunsLookedAt = 200;
constexpr const char* kEdited =
    " is not as it was written: somebody edited it, or it is of another version.";
constexpr const char* kOutdated =
    " is of an earlier version: a night that fails or is cut short is not made up before the next.";

std::string install_again() {
  return " Run " + say(Action::install_schedule) + " again with this name.";
}

// What each destination answered; nothing where it hangs. Many schedules share one.
using Destinations = std::map<fs::path, std::optional<Expected<FileInfo>>>;

void check_paths(const BackupJob& job, Destinations& asked, const FileSystem& files,
                 const std::stop_token& stop, std::vector<ScheduleProblem>& problems) {
  const auto missing = [&](const std::string& what, const Expected<FileInfo>& info,
                           ProblemKind gone) {
    if (info) return;
    if (info.error().code == ErrorCode::permission_denied) {
      problems.push_back({what + " may not be read."});
    } else {
      problems.push_back({what + " is not there.", gone});
    }
  };
  missing((job.is_of_folder() ? "The folder " : "The source ") + text_of(job.place()),
          files.info(job.place()),
          job.is_of_folder() ? ProblemKind::other : ProblemKind::source_gone);
  const fs::path& destination = job.snapshot.destination;
  const auto [entry, is_new] = asked.try_emplace(destination);
  if (is_new) {
    entry->second = within(kPatience, text_of(destination), stop,
                           [&files, destination] { return files.info(destination); });
  }
  const auto& info = entry->second;
  const std::string what = "The destination " + text_of(destination);
  if (info) {
    missing(what, *info, ProblemKind::other);
  } else {
    problems.push_back({what + std::string(kSilentProblem)});
  }
}

// "0.2.0" before "0.10.0"; what is no number counts as 0.
std::array<int, 3> parts_of(const std::string& version) {
  std::array<int, 3> parts{};
  std::istringstream text(version);
  char dot = '.';
  for (int& part : parts) text >> part >> dot;
  return parts;
}

// The program that all schedules run.
struct ProgramState {
  bool runnable = false;
  std::string problem;  // empty: none
};

ProgramState look_at_program(const HostFacts& facts, const Env& env) {
  const std::string what = "The program that it runs, " + text_of(facts.program);
  const auto info = env.files.info(facts.program);
  if (!info) return {false, what + ", is missing." + install_again()};
  if ((info->mode & 0100) == 0) return {false, what + ", may not be executed." + install_again()};
  const auto record = read_program_record(env.places.data, env.files);
  if (!record || parts_of(record->version) >= parts_of(BPD_VERSION)) return {true, ""};
  return {true, "The program that it runs is of version " + record->version +
                    ", older than this one (" + BPD_VERSION + ")." + install_again()};
}

// What the schedulers say of all entries at once, asked for when the first one is wanted.
class States {
 public:
  explicit States(const std::vector<BackupJob>& jobs) {
    for (const BackupJob& job : jobs) names_[job.scheduler].push_back(job.name);
  }
  const EntryState& of(const BackupJob& job, const HostFacts& facts, const Env& env,
                       const std::stop_token& stop) {
    auto& states = states_[job.scheduler];
    if (states.empty()) {
      states = ask_states(scheduler_of(job.scheduler), names_[job.scheduler], facts, env, stop);
    }
    return states[job.name];
  }

 private:
  std::map<SchedulerKind, std::vector<std::string>> names_;
  std::map<SchedulerKind, std::map<std::string, EntryState>> states_;
};

void check_scheduler(ScheduleStatus& status, States& states, const HostFacts& facts, const Env& env,
                     std::stop_token stop) {
  const BackupJob& job = *status.job;
  const Scheduler& scheduler = scheduler_of(job.scheduler);
  const std::string kind(to_string(job.scheduler));
  const auto unusable = scheduler.unusable(facts);
  const EntryCheck check = scheduler.check_entry(job, facts);
  switch (check) {
    case EntryCheck::missing:
      // A crontab that cannot be read may well hold it.
      status.problems.push_back({unusable
                                     ? unusable->message + " " + unusable->hint
                                     : "Its entry in " + kind + " is missing." + install_again()});
      break;
    case EntryCheck::outdated:
    case EntryCheck::edited:
      status.problems.push_back({"Its entry in " + kind +
                                 (check == EntryCheck::outdated ? kOutdated : kEdited) +
                                 install_again()});
      [[fallthrough]];
    case EntryCheck::as_written: {
      status.scheduler = job.scheduler;
      if (unusable) {
        status.problems.push_back({unusable->message + " " + unusable->hint});
        break;
      }
      const EntryState state = states.of(job, facts, env, stop);
      if (!state.problem.empty()) status.problems.push_back({state.problem + "."});
      // The scheduler itself asks more often than a run is due.
      if (state.active)
        status.next_run = due_period(env.clock, due_times(job), env.clock.now()).end;
      break;
    }
  }
  for (const SchedulerKind other : schedulers_for(facts.system)) {
    if (other != job.scheduler && holds_entry(scheduler_of(other), job.name, facts)) {
      status.problems.push_back({"There is a second entry of it in " +
                                 std::string(to_string(other)) + "." + install_again()});
    }
  }
}

// An alert that reaches nobody is worth as much as none.
void check_alerts(const RunRecord& run, std::vector<ScheduleProblem>& problems) {
  for (const Warning& warning : run.warnings) {
    const std::string said = "In its last run, " + warning.text;
    if (warning.kind == WarningKind::ping) {
      problems.push_back({said + " See that curl is there and the address is right."});
    } else if (warning.kind == WarningKind::on_failure) {
      problems.push_back({said + " Try the command by hand."});
    }
  }
}

// The newest runs of each schedule, by what tells of it.
class Runs {
 public:
  explicit Runs(const Env& env) {
    RunFilter filter;
    filter.limit = kMaxRuns;
    auto runs = list_runs(filter, env);
    if (!runs) {
      problem_ = "Its history cannot be read: " + runs.error().message + " " + runs.error().hint;
      return;
    }
    for (RunRecord& run : *runs) {
      if (run.schedule.empty()) continue;
      auto& own = runs_[{run.schedule, run.kind}];
      if (own.size() < kRunsLookedAt) own.push_back(std::move(run));
    }
  }
  const std::vector<RunRecord>& of(const BackupJob& job) {
    return runs_[{job.name, job.run_kind()}];
  }
  const std::string& problem() const { return problem_; }

 private:
  std::map<std::pair<std::string, std::string>, std::vector<RunRecord>> runs_;
  std::string problem_;  // empty: none
};

void check_runs(ScheduleStatus& status, Runs& all, const Env& env) {
  const BackupJob& job = *status.job;
  if (!all.problem().empty()) status.problems.push_back({all.problem()});
  const std::vector<RunRecord>& runs = all.of(job);
  const std::vector<Instant> successes = successes_of(job, runs, env);
  if (!runs.empty()) status.last_run = runs.front();
  if (!successes.empty()) status.last_success = successes.front();
  if (status.last_run && !status.last_run->ok) {
    status.problems.push_back(
        {"Its last run failed: " + status.last_run->error_code + ": " + status.last_run->error,
         ProblemKind::last_run_failed});
  }
  if (status.last_run) check_alerts(*status.last_run, status.problems);
  const Instant now = env.clock.now();
  const auto owed = owed_since(env.clock, due_times(job), now, job.scheduled_since, successes);
  status.overdue = owed && now - *owed > kOverdueGrace;
  if (status.overdue) {
    status.problems.push_back(
        {"Overdue: no good run since it was due at " + format_instant(*owed) + ".",
         ProblemKind::overdue});
  }
}

}  // namespace

ScheduleList list_schedules(const Env& env, std::stop_token stop) {
  ScheduleList list;
  std::vector<UnusableJob> unusable;
  const auto jobs = list_jobs(env.places, env.files, unusable);
  const HostFacts facts = gather_host_facts(env, stop);
  States states(jobs);
  Runs runs(env);
  const ProgramState program = look_at_program(facts, env);
  Destinations destinations;

  std::map<std::string, ScheduleStatus> by_name;
  std::set<std::string> damaged;
  for (const BackupJob& job : jobs) by_name[job.name].job = job;
  for (const UnusableJob& job : unusable) {
    if (job.name.empty()) {
      list.warnings.push_back(job.why);
    } else {
      by_name[job.name].problems.push_back({job.why});
      damaged.insert(job.name);
    }
  }
  for (const SchedulerKind kind : schedulers_for(facts.system)) {
    for (const std::string& name : scheduler_of(kind).entries(facts)) {
      ScheduleStatus& status = by_name[name];
      if (status.job) continue;
      status.scheduler = kind;
      if (damaged.count(name) != 0) continue;  // the problem with its job file says it all
      status.problems.push_back({"It has an entry in " + std::string(to_string(kind)) +
                                 " but no job file. Run " + say(Action::install_schedule) +
                                 " with this name and its source, or " +
                                 say(Action::remove_schedule) + "."});
    }
  }
  bool uses_systemd = false, uses_cron = false, uses_windows = false;
  for (auto& [name, status] : by_name) {
    status.name = name;
    if (status.job) {
      check_scheduler(status, states, facts, env, stop);
      status.broken = !status.scheduler || !program.runnable;
      if (!program.problem.empty()) status.problems.push_back({program.problem});
      check_paths(*status.job, destinations, env.files, stop, status.problems);
      check_runs(status, runs, env);
      uses_systemd |= status.job->scheduler == SchedulerKind::systemd;
      uses_cron |= status.job->scheduler == SchedulerKind::cron;
      uses_windows |= status.job->scheduler == SchedulerKind::windows;
    }
    list.schedules.push_back(std::move(status));
  }
  if (uses_systemd && !facts.linger) list.warnings.push_back(linger_warning(facts));
  if (uses_cron && !facts.cron_running) list.warnings.push_back(cron_warning());
  if (uses_windows) list.warnings.push_back(logon_warning());
  if (facts.wsl && !by_name.empty()) list.warnings.push_back(wsl_warning());
  return list;
}

}  // namespace core
