// The tool restore_snapshot.
#pragma once

#include <cstddef>
#include <string>

#include "tools/arguments.h"

namespace tools {

// For people; tables within `width` columns (0: no limit).
std::string restore_snapshot_text(const server::Json& structured, std::size_t width);
server::Tool restore_snapshot(const Setting& setting);

}  // namespace tools
