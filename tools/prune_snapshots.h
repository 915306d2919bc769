// The tool prune_snapshots.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool prune_snapshots(const Setting& setting);

}  // namespace tools
