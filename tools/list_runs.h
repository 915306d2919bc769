// The tool list_runs.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool list_runs(const Setting& setting);

}  // namespace tools
