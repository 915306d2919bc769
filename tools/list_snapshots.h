// The tool list_snapshots.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool list_snapshots(const Setting& setting);

}  // namespace tools
