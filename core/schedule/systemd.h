// Schedules as a service and a timer of the user's systemd instance.
#pragma once

#include <string>

#include "core/schedule/scheduler.h"

namespace core {

// systemd.timer(5), systemd.service(5), systemctl(1). No shell takes part.
const Scheduler& systemd_scheduler();

// The texts of the two units, for tests and dry runs.
Expected<std::string> render_service(const BackupJob& job, const HostFacts& facts);
std::string render_timer(const BackupJob& job);

}  // namespace core
