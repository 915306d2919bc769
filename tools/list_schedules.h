// The tool list_schedules.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool list_schedules(const Setting& setting);
// The result for people, its tables within `width` characters; 0: no limit.
std::string list_schedules_text(const server::Json& structured, std::size_t width);

}  // namespace tools
