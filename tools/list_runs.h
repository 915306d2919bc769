// The tool list_runs.
#pragma once

#include <cstddef>
#include <string>

#include "tools/arguments.h"

namespace tools {

// For people; tables within `width` columns (0: no limit).
std::string list_runs_text(const server::Json& structured, std::size_t width);
server::Tool list_runs(const Setting& setting);

}  // namespace tools
