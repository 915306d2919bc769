// Schedulers that only play theirs: they keep a table in memory, answer like the real programs, and
// run jobs in this process when they are told to.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/schedule/run_job.h"
#include "support/fake_env.h"

namespace test {

// A world with crontab, launchctl and schtasks, chosen by system: "linux", "macos" or "windows".
// systemctl is not played: systemd's own tests run the real one (tests/schedulers).
class FakeSchedulers {
 public:
  // In a world of its own, or in the one that is given.
  explicit FakeSchedulers(const std::string& system, FakeEnv* given = nullptr);

  core::Env env() { return fake.env(); }
  // A database with notes at <folder>/live/<name>, and the folder "backups" for its snapshots.
  core::BackupJob job(const std::string& name, const std::string& database = "global.db");
  fs::path backups() const { return fake.folder / "backups"; }
  // argv of every command that changed or started something, words separated by spaces.
  std::vector<std::string> deeds() const;
  // Every file below the folder with a digest of its text, apart from locks, history and id.
  std::string tree() const;

  std::unique_ptr<FakeEnv> own;
  FakeEnv& fake;
  std::optional<std::string> crontab;
  std::string crontab_complaint;        // not empty: crontab -l fails with it
  bool crontab_refuses = false;         // `crontab -` fails
  bool shell_runs = true;               // false: a started job does nothing at all
  std::set<std::string> agents, tasks;  // labels loaded, task names
  int bootstrap_failures = 0;           // how often bootstrap still fails
  std::vector<std::string> pings;       // what curl was given on standard input
  std::vector<core::Command> failure_commands;
  std::vector<core::Expected<core::JobRun>> runs;  // what the schedulers ran

 private:
  core::Expected<core::CommandResult> answer(const core::Command& command);
  core::CommandResult answer_crontab(const core::Command& command);
  core::CommandResult answer_launchctl(const core::Command& command);
  core::CommandResult answer_schtasks(const core::Command& command);
  core::CommandResult run(const std::string& name, bool if_due);
};

}  // namespace test
