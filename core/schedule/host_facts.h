// What this machine offers for schedules, read once, so that planning stays pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "core/base/env.h"

namespace core {

struct HostFacts {
  enum class System { linux_like, macos, windows };
  System system = System::linux_like;
  bool wsl = false;  // https://learn.microsoft.com/windows/wsl: "microsoft" in osrelease

  std::string user;
  std::string uid;  // decimal; empty on Windows
  fs::path home;
  fs::path program;  // the copy that schedules run: scheduled_program() of installed_program.h
  fs::path logs;     // where runs log whose scheduler keeps no output

  // The schedulers' own programs, as Places::variables override them (BPD_SYSTEMCTL, …).
  std::string systemctl = "systemctl";
  std::string systemd_analyze = "systemd-analyze";
  std::string crontab_program = "crontab";
  std::string launchctl = "launchctl";
  std::string schtasks;

  // systemd: sd_booted(3), and whether `systemctl --user` reaches the user's manager.
  bool systemd_booted = false;
  bool user_bus = false;
  std::string user_bus_problem;  // what systemctl said, where it does not
  std::string runtime_folder;    // XDG_RUNTIME_DIR for systemctl; empty: as inherited
  fs::path unit_folder;
  bool linger = false;
  std::set<std::string> drop_ins;  // names of our units' drop-in folders, which are the user's

  // cron
  bool crontab_works = false;
  std::string crontab_problem;         // why it does not
  bool crontab_hidden = false;         // there may be a table, but it cannot be read
  std::optional<std::string> crontab;  // the user's whole table; absent: has none
  bool cron_running = false;

  fs::path agents_folder;  // launchd
  bool hidden_from_others =
      false;                    // as in Places: what the Task Scheduler starts sees no job of ours
  fs::path task_folder;         // Windows: where task definitions are handed to schtasks
  std::set<std::string> tasks;  // Windows: names of ours in the Task Scheduler

  // Entries of ours that lie in unit_folder or agents_folder.
  std::map<fs::path, std::string> files;
};

// What every unit, label, task and marker of ours begins with, before the schedule's name.
inline constexpr std::string_view kEntryPrefix = "backup-plugin-db-";

// Asks the machine: files, systemctl, crontab -l, and so on. Never changes anything. What cannot
// be found out is left at its default, with the reason where there is a field for it. The variable
// BPD_SYSTEM (linux, macos, windows) plays another kind of system, for tests with fake programs.
HostFacts gather_host_facts(const Env& env, std::stop_token stop);

}  // namespace core
