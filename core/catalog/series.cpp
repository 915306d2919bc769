#include "core/catalog/series.h"

#include <algorithm>

#include "core/base/paths.h"
#include "core/catalog/machine.h"
#include "core/catalog/manifest.h"

namespace core {

bool is_of_other_host(const Snapshot& snapshot, const std::string& host,
                      const std::string& machine) {
  return snapshot.manifest && snapshot.manifest->host != manifest_text(host) &&
         whose_is(*snapshot.manifest, host, machine) == Whose::others;
}

const Snapshot* find_named(const std::vector<Snapshot>& series, const fs::path& path) {
  const auto found = std::find_if(series.begin(), series.end(), [&](const Snapshot& snapshot) {
    return snapshot.path.filename() == path.filename();
  });
  return found == series.end() ? nullptr : &*found;
}

std::optional<Snapshot> latest_of(const std::vector<Snapshot>& series, Instant now) {
  const auto latest = std::max_element(
      series.begin(), series.end(),
      [&](const Snapshot& a, const Snapshot& b) { return taken_before(a, b, now); });
  if (latest == series.end()) return std::nullopt;
  return *latest;
}

std::string series_lock_key(const fs::path& folder, const std::string& stem) {
  return "series\n" + text_of(folder) + "\n" + stem;
}

}  // namespace core
