// The tool ignore_database.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool ignore_database(const Setting& setting);

}  // namespace tools
