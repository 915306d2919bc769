// What a destination holds of a source under other host names, for the first snapshot of a series.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/snapshot/snapshot_plan.h"

namespace core {

struct Predecessors {
  std::optional<Snapshot> latest;  // of this installation, under an earlier host name
  std::vector<std::string> notes;  // what there is, for the user: ours and others'
};

// Of the same source and label, under other host names than the plan's. Nothing in a flat
// destination, where there are no folders of hosts, and where the destination cannot be listed.
Predecessors look_for_predecessors(const SnapshotPlan& plan, const std::string& machine,
                                   const FileSystem& files, Instant now);

}  // namespace core
