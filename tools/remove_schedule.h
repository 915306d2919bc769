// The tool remove_schedule.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool remove_schedule(const Setting& setting);

}  // namespace tools
