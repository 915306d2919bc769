#include "core/latest.h"

#include <algorithm>

#include "core/verify_run.h"

namespace core {
namespace {

// More than anybody keeps of one database.
constexpr std::size_t kMaxSnapshotsOfSource = 100'000;

}  // namespace

Expected<LatestSnapshot> latest_snapshot_of(const fs::path& source, const fs::path& destination,
                                            Damaged damaged, const Env& env) {
  ListFilter filter;
  filter.source = recorded_source(source, env.files).string();
  auto page = list_snapshots(destination, filter, kMaxSnapshotsOfSource, "", env.files);
  if (!page) return fail(page.error());
  std::vector<Snapshot>& all = page->snapshots;
  if (all.empty()) {
    return fail(ErrorCode::not_found,
                "There is no snapshot of " + source.string() + " in " + destination.string() +
                    " with a manifest.",
                "See what there is with list_snapshots, and name the snapshot's path.");
  }
  LatestSnapshot latest;
  if (damaged == Damaged::is_passed_over) {
    if (auto marked = mark_damaged(all, filter.source, env); !marked) {
      latest.warnings.push_back("Which snapshots were found damaged is not known: " +
                                marked.error().message);
    }
  }
  const Instant now = env.clock.now();
  const auto older = [&](const Snapshot& a, const Snapshot& b) { return taken_before(a, b, now); };
  const fs::path newest = std::max_element(all.begin(), all.end(), older)->path;
  std::erase_if(all, [](const Snapshot& snapshot) { return snapshot.found_damaged; });
  if (all.empty()) {
    return fail(ErrorCode::damaged,
                "Each snapshot of " + source.string() + " in " + destination.string() +
                    " was found damaged when it was last checked; the newest is " +
                    newest.string() + ".",
                "Check one again with verify_snapshot, or look for others in another destination.");
  }
  latest.path = std::max_element(all.begin(), all.end(), older)->path;
  if (latest.path != newest) {
    latest.warnings.push_back("The newest snapshot, " + newest.string() +
                              ", was found damaged when it was last checked; " +
                              latest.path.string() + " is taken in its place.");
  }
  return latest;
}

}  // namespace core
