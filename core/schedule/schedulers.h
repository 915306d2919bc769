// The schedulers there are, and the choice between them.
#pragma once

#include <optional>
#include <vector>

#include "core/schedule/scheduler.h"

namespace core {

// The one scheduler of each kind; lives as long as the program.
const Scheduler& scheduler_of(SchedulerKind kind);
// Those that can exist on this kind of system, the preferred one first.
std::vector<SchedulerKind> schedulers_for(HostFacts::System system);
// The requested one if it is usable here, else its reason; with none requested the first usable
// one, else an error (unsupported) that says what was tried and what to do.
Expected<SchedulerKind> choose_scheduler(std::optional<SchedulerKind> requested,
                                         const HostFacts& facts);

}  // namespace core
