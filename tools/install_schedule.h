// The tool install_schedule.
#pragma once

#include <cstddef>
#include <string>

#include "tools/arguments.h"

namespace tools {

// For people; tables within `width` columns (0: no limit).
std::string install_schedule_text(const server::Json& structured, std::size_t width);
server::Tool install_schedule(const Setting& setting);

}  // namespace tools
