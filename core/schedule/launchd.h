// Schedules as launch agents of the logged-in user on macOS.
#pragma once

#include <string>

#include "core/schedule/scheduler.h"

namespace core {

// launchd.plist(5), launchctl(1). No shell takes part. launchd runs nothing that it missed while
// the machine was off, so RunAtLoad asks at each login, and the run itself checks whether it is
// due.
const Scheduler& launchd_scheduler();

std::string launchd_label(const std::string& name);
// Where launchd puts what the program prints.
fs::path launchd_output_path(const std::string& name, const fs::path& logs);
Expected<std::string> render_plist(const BackupJob& job, const HostFacts& facts);

}  // namespace core
