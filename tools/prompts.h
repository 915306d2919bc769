// The prompts a person can pick: set_up_backups and restore_drill.
#pragma once

#include <vector>

#include "server/mcp/server_definition.h"

namespace tools {

std::vector<server::Prompt> all_prompts();

}  // namespace tools
