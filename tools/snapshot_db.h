// The tool snapshot_db.
#pragma once

#include "core/snapshot.h"
#include "tools/arguments.h"

namespace tools {

server::Tool snapshot_db(const Setting& setting);

// The request that snapshot_db's arguments stand for, without source and destination. Shared with
// install_schedule, which takes the same arguments and runs them later.
core::Expected<core::SnapshotRequest> snapshot_options(const Arguments& arguments);

}  // namespace tools
