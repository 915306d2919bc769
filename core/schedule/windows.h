// Schedules as tasks of the Windows Task Scheduler.
#pragma once

#include <string>

#include "core/schedule/scheduler.h"

namespace core {

// schtasks and the task schema:
// https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema
const Scheduler& windows_scheduler();

// The task definition, as UTF-8 text with a UTF-16 declaration: it is written in that encoding.
// Refuses a program path with `%` or `$(`, which the Task Scheduler may expand.
Expected<std::string> render_task(const BackupJob& job, const HostFacts& facts);

}  // namespace core
