#include "support/snapshots.h"

#include <algorithm>

namespace test {

SnapshotWorld::SnapshotWorld() {
  fs::create_directory(destination);
  fs::create_directory(live);
}

core::SnapshotRequest SnapshotWorld::request() const {
  core::SnapshotRequest request;
  request.source = source;
  request.destination = destination;
  request.busy_timeout = std::chrono::seconds(5);
  request.lock_timeout = std::chrono::seconds(20);
  return request;
}

core::Expected<core::SnapshotResult> SnapshotWorld::take(const core::SnapshotRequest& request) {
  core::NoProgress progress;
  return core::take_snapshot(request, env(), progress, stop.get_token());
}

std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) names.push_back(fs::relative(entry.path(), folder).generic_string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace test
