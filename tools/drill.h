// A call of restore_snapshot that is a drill.
#pragma once

#include <string>

#include "tools/arguments.h"

namespace tools {

// Of the snapshot that the arguments name, of the newest one of their source, or, where they name
// neither, of the newest one of every schedule.
server::ToolOutcome<server::Json> drill_call(const Arguments& arguments,
                                             server::CallContext& context, const Setting& setting);
std::string format_drills(const server::Json& structured);

}  // namespace tools
