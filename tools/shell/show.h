// Results as a person at a terminal sees them.
#pragma once

#include <string>

#include "server/cli/view.h"
#include "server/mcp/tool.h"

namespace tools {

// ShellKnowledge::show: times by the person's clock, `~` for the home, tables within the width.
// What is data or is to be typed again (rows, keys, cursors, commands) stays as it is.
std::string show(const server::Tool& tool, const server::Json& structured,
                 const server::View& view);

}  // namespace tools
