// Renders task definitions and plans schtasks' calls.
#include "core/schedule/windows.h"

#include "core/base/paths.h"
#include "core/schedule/due.h"
#include "core/schedule/quoting.h"

namespace core {

namespace {

std::string task_name(const std::string& name) {
  return std::string(kEntryPrefix) + name;
}

RunCommand schtasks(const HostFacts& facts, std::vector<std::string> arguments) {
  RunCommand command;
  command.argv = {facts.schtasks};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

// What of a definition, as schtasks prints it, are ASCII characters: it comes in UTF-16 or in the
// console's code page, of which all have those. Nothing that is looked for is more.
std::string ascii_of(std::string_view printed) {
  std::string text;
  for (const char c : printed) {
    if (c != '\0' && (c & 0x80) == 0) text += c;
  }
  return text;
}

bool disables(const std::string& definition, const std::string& element) {
  const std::size_t begin = definition.find("<" + element + ">");
  if (begin == std::string::npos) return false;
  const std::size_t end = definition.find("</" + element + ">", begin);
  return definition.substr(begin, end - begin).find("<Enabled>false</Enabled>") !=
         std::string::npos;
}

class Windows final : public Scheduler {
 public:
  SchedulerKind kind() const override { return SchedulerKind::windows; }

  std::optional<Error> unusable(const HostFacts& facts) const override {
    if (facts.system != HostFacts::System::windows) {
      return Error{ErrorCode::unsupported, "The Windows Task Scheduler exists on Windows only.",
                   "Use the scheduler auto."};
    }
    if (!facts.hidden_from_others) return std::nullopt;
    return Error{ErrorCode::unsupported,
                 "An app of the Microsoft Store started this program, and Windows keeps what such "
                 "apps write below AppData to them: the Task Scheduler would not find the job.",
                 "Install the schedule with this program in a terminal, or have the app start it "
                 "with XDG_STATE_HOME, XDG_CONFIG_HOME and XDG_DATA_HOME set to folders outside "
                 "AppData."};
  }

  Expected<SchedulePlan> plan_install(const BackupJob& job, const HostFacts& facts) const override {
    BPD_TRY_AS(task, render_task(job, facts));
    const fs::path path = facts.task_folder / (task_name(job.name) + ".xml");
    SchedulePlan plan{SchedulerKind::windows, {}, {}};
    plan.steps.emplace_back(WriteFile{path, std::move(*task), kPrivateFile, true});
    plan.steps.emplace_back(
        schtasks(facts, {"/create", "/tn", task_name(job.name), "/xml", text_of(path), "/f"}));
    // The Task Scheduler keeps a copy of its own.
    plan.steps.emplace_back(RemoveFile{path});
    plan.warnings.push_back(logon_warning());
    return plan;
  }

  SchedulePlan plan_remove(const std::string& name, const HostFacts& facts) const override {
    SchedulePlan plan{SchedulerKind::windows, {}, {}};
    if (facts.tasks.count(name) != 0) {
      RunCommand end = schtasks(facts, {"/end", "/tn", task_name(name)});
      end.may_fail = true;
      plan.steps.emplace_back(end);
      plan.steps.emplace_back(schtasks(facts, {"/delete", "/tn", task_name(name), "/f"}));
    }
    return plan;
  }

  // The Task Scheduler's own form of a definition is not kept: the former job is installed again.
  SchedulePlan plan_restore(const std::string& name, const std::optional<BackupJob>& former_job,
                            const HostFacts& before, const HostFacts& now) const override {
    if (former_job && before.tasks.count(name) != 0) {
      if (auto plan = plan_install(*former_job, now)) return *plan;
    }
    return plan_remove(name, now);
  }

  Expected<SchedulePlan> plan_run(const std::string& name, const HostFacts& facts,
                                  std::chrono::milliseconds) const override {
    SchedulePlan plan{SchedulerKind::windows, {}, {}};
    plan.steps.emplace_back(schtasks(facts, {"/run", "/tn", task_name(name)}));
    return plan;
  }

  bool run_waits() const override { return false; }

  std::vector<std::string> entries(const HostFacts& facts) const override {
    return {facts.tasks.begin(), facts.tasks.end()};
  }

  // The Task Scheduler hands definitions back in another form, so only presence can be told.
  EntryCheck check_entry(const BackupJob& job, const HostFacts& facts) const override {
    return facts.tasks.count(job.name) != 0 ? EntryCheck::as_written : EntryCheck::missing;
  }

  std::vector<RunCommand> queries(const std::vector<std::string>& names,
                                  const HostFacts& facts) const override {
    return {schtasks(facts, {"/query", "/tn", task_name(names.front()), "/xml"})};
  }

  EntryState read_state(const std::string& name,
                        const std::vector<CommandResult>& answers) const override {
    EntryState state;
    state.known = answers.size() == 1 && answers[0].exit_code == 0;
    if (!state.known) {
      state.problem = "the Task Scheduler has no task " + task_name(name);
      return state;
    }
    const std::string definition = ascii_of(answers[0].output);
    if (disables(definition, "Settings")) {
      state.problem = "the task " + task_name(name) + " is disabled";
    } else if (disables(definition, "Triggers")) {
      state.problem = "the trigger of the task " + task_name(name) + " is disabled";
    }
    state.active = state.problem.empty();
    return state;
  }
};

std::string description_of(const BackupJob& job) {
  if (job.every_hours == 0) return "Nightly database snapshot '" + job.name + "'";
  return "Database snapshot '" + job.name + "', " + describe_times(job);
}

// A run that failed, or a start that was missed for good, is tried again within the hour; by the
// hour, within a quarter of one.
std::string trigger_of(const BackupJob& job) {
  const bool hourly = job.every_hours > 0;
  const std::chrono::minutes first{hourly ? ask_minutes(job).front() : job.time.count()};
  return "    <CalendarTrigger>\n      <StartBoundary>2020-01-01T" + format_time_of_day(first) +
         ":00</StartBoundary>\n      <Repetition>\n        <Interval>" +
         (hourly ? "PT" + std::to_string(kAskEveryMinutes) + "M" : "PT1H") +
         "</Interval>\n        <Duration>P1D</Duration>\n      </Repetition>\n"
         "      <ScheduleByDay>\n        <DaysInterval>1</DaysInterval>\n      </ScheduleByDay>\n"
         "    </CalendarTrigger>\n";
}

tl::unexpected<Error> refuse_expansion(const std::string& path) {
  return fail(ErrorCode::invalid_argument,
              "The Task Scheduler may expand '%' and '$(' in '" + path + "'.",
              "Set XDG_DATA_HOME to a folder whose path has neither.");
}

}  // namespace

Expected<std::string> render_task(const BackupJob& job, const HostFacts& facts) {
  const std::string program = text_of(facts.program);
  if (program.find('%') != std::string::npos || program.find("$(") != std::string::npos) {
    return refuse_expansion(program);
  }
  // conhost --headless gives the console program a console without a window.
  BPD_TRY_AS(arguments, windows_arguments(
                            {"--headless", program, "run", job.name, "--scheduled", "--if-due"}));
  BPD_TRY_AS(escaped, xml_text(*arguments));
  return "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n"
         "<Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\n"
         "  <RegistrationInfo>\n    <Description>" +
         description_of(job) +
         " (backup-plugin-db)</Description>\n  </RegistrationInfo>\n  <Triggers>\n" +
         trigger_of(job) +
         "  </Triggers>\n"
         "  <Principals>\n    <Principal id=\"Author\">\n"
         "      <LogonType>InteractiveToken</LogonType>\n"
         "      <RunLevel>LeastPrivilege</RunLevel>\n    </Principal>\n  </Principals>\n"
         "  <Settings>\n    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\n"
         "    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\n"
         "    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>\n"
         "    <AllowHardTerminate>true</AllowHardTerminate>\n"
         "    <StartWhenAvailable>true</StartWhenAvailable>\n"
         "    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>\n"
         "    <AllowStartOnDemand>true</AllowStartOnDemand>\n    <Enabled>true</Enabled>\n"
         "    <Hidden>false</Hidden>\n    <WakeToRun>false</WakeToRun>\n"
         "    <ExecutionTimeLimit>PT4H</ExecutionTimeLimit>\n    <Priority>7</Priority>\n"
         "  </Settings>\n  <Actions Context=\"Author\">\n    <Exec>\n"
         "      <Command>%SystemRoot%\\System32\\conhost.exe</Command>\n      <Arguments>" +
         *escaped + "</Arguments>\n    </Exec>\n  </Actions>\n</Task>\n";
}

std::string logon_warning() {
  return "The Task Scheduler runs tasks of ours only while their user is logged on; what was "
         "missed "
         "is made up for within an hour of the next logon.";
}

const Scheduler& windows_scheduler() {
  static const Windows windows;
  return windows;
}

}  // namespace core
