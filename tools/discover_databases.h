// The tool discover_databases.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool discover_databases(const Setting& setting);
// The result for people, its tables within `width` characters; 0: no limit.
std::string discover_databases_text(const server::Json& structured, std::size_t width);

}  // namespace tools
