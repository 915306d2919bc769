// The list of our tools.
#pragma once

#include <vector>

#include "core/env.h"
#include "server/tool.h"

namespace tools {

// Every tool, in the order of tools/list. `env` must outlive them. Folders outside `allowed`
// (empty: no limit) are refused by every tool that reads or writes paths.
std::vector<server::Tool> all_tools(const core::Env& env,
                                    const std::vector<core::fs::path>& allowed = {});

}  // namespace tools
