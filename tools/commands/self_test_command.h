// The command `self-test`, for people who want to know, or to tell, whether it works on their
// machine.
#pragma once

#include "server/cli/program_parts.h"

namespace tools {

server::ExtraCommand self_test_command();

}  // namespace tools
