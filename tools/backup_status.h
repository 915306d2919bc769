// The tool backup_status.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool backup_status(const Setting& setting);

}  // namespace tools
