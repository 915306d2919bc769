// Where this user's snapshots go, as far as the program has been told.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/env.h"

namespace core {

// The variable that names a destination where no argument does.
inline constexpr std::string_view kDestinationVariable = "CLAUDE_ORCHESTRATOR_BACKUP_ROOT";
// The same from the settings of a plugin or bundle. Under a name of its own: a setting that nobody
// made arrives as an empty text, which would hide what the user has in the other.
inline constexpr std::string_view kSettingVariable = "BACKUP_PLUGIN_DB_DESTINATION";

// What the first of them names that is not empty; empty for none.
std::string destination_of_environment(const Places& places);

// The folder of the environment, then those of recorded runs, latest first; each once, with
// links resolved, and only those that are there now. Never searches the disk. At most
// kMaxDestinations.
std::vector<fs::path> known_destinations(const Env& env);
inline constexpr std::size_t kMaxDestinations = 32;

}  // namespace core
