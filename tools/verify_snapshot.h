// The tool verify_snapshot.
#pragma once

#include "core/restore/choose_snapshot.h"
#include "tools/arguments.h"

namespace tools {

server::Tool verify_snapshot(const Setting& setting);

// The file that the arguments mean: `snapshot` as a path, or (`latest` or absent) the newest of
// `source` in `destination`. Shared with restore_snapshot.
server::ToolOutcome<core::LatestSnapshot> find_snapshot(const Arguments& arguments,
                                                        core::Damaged damaged,
                                                        server::CallContext& context,
                                                        const Setting& setting);

}  // namespace tools
