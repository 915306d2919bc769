// The tool discover_databases.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool discover_databases(const Setting& setting);

}  // namespace tools
