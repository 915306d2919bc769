// The arguments that a command leaves out, from what is known and from the person at the terminal.
#pragma once

#include <tl/expected.hpp>

#include "server/cli/shell_knowledge.h"
#include "server/mcp/next_step.h"
#include "server/mcp/tool.h"

namespace server {

// The arguments with what ShellKnowledge::fill_in knows. What was filled in is told on standard
// error; where more than one way is open, the person is asked, or, where nobody can be, told the
// flags that decide. An exit code where the call cannot go on; why stands on standard error then.
tl::expected<Json, int> filled_arguments(const Tool& tool, Json arguments,
                                         const ShellKnowledge& knowledge, const Speech& speech,
                                         const View& view);

}  // namespace server
