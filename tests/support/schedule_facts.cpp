#include "support/schedule_facts.h"

#include <stdexcept>

namespace test {

core::BackupJob example_job() {
  core::BackupJob job;
  job.name = "global";
  job.snapshot.source = "/home/ann/.claude/orchestrator/global.db";
  job.snapshot.destination = "/home/ann/Backups";
  job.scheduled_since = *core::parse_instant("2026-11-23T12:00:00Z");
  return job;
}

core::HostFacts linux_facts() {
  core::HostFacts facts;
  facts.user = "ann";
  facts.uid = "1000";
  facts.home = "/home/ann";
  facts.program = "/home/ann/.local/share/backup-plugin-db/bin/backup-plugin-db";
  facts.logs = "/home/ann/.local/state/backup-plugin-db/logs";
  facts.systemd_booted = true;
  facts.user_bus = true;
  facts.linger = true;
  facts.unit_folder = "/home/ann/.config/systemd/user";
  facts.crontab_works = true;
  facts.cron_running = true;
  return facts;
}

core::HostFacts mac_facts() {
  core::HostFacts facts;
  facts.system = core::HostFacts::System::macos;
  facts.user = "ann";
  facts.uid = "501";
  facts.home = "/Users/ann";
  facts.program = "/Users/ann/.local/share/backup-plugin-db/bin/backup-plugin-db";
  facts.logs = "/Users/ann/.local/state/backup-plugin-db/logs";
  facts.agents_folder = "/Users/ann/Library/LaunchAgents";
  return facts;
}

core::HostFacts windows_facts() {
  core::HostFacts facts;
  facts.system = core::HostFacts::System::windows;
  facts.user = "ann";
  facts.home = "C:/Users/ann";
  facts.program =
      "C:\\Users\\Ann Löwe\\AppData\\Local\\backup-plugin-db\\bin\\backup-plugin-db.exe";
  facts.schtasks = "C:\\Windows\\System32\\schtasks.exe";
  facts.task_folder = "/state/tasks";
  return facts;
}

std::string written(const core::SchedulePlan& plan, const std::string& file_name) {
  for (const core::PlanStep& step : plan.steps) {
    const auto* write = std::get_if<core::WriteFile>(&step);
    if (write != nullptr && write->path.filename() == file_name) return write->text;
  }
  throw std::runtime_error("the plan does not write " + file_name);
}

std::string steps_of(const core::SchedulePlan& plan) {
  std::string lines;
  for (const core::PlanStep& step : plan.steps) lines += core::describe(step) + "\n";
  return lines;
}

}  // namespace test
