// The tool restore_snapshot.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool restore_snapshot(const Setting& setting);

}  // namespace tools
