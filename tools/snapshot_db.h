// The tool snapshot_db.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool snapshot_db(const Setting& setting);

}  // namespace tools
