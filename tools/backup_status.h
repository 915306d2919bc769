// The tool backup_status.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool backup_status(const Setting& setting);
// The result for people, its tables within `width` characters; 0: no limit.
std::string backup_status_text(const server::Json& structured, std::size_t width);

}  // namespace tools
