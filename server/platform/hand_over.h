// Going on as another program.
#pragma once

#include <filesystem>

namespace server {

// Runs `program` in this process' place, with the same arguments, environment and streams; on
// Windows as a child that ends with this process, whose exit code becomes ours. The name is without
// `.exe`. Returns only where it cannot be started: it is not there, above all.
void hand_over_to(const std::filesystem::path& program, char** argv);

}  // namespace server
