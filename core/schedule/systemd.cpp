// Renders service and timer units, and reads systemctl's answers.
#include "core/schedule/systemd.h"

#include "core/base/paths.h"
#include "core/schedule/due.h"
#include "core/schedule/quoting.h"

namespace core {

namespace {

std::string unit_name(const std::string& name, std::string_view suffix) {
  return std::string(kEntryPrefix) + name + std::string(suffix);
}
std::string service_name(const std::string& name) {
  return unit_name(name, ".service");
}
std::string timer_name(const std::string& name) {
  return unit_name(name, ".timer");
}

RunCommand systemctl(const HostFacts& facts, std::vector<std::string> arguments) {
  RunCommand command;
  command.argv = {facts.systemctl, "--user"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  if (!facts.runtime_folder.empty()) command.environment["XDG_RUNTIME_DIR"] = facts.runtime_folder;
  command.environment["LC_ALL"] = "C";
  return command;
}

RunCommand optional_systemctl(const HostFacts& facts, std::vector<std::string> arguments) {
  RunCommand command = systemctl(facts, std::move(arguments));
  command.may_fail = true;
  return command;
}

// Seccomp filters only: what needs mount namespaces fails in a user manager without user
// namespaces, and would hide sources in unusual places.
constexpr std::string_view kHardening =
    "NoNewPrivileges=yes\n"
    "RestrictSUIDSGID=yes\n"
    "RestrictNamespaces=yes\n"
    "RestrictRealtime=yes\n"
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n"
    "LockPersonality=yes\n"
    "MemoryDenyWriteExecute=yes\n"
    "SystemCallArchitectures=native\n";

Expected<std::string> service_text(const BackupJob& job, const HostFacts& facts,
                                   std::vector<std::string> words) {
  words.insert(words.begin(), text_of(facts.program));
  BPD_TRY_AS(command, systemd_command(words));
  std::string text =
      "# Written by backup-plugin-db install_schedule, which overwrites it. Settings of your own,\n"
      "# such as OnFailure=, go into a drop-in: systemctl --user edit " +
      service_name(job.name) + "\n\n[Unit]\nDescription=Database snapshot '" + job.name +
      "' (backup-plugin-db)\n\n[Service]\nType=oneshot\nExecStart=" + *command +
      "\n# Three attempts of an hour at most, ten minutes apart.\nTimeoutStartSec=4h\n"
      "Nice=10\nIOSchedulingClass=best-effort\nIOSchedulingPriority=7\nUMask=0077\n";
  if (job.on_failure.empty()) {
    text += kHardening;
  } else {
    text += "# Not hardened further: the on_failure command may need privileges of its own.\n";
  }
  return text;
}

// Every hour asks for what was missed, cut short or failed; the program knows whether it is due.
constexpr std::string_view kHourly = "OnCalendar=*-*-* *:00:00\n";
constexpr std::string_view kCatchUp =
    "# A run that was missed, cut short or failed is made up within the hour, or at the next "
    "login.\n";
constexpr std::string_view kFirstCatchUp =
    "# Runs missed while the machine was off are caught up.\n";
constexpr std::string_view kQuickCatchUp =
    "# A run that was missed, cut short or failed is made up within a quarter of an hour, or at "
    "the "
    "next login.\n";

std::string hourly_timer_text(const BackupJob& job) {
  std::string minutes;
  for (const int minute : ask_minutes(job)) {
    minutes +=
        (minutes.empty() ? "" : ",") + std::string(minute < 10 ? "0" : "") + std::to_string(minute);
  }
  return "# Written by backup-plugin-db install_schedule, which overwrites it.\n\n"
         "[Unit]\nDescription=Database snapshot '" +
         job.name + "', " + describe_times(job) +
         " (backup-plugin-db)\n\n[Timer]\nOnCalendar=*-*-* *:" + minutes +
         ":00\nAccuracySec=1min\n" + std::string(kQuickCatchUp) +
         "Persistent=true\n\n[Install]\nWantedBy=timers.target\n";
}

std::string timer_text(const BackupJob& job, std::string_view more_times,
                       std::string_view catch_up) {
  return "# Written by backup-plugin-db install_schedule, which overwrites it.\n\n"
         "[Unit]\nDescription=Nightly database snapshot '" +
         job.name + "' (backup-plugin-db)\n\n[Timer]\nOnCalendar=*-*-* " +
         format_time_of_day(job.time) + ":00\n" + std::string(more_times) + "AccuracySec=1min\n" +
         std::string(catch_up) + "Persistent=true\n\n[Install]\nWantedBy=timers.target\n";
}

// Of one unit among those that were asked for: an empty line stands between them.
std::map<std::string, std::string> properties(std::string_view text, const std::string& unit) {
  std::map<std::string, std::string> found;
  const std::string id = "Id=" + unit + "\n";
  const std::size_t begin = text.starts_with(id) ? 0 : text.find("\n" + id);
  if (begin == std::string_view::npos) return found;
  text = text.substr(begin == 0 ? 0 : text.rfind("\n\n", begin) + 1);
  if (text.starts_with('\n')) text.remove_prefix(1);
  text = text.substr(0, text.find("\n\n"));
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto equals = line.find('=');
    if (equals != std::string_view::npos) {
      found.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
  }
  return found;
}

class Systemd final : public Scheduler {
 public:
  SchedulerKind kind() const override { return SchedulerKind::systemd; }

  std::optional<Error> unusable(const HostFacts& facts) const override {
    if (facts.user_bus) return std::nullopt;
    if (!facts.systemd_booted) {
      return Error{ErrorCode::unsupported, "systemd does not run this machine.",
                   facts.wsl ? "In WSL, set systemd=true under [boot] in /etc/wsl.conf and run "
                               "`wsl --shutdown`; or use the scheduler cron."
                             : "Use the scheduler cron."};
    }
    return Error{ErrorCode::unsupported,
                 "The user's systemd instance does not answer: " + facts.user_bus_problem,
                 "Log in as this user (not through su or sudo), or run `loginctl enable-linger " +
                     facts.user + "`; or use the scheduler cron."};
  }

  Expected<SchedulePlan> plan_install(const BackupJob& job, const HostFacts& facts) const override {
    BPD_TRY_AS(service, render_service(job, facts));
    const std::string timer = timer_name(job.name);
    const fs::path service_path = facts.unit_folder / service_name(job.name);
    const fs::path timer_path = facts.unit_folder / timer;
    SchedulePlan plan{SchedulerKind::systemd, {}, {}};
    plan.steps.emplace_back(WriteFile{service_path, std::move(*service)});
    plan.steps.emplace_back(WriteFile{timer_path, render_timer(job)});
    // Only complaints about these two count: verify also loads, and judges, other people's units.
    RunCommand verify = systemctl(facts, {});
    verify.argv = {facts.systemd_analyze, "--user", "verify", text_of(service_path),
                   text_of(timer_path)};
    verify.may_fail = true;
    verify.forbidden_complaint = unit_name(job.name, ".");
    plan.steps.emplace_back(verify);
    for (RunCommand& command : start_commands(job.name, facts)) {
      plan.steps.emplace_back(std::move(command));
    }
    if (!facts.linger) plan.warnings.push_back(linger_warning(facts));
    return plan;
  }

  SchedulePlan plan_remove(const std::string& name, const HostFacts& facts) const override {
    const std::string timer = timer_name(name);
    const std::string service = service_name(name);
    SchedulePlan plan{SchedulerKind::systemd, {}, {}};
    if (facts.user_bus) {
      plan.steps.emplace_back(optional_systemctl(facts, {"disable", "--now", timer}));
      plan.steps.emplace_back(optional_systemctl(facts, {"stop", service}));
      plan.steps.emplace_back(optional_systemctl(facts, {"clean", "--what=state", timer}));
    }
    plan.steps.emplace_back(RemoveFile{facts.unit_folder / "timers.target.wants" / timer});
    plan.steps.emplace_back(RemoveFile{facts.unit_folder / timer});
    plan.steps.emplace_back(RemoveFile{facts.unit_folder / service});
    plan.steps.emplace_back(
        RemoveFile{facts.home / ".local/share/systemd/timers" / ("stamp-" + timer)});
    if (facts.user_bus) {
      plan.steps.emplace_back(systemctl(facts, {"daemon-reload"}));
      plan.steps.emplace_back(optional_systemctl(facts, {"reset-failed", service, timer}));
    }
    for (const std::string& unit : {service, timer}) {
      if (facts.drop_ins.count(unit + ".d") != 0) {
        plan.warnings.push_back("Your own drop-in folder stays: " +
                                text_of(facts.unit_folder / (unit + ".d")));
      }
    }
    return plan;
  }

  SchedulePlan plan_restore(const std::string& name, const std::optional<BackupJob>&,
                            const HostFacts& before, const HostFacts& now) const override {
    std::vector<RunCommand> commands = start_commands(name, now);
    commands.insert(commands.begin(), optional_systemctl(now, {"stop", service_name(name)}));
    const auto plan = plan_former_files(
        kind(), {now.unit_folder / service_name(name), now.unit_folder / timer_name(name)}, before,
        commands);
    return plan ? *plan : plan_remove(name, now);
  }

  Expected<SchedulePlan> plan_run(const std::string& name, const HostFacts& facts,
                                  std::chrono::milliseconds timeout) const override {
    SchedulePlan plan{SchedulerKind::systemd, {}, {}};
    RunCommand start = systemctl(facts, {"start", service_name(name)});
    start.timeout = timeout;
    plan.steps.emplace_back(start);
    return plan;
  }

  bool run_waits() const override { return true; }

  std::vector<std::string> entries(const HostFacts& facts) const override {
    return entries_in(facts, facts.unit_folder, kEntryPrefix, ".timer");
  }

  EntryCheck check_entry(const BackupJob& job, const HostFacts& facts) const override {
    const EntryCheck check = check_files(plan_install(job, facts), facts);
    if (check != EntryCheck::edited) return check;
    return is_of_first_version(job, facts) ? EntryCheck::outdated : EntryCheck::edited;
  }

  std::vector<RunCommand> queries(const std::vector<std::string>& names,
                                  const HostFacts& facts) const override {
    std::vector<std::string> timers{"show", "-p",
                                    "Id,LoadState,ActiveState,UnitFileState,LoadError"};
    std::vector<std::string> services{"show", "-p", "Id,LoadState,Result,ExecMainStatus"};
    for (const std::string& name : names) {
      timers.push_back(timer_name(name));
      services.push_back(service_name(name));
    }
    return {systemctl(facts, std::move(timers)), systemctl(facts, std::move(services))};
  }

  bool tells_of_many() const override { return true; }

  EntryState read_state(const std::string& name,
                        const std::vector<CommandResult>& answers) const override {
    EntryState state;
    if (answers.size() != 2 || answers[0].exit_code != 0) {
      state.problem = "systemctl does not answer for " + timer_name(name);
      return state;
    }
    const auto timer = properties(answers[0].output, timer_name(name));
    const auto value = [](const auto& map, const char* key) {
      const auto found = map.find(key);
      return found == map.end() ? std::string() : found->second;
    };
    state.known = value(timer, "LoadState") == "loaded";
    state.active = state.known && value(timer, "ActiveState") == "active" &&
                   value(timer, "UnitFileState") == "enabled";
    if (!state.known) {
      state.problem = timer_name(name) + " is " + value(timer, "LoadState");
    } else if (!state.active) {
      state.problem = timer_name(name) + " is " + value(timer, "ActiveState") + " and " +
                      value(timer, "UnitFileState");
    }
    const auto service = properties(answers[1].output, service_name(name));
    const std::string result = value(service, "Result");
    if (state.problem.empty() && !result.empty() && result != "success") {
      state.problem = service_name(name) + " ended with " + result + " (status " +
                      value(service, "ExecMainStatus") + ")";
    }
    return state;
  }

 private:
  // Units that asked once a day, and left what went wrong then to the next.
  static bool is_of_first_version(const BackupJob& job, const HostFacts& facts) {
    if (job.every_hours > 0) return false;
    const auto text = [&](const std::string& unit) {
      const auto found = facts.files.find(facts.unit_folder / unit);
      return found == facts.files.end() ? std::string() : found->second;
    };
    const auto service = service_text(job, facts, {"run", job.name, "--scheduled"});
    return service && text(service_name(job.name)) == *service &&
           text(timer_name(job.name)) == timer_text(job, "", kFirstCatchUp);
  }

  static std::vector<RunCommand> start_commands(const std::string& name, const HostFacts& facts) {
    const std::string timer = timer_name(name);
    // A new time counts from now: with the old stamp, Persistent= would run for a time that was
    // set only after it had passed.
    return {systemctl(facts, {"daemon-reload"}), optional_systemctl(facts, {"stop", timer}),
            optional_systemctl(facts, {"clean", "--what=state", timer}),
            systemctl(facts, {"enable", "--now", timer})};
  }
};

}  // namespace

Expected<std::string> render_service(const BackupJob& job, const HostFacts& facts) {
  return service_text(job, facts, {"run", job.name, "--scheduled", "--if-due"});
}

std::string render_timer(const BackupJob& job) {
  return job.every_hours > 0 ? hourly_timer_text(job) : timer_text(job, kHourly, kCatchUp);
}

std::string linger_warning(const HostFacts& facts) {
  return "Backups run only while '" + facts.user +
         "' is logged in; what was missed is made up at the next login. To let them run always: "
         "`loginctl enable-linger " +
         facts.user + "`.";
}

const Scheduler& systemd_scheduler() {
  static const Systemd systemd;
  return systemd;
}

}  // namespace core
