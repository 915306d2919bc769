// Taking snapshots in tests: a destination, a request with defaults, and what a folder holds.
#pragma once

#include <string>
#include <vector>

#include "core/snapshot/snapshot.h"
#include "support/fake_env.h"

namespace test {

// A world with a destination folder and a source's folder in it.
struct SnapshotWorld : FakeEnv {
  fs::path destination = folder / "backups";
  fs::path live = folder / "live";
  fs::path source = live / "global.db";
  std::stop_source stop;

  SnapshotWorld();
  core::SnapshotRequest request() const;
  core::Expected<core::SnapshotResult> take(const core::SnapshotRequest& request);
  core::Expected<core::SnapshotResult> take() { return take(request()); }
  // The folder of the host's snapshots.
  fs::path host_folder() const { return destination / "testhost"; }
};

// Every file below a folder, relative, sorted.
std::vector<std::string> files_below(const fs::path& folder);

}  // namespace test
