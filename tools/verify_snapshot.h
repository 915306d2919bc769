// The tool verify_snapshot.
#pragma once

#include "tools/arguments.h"

namespace tools {

server::Tool verify_snapshot(const Setting& setting);

// The file that the arguments mean: `snapshot` as a path, or (`latest` or absent) the newest of
// `source` in `destination`. Shared with restore_snapshot.
server::ToolOutcome<core::fs::path> find_snapshot(const Arguments& arguments,
                                                  server::CallContext& context,
                                                  const Setting& setting);

}  // namespace tools
