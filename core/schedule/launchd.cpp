// Renders property lists and plans launchctl's calls.
#include "core/schedule/launchd.h"

#include "core/base/paths.h"
#include "core/schedule/quoting.h"

namespace core {

namespace {

// bootout returns before the agent is gone, and bootstrap fails until then.
constexpr int kBootstrapAttempts = 10;

RunCommand launchctl(const HostFacts& facts, std::vector<std::string> arguments) {
  RunCommand command;
  command.argv = {facts.launchctl};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

std::string domain(const HostFacts& facts) {
  return "gui/" + facts.uid;
}
std::string target(const std::string& name, const HostFacts& facts) {
  return domain(facts) + "/" + launchd_label(name);
}
fs::path plist_path(const std::string& name, const HostFacts& facts) {
  return facts.agents_folder / (launchd_label(name) + ".plist");
}

RunCommand bootout(const std::string& name, const HostFacts& facts) {
  RunCommand command = launchctl(facts, {"bootout", target(name, facts)});
  command.may_fail = true;
  return command;
}

class Launchd final : public Scheduler {
 public:
  SchedulerKind kind() const override { return SchedulerKind::launchd; }

  std::optional<Error> unusable(const HostFacts& facts) const override {
    if (facts.system != HostFacts::System::macos) {
      return Error{ErrorCode::unsupported, "launchd exists on macOS only.",
                   "Use the scheduler auto."};
    }
    if (facts.uid.empty()) {
      return Error{ErrorCode::unsupported, "The user's number could not be found out (id -u).",
                   "See that /usr/bin is in PATH."};
    }
    return std::nullopt;
  }

  Expected<SchedulePlan> plan_install(const BackupJob& job, const HostFacts& facts) const override {
    BPD_TRY_AS(plist, render_plist(job, facts));
    const fs::path path = plist_path(job.name, facts);
    SchedulePlan plan{SchedulerKind::launchd, {}, {}};
    // The folder of the two output files must exist, or launchd does not start the agent.
    plan.steps.emplace_back(WriteFile{launchd_output_path(job.name, facts.logs), "", kPrivateFile});
    plan.steps.emplace_back(WriteFile{path, std::move(*plist)});
    for (RunCommand& command : load_commands(job.name, facts)) {
      plan.steps.emplace_back(std::move(command));
    }
    return plan;
  }

  SchedulePlan plan_restore(const std::string& name, const std::optional<BackupJob>&,
                            const HostFacts& before, const HostFacts& now) const override {
    const auto plan =
        plan_former_files(kind(), {plist_path(name, now)}, before, load_commands(name, now));
    return plan ? *plan : plan_remove(name, now);
  }

  SchedulePlan plan_remove(const std::string& name, const HostFacts& facts) const override {
    SchedulePlan plan{SchedulerKind::launchd, {}, {}};
    plan.steps.emplace_back(bootout(name, facts));
    plan.steps.emplace_back(RemoveFile{plist_path(name, facts)});
    plan.steps.emplace_back(RemoveFile{launchd_output_path(name, facts.logs)});
    return plan;
  }

  // Without -k: an agent that RunAtLoad has just started must not be killed.
  Expected<SchedulePlan> plan_run(const std::string& name, const HostFacts& facts,
                                  std::chrono::milliseconds) const override {
    SchedulePlan plan{SchedulerKind::launchd, {}, {}};
    plan.steps.emplace_back(launchctl(facts, {"kickstart", target(name, facts)}));
    return plan;
  }

  bool run_waits() const override { return false; }

  std::vector<std::string> entries(const HostFacts& facts) const override {
    return entries_in(facts, facts.agents_folder, launchd_label(""), ".plist");
  }

  EntryCheck check_entry(const BackupJob& job, const HostFacts& facts) const override {
    const auto found = facts.files.find(plist_path(job.name, facts));
    if (found == facts.files.end()) return EntryCheck::missing;
    const auto wanted = render_plist(job, facts);
    return wanted && *wanted == found->second ? EntryCheck::as_written : EntryCheck::edited;
  }

  std::vector<RunCommand> queries(const std::vector<std::string>& names,
                                  const HostFacts& facts) const override {
    return {launchctl(facts, {"print", target(names.front(), facts)})};
  }

  // launchctl(1): the output of print is no interface, only its exit code is.
  EntryState read_state(const std::string& name,
                        const std::vector<CommandResult>& answers) const override {
    EntryState state;
    state.known = answers.size() == 1 && answers[0].exit_code == 0;
    state.active = state.known;
    if (!state.known) state.problem = "launchd has not loaded " + launchd_label(name);
    return state;
  }

  static std::vector<RunCommand> load_commands(const std::string& name, const HostFacts& facts) {
    RunCommand bootstrap =
        launchctl(facts, {"bootstrap", domain(facts), text_of(plist_path(name, facts))});
    bootstrap.attempts = kBootstrapAttempts;
    return {bootout(name, facts), launchctl(facts, {"enable", target(name, facts)}), bootstrap};
  }
};

std::string key_number(const std::string& indent, std::string_view key, long number) {
  return indent + "<key>" + std::string(key) + "</key>\n" + indent + "<integer>" +
         std::to_string(number) + "</integer>\n";
}

// A dictionary, or several, of when to start it.
std::string calendar_of(const BackupJob& job) {
  const long minutes = static_cast<long>(job.time.count());
  if (job.every_hours == 0) {
    return "  <dict>\n" + key_number("    ", "Hour", minutes / 60) +
           key_number("    ", "Minute", minutes % 60) + "  </dict>\n";
  }
  std::string list = "  <array>\n";
  for (const int minute : ask_minutes(job)) {
    list += "    <dict>\n" + key_number("      ", "Minute", minute) + "    </dict>\n";
  }
  return list + "  </array>\n";
}

std::string key_string(std::string_view key, const std::string& text) {
  return "  <key>" + std::string(key) + "</key>\n  <string>" + text + "</string>\n";
}

}  // namespace

std::string launchd_label(const std::string& name) {
  return "backup-plugin-db." + name;
}

fs::path launchd_output_path(const std::string& name, const fs::path& logs) {
  return logs / (name + ".launchd.log");
}

Expected<std::string> render_plist(const BackupJob& job, const HostFacts& facts) {
  BPD_TRY_AS(program, xml_text(text_of(facts.program)));
  BPD_TRY_AS(output, xml_text(text_of(launchd_output_path(job.name, facts.logs))));
  std::string arguments;
  for (const std::string& argument : {*program, std::string("run"), job.name,
                                      std::string("--scheduled"), std::string("--if-due")}) {
    arguments += "    <string>" + argument + "</string>\n";
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
         "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
         "<plist version=\"1.0\">\n<dict>\n" +
         key_string("Label", launchd_label(job.name)) +
         "  <key>ProgramArguments</key>\n  <array>\n" + arguments +
         "  </array>\n  <key>StartCalendarInterval</key>\n" + calendar_of(job) +
         "  <key>RunAtLoad</key>\n  <true/>\n" + key_string("ProcessType", "Background") +
         key_string("StandardOutPath", *output) + key_string("StandardErrorPath", *output) +
         "</dict>\n</plist>\n";
}

const Scheduler& launchd_scheduler() {
  static const Launchd launchd;
  return launchd;
}

}  // namespace core
