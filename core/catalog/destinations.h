// Where this user's snapshots go, as far as the program has been told.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/env.h"

namespace core {

// The variable that names a destination where no argument does.
inline constexpr std::string_view kDestinationVariable = "CLAUDE_ORCHESTRATOR_BACKUP_ROOT";

// The folder of kDestinationVariable, then those of recorded runs, latest first; each once, with
// links resolved, and only those that are there now. Never searches the disk. At most
// kMaxDestinations.
std::vector<fs::path> known_destinations(const Env& env);
inline constexpr std::size_t kMaxDestinations = 32;

}  // namespace core
