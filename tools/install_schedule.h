// The tool install_schedule.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool install_schedule(const Setting& setting);

}  // namespace tools
