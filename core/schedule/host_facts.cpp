// Asks the machine what it offers for schedules.
#include "core/schedule/host_facts.h"

#include <algorithm>
#include <cctype>

#include "core/base/paths.h"
#include "core/schedule/installed_program.h"
#include "core/schedule/job.h"

namespace core {

namespace {

constexpr std::uint64_t kMaxEntryBytes = 256 * 1024;
constexpr std::size_t kMaxEntries = 20'000;
// A truncated table must never be written back: one that fills this is refused.
constexpr std::size_t kMaxCrontabBytes = 1 << 20;
constexpr std::chrono::milliseconds kQueryTimeout{10'000};
constexpr std::string_view kLaunchdPrefix = "backup-plugin-db.";

std::string variable(const Places& places, const std::string& key, const std::string& fallback) {
  const auto found = places.variables.find(key);
  return found == places.variables.end() ? fallback : found->second;
}

std::string first_line(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  while (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return std::string(text);
}

bool exists(const FileSystem& files, const fs::path& path) {
  return files.info(path).has_value();
}

// Runs a question; nothing when the program is missing or hangs.
Expected<CommandResult> ask(const Env& env, std::stop_token stop, std::vector<std::string> argv,
                            std::map<std::string, std::string> environment = {}) {
  environment["LC_ALL"] = "C";
  Command command{std::move(argv), {}, std::move(environment), kQueryTimeout, kMaxCrontabBytes};
  auto result = env.commands.run(command, stop);
  if (result && result->timed_out) {
    return fail(ErrorCode::timed_out, "`" + command.argv[0] + "` did not answer in time.");
  }
  return result;
}

void read_entries(HostFacts& facts, const fs::path& folder, std::string_view prefix,
                  const FileSystem& files) {
  const auto entries = files.list(folder, kMaxEntries);
  if (!entries) return;
  for (const DirEntry& entry : *entries) {
    if (!entry.name.starts_with(prefix)) continue;
    if (entry.kind == FileInfo::Kind::folder) {
      facts.drop_ins.insert(entry.name);
    } else if (const auto text = files.read(folder / entry.name, kMaxEntryBytes)) {
      facts.files[folder / entry.name] = *text;
    }
  }
}

// The manager may have another XDG_CONFIG_HOME than we do: it tells where it looks.
fs::path find_unit_folder(const HostFacts& facts, const Env& env, std::stop_token stop,
                          const std::map<std::string, std::string>& environment) {
  const fs::path ordinary = env.places.home / ".config/systemd/user";
  const fs::path configured = env.places.config.parent_path() / "systemd/user";
  if (!facts.user_bus || configured == ordinary) return configured;
  const auto answer =
      ask(env, stop, {facts.systemctl, "--user", "show", "-p", "UnitPath", "--value"}, environment);
  const std::string paths = answer ? " " + first_line(answer->output) + " " : "";
  return paths.find(" " + text_of(configured) + " ") != std::string::npos ? configured : ordinary;
}

void ask_systemd(HostFacts& facts, const Env& env, std::stop_token stop) {
  facts.systemd_booted = exists(env.files, "/run/systemd/system");  // sd_booted(3)
  facts.linger = exists(env.files, fs::path("/var/lib/systemd/linger") / facts.user);
  std::map<std::string, std::string> environment;
  if (env.places.runtime.empty()) {
    const fs::path runtime = fs::path("/run/user") / facts.uid;
    if (!facts.uid.empty() && exists(env.files, runtime)) {
      facts.runtime_folder = text_of(runtime);
      environment["XDG_RUNTIME_DIR"] = facts.runtime_folder;
    }
  }
  if (facts.systemd_booted) {
    const auto state =
        ask(env, stop, {facts.systemctl, "--user", "is-system-running"}, environment);
    const std::string word = state ? first_line(state->output) : "";
    facts.user_bus = word == "running" || word == "degraded" || word == "starting" ||
                     word == "initializing" || word == "maintenance";
    if (!state) {
      facts.user_bus_problem = state.error().message;
    } else if (!facts.user_bus) {
      facts.user_bus_problem = state->error_output.empty() ? word : first_line(state->error_output);
    }
  }
  facts.unit_folder = find_unit_folder(facts, env, stop, environment);
  read_entries(facts, facts.unit_folder, kEntryPrefix, env.files);
}

// As Debian's `crontab -l` shows a table, since 3.0pl1-149: it spells out two control characters.
std::string as_listed(std::string_view table) {
  std::string text;
  for (const char c : table) {
    if (c == '\r') {
      text += "\\r";
    } else if (c == '\b') {
      text += "\\b";
    } else {
      text += c;
    }
  }
  return text;
}

// The table byte for byte. Where the listing leaves open whether `\r` is one character or two, an
// "editor" that only prints gets to see the file itself, and crontab finds nothing changed.
std::optional<std::string> true_table(const HostFacts& facts, const std::string& listed,
                                      const Env& env, std::stop_token stop) {
  if (listed.find("\\r") == std::string::npos && listed.find("\\b") == std::string::npos) {
    return listed;
  }
  auto shown =
      ask(env, stop, {facts.crontab_program, "-e"}, {{"EDITOR", "cat"}, {"VISUAL", "cat"}});
  if (!shown || shown->exit_code != 0 || as_listed(shown->output) != listed) return std::nullopt;
  return std::move(shown->output);
}

// crontab says that there is no table by an error; any other error must not be taken for that, or
// the user's lines would be overwritten.
void ask_crontab(HostFacts& facts, const Env& env, std::stop_token stop) {
  const auto answer = ask(env, stop, {facts.crontab_program, "-l"});
  if (!answer) {
    facts.crontab_problem = answer.error().message;
    facts.crontab_hidden = answer.error().code != ErrorCode::not_found;
    return;
  }
  const std::string& complaint = answer->error_output;
  if (answer->exit_code == 0 && answer->output.size() < kMaxCrontabBytes) {
    facts.crontab = true_table(facts, answer->output, env, stop);
    facts.crontab_works = facts.crontab.has_value();
    if (!facts.crontab_works) {
      facts.crontab_problem =
          "it holds \\r or \\b, and `crontab -e` does not show whether these are control "
          "characters";
    }
  } else if (answer->exit_code == 0) {
    facts.crontab_problem = "the crontab is larger than 1 MiB";
  } else if (complaint.find("no crontab for") != std::string::npos ||
             (complaint.find("can't open") != std::string::npos &&  // busybox
              complaint.find("No such file") != std::string::npos)) {
    facts.crontab_works = true;
  } else {
    facts.crontab_problem = first_line(complaint);
  }
  facts.crontab_hidden = !facts.crontab_works;
}

bool is_cron_name(const std::string& name) {
  return name == "cron" || name == "crond" || name == "fcron" || name == "dcron" ||
         name == "cronie";
}

// Not every daemon writes a pid file, and not every user sees every process: either will do.
bool cron_runs(const FileSystem& files) {
  for (const char* pid_file : {"/run/crond.pid", "/var/run/crond.pid", "/run/cron.pid"}) {
    if (const auto pid = files.read(pid_file, 64)) {
      const fs::path process = fs::path("/proc") / first_line(*pid);
      if (exists(files, process)) return true;
    }
  }
  const auto processes = files.list("/proc", 1 << 20);
  if (!processes) return false;
  return std::any_of(processes->begin(), processes->end(), [&](const DirEntry& entry) {
    if (std::isdigit(static_cast<unsigned char>(entry.name[0])) == 0) return false;
    const auto name = files.read(fs::path("/proc") / entry.name / "comm", 256);
    return name && is_cron_name(first_line(*name));
  });
}

bool is_wsl(const FileSystem& files) {
  auto release = files.read("/proc/sys/kernel/osrelease", 4096);
  if (!release) return false;
  std::transform(release->begin(), release->end(), release->begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return release->find("microsoft") != std::string::npos;
}

void ask_task_scheduler(HostFacts& facts, const Env& env, std::stop_token stop) {
  const auto answer = ask(env, stop, {facts.schtasks, "/query", "/fo", "CSV", "/nh"});
  if (!answer) return;
  const std::string mark = "\"\\" + std::string(kEntryPrefix);
  for (std::size_t at = answer->output.find(mark); at != std::string::npos;
       at = answer->output.find(mark, at + 1)) {
    const std::size_t begin = at + mark.size();
    const std::string name = answer->output.substr(begin, answer->output.find('"', begin) - begin);
    if (check_schedule_name(name)) facts.tasks.insert(name);
  }
}

HostFacts::System this_system(const Places& places) {
  const std::string played = variable(places, "BPD_SYSTEM", "");
  if (played == "linux") return HostFacts::System::linux_like;
  if (played == "macos") return HostFacts::System::macos;
  if (played == "windows") return HostFacts::System::windows;
#if defined(_WIN32)
  return HostFacts::System::windows;
#elif defined(__APPLE__)
  return HostFacts::System::macos;
#else
  return HostFacts::System::linux_like;
#endif
}

}  // namespace

HostFacts gather_host_facts(const Env& env, std::stop_token stop) {
  HostFacts facts;
  facts.system = this_system(env.places);
  facts.user = env.places.user;
  facts.home = env.places.home;
  facts.hidden_from_others = env.places.hidden_from_others;
  facts.program = scheduled_program(env.places);
  facts.logs = env.places.state / "logs";
  facts.systemctl = variable(env.places, "BPD_SYSTEMCTL", "systemctl");
  facts.systemd_analyze = variable(env.places, "BPD_SYSTEMD_ANALYZE", "systemd-analyze");
  facts.crontab_program = variable(env.places, "BPD_CRONTAB", "crontab");
  facts.launchctl = variable(env.places, "BPD_LAUNCHCTL", "launchctl");
  // By its full path: a bare name would find a schtasks.exe that lies beside the program.
  facts.schtasks =
      variable(env.places, "BPD_SCHTASKS",
               variable(env.places, "SystemRoot", "C:\\Windows") + "\\System32\\schtasks.exe");
  facts.agents_folder = env.places.home / "Library/LaunchAgents";
  facts.task_folder = env.places.state / "tasks";

  if (facts.system != HostFacts::System::windows) {
    if (const auto uid = ask(env, stop, {"id", "-u"}); uid && uid->exit_code == 0) {
      facts.uid = first_line(uid->output);
    }
  }
  switch (facts.system) {
    case HostFacts::System::linux_like:
      facts.wsl = is_wsl(env.files);
      ask_systemd(facts, env, stop);
      ask_crontab(facts, env, stop);
      facts.cron_running = cron_runs(env.files);
      break;
    case HostFacts::System::macos:
      read_entries(facts, facts.agents_folder, kLaunchdPrefix, env.files);
      break;
    case HostFacts::System::windows:
      ask_task_scheduler(facts, env, stop);
      break;
  }
  return facts;
}

}  // namespace core
