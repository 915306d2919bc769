// Jobs and machines to plan schedules for.
#pragma once

#include "core/schedule/scheduler.h"

namespace test {

// Name "global", 04:07, /home/ann/.claude/orchestrator/global.db to /home/ann/Backups.
core::BackupJob example_job();
// Ann's machines: a Linux with both schedulers, a Mac, a Windows.
core::HostFacts linux_facts();
core::HostFacts mac_facts();
core::HostFacts windows_facts();

// The text that a plan writes to the file of that name; fails the test if it writes none.
std::string written(const core::SchedulePlan& plan, const std::string& file_name);
// The steps in words, one per line.
std::string steps_of(const core::SchedulePlan& plan);

}  // namespace test
