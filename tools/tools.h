// Everything this program offers: the list of our tools, and the server around it.
#pragma once

#include <vector>

#include "core/env.h"
#include "server/server_definition.h"

namespace tools {

// Every tool, in the order of tools/list. `env` must outlive them. Folders outside `allowed`
// (empty: no limit) are refused by every tool that reads or writes paths.
std::vector<server::Tool> all_tools(const core::Env& env,
                                    const std::vector<core::fs::path>& allowed = {});

// The whole server: tools, snapshots as resources, prompts, completion, the skill. As above.
server::ServerDefinition define_server(const core::Env& env,
                                       const std::vector<core::fs::path>& allowed);

}  // namespace tools
