// The tool copy_offsite.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool copy_offsite(const Setting& setting);

}  // namespace tools
