// The tool restore_rows.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool restore_rows(const Setting& setting);

}  // namespace tools
