// Core's actions and their parameters, as tools and their arguments.
#pragma once

#include "core/base/call.h"
#include "server/mcp/next_step.h"

namespace tools {

// A call that names no action of core's already bears a tool's name, and keeps it.
server::NextStep step_of(const core::Call& call);

}  // namespace tools
