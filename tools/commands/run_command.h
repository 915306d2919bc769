// The command `run NAME`, which schedulers start: no tool, because only they and people need it.
#pragma once

#include "server/cli/program_parts.h"

namespace tools {

server::ExtraCommand run_command();

}  // namespace tools
