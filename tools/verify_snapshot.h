// The tool verify_snapshot.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool verify_snapshot(const Setting& setting);

}  // namespace tools
