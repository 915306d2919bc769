// What is done to the machine for a schedule, as a value: schedulers plan it, apply() does it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "core/base/env.h"
#include "core/schedule/host_facts.h"
#include "core/schedule/job.h"

namespace core {

struct WriteFile {
  fs::path path;
  std::string text;  // UTF-8
  std::uint32_t mode = 0644;
  bool utf16 = false;  // written as UTF-16LE with a byte order mark
};
// Fine where there is none.
struct RemoveFile {
  fs::path path;
};
struct RunCommand {
  std::vector<std::string> argv;
  std::string input;
  std::map<std::string, std::string> environment;  // on top of ours
  std::chrono::milliseconds timeout{30'000};
  bool may_fail = false;  // its failure changes nothing: stopping what does not run
  int attempts = 1;       // kAttemptPause apart
  // Fails when a line of standard error holds this, whatever the exit code.
  std::string forbidden_complaint;
};
using PlanStep = std::variant<WriteFile, RemoveFile, RunCommand>;

struct SchedulePlan {
  SchedulerKind scheduler = SchedulerKind::systemd;
  std::vector<PlanStep> steps;  // in this order
  std::vector<std::string> warnings;
};

// A step as a person would do it: "write /…/x.timer (0644)", "run systemctl --user daemon-reload".
std::string describe(const PlanStep& step);

inline constexpr std::chrono::milliseconds kAttemptPause{1000};

// The only hand on the machine. Stops at the first step that fails and says which; steps done
// before stay done. A stop request ends it between steps (cancelled).
Expected<> apply(const SchedulePlan& plan, const Env& env, std::stop_token stop);

// What a scheduler says of an entry.
struct EntryState {
  bool known = false;   // it is there, and as we wrote it if the scheduler can tell
  bool active = false;  // it will fire
  std::string problem;  // in the scheduler's words; empty: none
};

// outdated: as an earlier version of this program wrote it.
enum class EntryCheck { missing, edited, outdated, as_written };

// One of the schedulers. Pure: facts in, plan or reading out. Stateless, thread-safe.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual SchedulerKind kind() const = 0;

  // Why this scheduler cannot be used here (unsupported, with what to do); nothing when it can.
  virtual std::optional<Error> unusable(const HostFacts& facts) const = 0;

  // Adds the job's entry or brings it up to date, leaving everything else as it is.
  virtual Expected<SchedulePlan> plan_install(const BackupJob& job,
                                              const HostFacts& facts) const = 0;
  // Removes the entry of that name; works on what is left of one, too.
  virtual SchedulePlan plan_remove(const std::string& name, const HostFacts& facts) const = 0;
  // Brings the entry back to what `before` shows of it: to its former text, or away. `former_job`
  // is the job that it was of, if that can be told. `now` is the machine as it is.
  virtual SchedulePlan plan_restore(const std::string& name,
                                    const std::optional<BackupJob>& former_job,
                                    const HostFacts& before, const HostFacts& now) const = 0;
  // Makes the scheduler run the entry once, now; or does what it would do, where it has no such
  // command. `timeout` bounds a plan that waits for the run's end.
  virtual Expected<SchedulePlan> plan_run(const std::string& name, const HostFacts& facts,
                                          std::chrono::milliseconds timeout) const = 0;
  // True if plan_run's plan ends when the run has ended.
  virtual bool run_waits() const = 0;

  // True where there may be entries that nobody can see: a table that may not be read.
  virtual bool may_hide_entries(const HostFacts&) const { return false; }
  // Names of the entries of ours that this scheduler holds, with or without a job.
  virtual std::vector<std::string> entries(const HostFacts& facts) const = 0;
  virtual EntryCheck check_entry(const BackupJob& job, const HostFacts& facts) const = 0;
  // Commands that ask for the states of entries, and how to read their answers, in that order.
  virtual std::vector<RunCommand> queries(const std::vector<std::string>& names,
                                          const HostFacts& facts) const = 0;
  // False where queries must be for one name at a time.
  virtual bool tells_of_many() const { return false; }
  virtual EntryState read_state(const std::string& name,
                                const std::vector<CommandResult>& answers) const = 0;
};

// Whether it holds an entry of that name.
bool holds_entry(const Scheduler& scheduler, const std::string& name, const HostFacts& facts);
// What users are told of a machine where runs may not happen.
std::string linger_warning(const HostFacts& facts);
std::string cron_warning();
std::string logon_warning();
std::string wsl_warning();

// What `entries` and `check_entry` are for schedulers that keep an entry in files of their own.
std::vector<std::string> entries_in(const HostFacts& facts, const fs::path& folder,
                                    std::string_view prefix, std::string_view suffix);
EntryCheck check_files(const Expected<SchedulePlan>& install, const HostFacts& facts);
// A plan that writes these files of `before` anew and runs `commands`; nothing when one of the
// files is not there.
std::optional<SchedulePlan> plan_former_files(SchedulerKind kind,
                                              const std::vector<fs::path>& paths,
                                              const HostFacts& before,
                                              const std::vector<RunCommand>& commands);

}  // namespace core
