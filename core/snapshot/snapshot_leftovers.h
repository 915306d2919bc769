// What a run that was killed left beside its snapshots.
#pragma once

#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/platform/run_lock.h"

namespace core {

struct SweptLeftovers {
  std::vector<fs::path> swept;        // what is gone
  std::vector<std::string> warnings;  // what could not be removed
};

// Removes the temporaries of this series that nobody works on any more, and with them the manifests
// that such a run wrote for a snapshot which then did not get its name: of the same day or hour, of
// this source, and with nothing to describe. A manifest alone is left: its snapshot may be on its
// way, as where a folder is synced. `lock` is that of the series, held.
SweptLeftovers sweep_snapshot_leftovers(const fs::path& folder, const std::string& stem,
                                        const std::string& source, const Env& env,
                                        const RunLock& lock);

}  // namespace core
