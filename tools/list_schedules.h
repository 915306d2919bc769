// The tool list_schedules.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool list_schedules(const Setting& setting);

}  // namespace tools
