// Everything this program offers: the list of our tools, and the server around it.
#pragma once

#include <vector>

#include "core/base/env.h"
#include "server/mcp/server_definition.h"

namespace tools {

// Every tool, in the order of tools/list. `env` must outlive them.
std::vector<server::Tool> all_tools(const core::Env& env, const server::ServerLimits& limits = {});

// The whole server: tools, snapshots as resources, prompts, completion, the skill. As above.
server::ServerDefinition define_server(const core::Env& env, const server::ServerLimits& limits);

}  // namespace tools
