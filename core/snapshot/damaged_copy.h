// The copy that is kept of a damaged database: beside its snapshots, and counted as none of them.
#pragma once

#include <string>

#include "core/catalog/catalog.h"
#include "core/platform/run_lock.h"
#include "core/platform/temporary.h"
#include "core/snapshot/snapshot_plan.h"

namespace core {

// Puts a finished copy that failed its check beside the snapshots, with a manifest that calls it
// unverified (Snapshot::found_damaged tells it by name and source). Then removes the one that an
// earlier run kept of the same source on the same host: there is one for each series. Releases
// `file`. conflict where its name is taken by anything else. `lock` is that of the
// series, held.
Expected<fs::path> keep_damaged_copy(const SnapshotPlan& plan, Manifest manifest, Temporary& file,
                                     FileSystem& files, const RunLock& lock);

// How rows are got out of a database that cannot be used, as a sentence.
std::string recovery_advice(const fs::path& path);

}  // namespace core
