#include "core/rescue/row_search.h"

#include <algorithm>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/machine.h"
#include "core/verify/verify_run.h"

namespace core {
namespace {

// More than anybody keeps of one database.
constexpr std::size_t kMaxSnapshotsOfSource = 100'000;
constexpr std::size_t kMaxWarnings = 5;

bool same_bytes(const Snapshot& a, const Snapshot& b) {
  return a.has_told_length() && b.has_told_length() && !a.manifest->sha256.empty() &&
         a.manifest->sha256 == b.manifest->sha256;
}

}  // namespace

Expected<SearchedSeries> snapshots_to_search(const fs::path& source, const fs::path& destination,
                                             std::optional<Instant> since, const Env& env) {
  ListFilter filter;
  filter.source = text_of(recorded_source(source, env.files));
  BPD_TRY_AS(page, list_snapshots(destination, filter, kMaxSnapshotsOfSource, "", env.files));
  SearchedSeries series;
  page->warnings.resize(std::min(page->warnings.size(), kMaxWarnings));
  series.warnings = std::move(page->warnings);
  auto& all = page->snapshots;
  if (auto marked = mark_damaged(all, filter.source, env); !marked) {
    series.warnings.push_back("Which snapshots were found damaged is not known: " +
                              marked.error().message);
  }
  const std::string machine = known_machine_id(env);
  std::erase_if(all, [&](const Snapshot& snapshot) {
    return is_damaged_copy(snapshot) || !snapshot.restorable() || !snapshot.manifest ||
           whose_is(*snapshot.manifest, env.places.host, machine) == Whose::others;
  });
  if (all.empty()) {
    return fail(ErrorCode::not_found,
                "There is no snapshot of " + text_of(source) + " in " + text_of(destination) +
                    " that this machine took.",
                "See what there is with " + say(Action::list_snapshots) +
                    ", and name the snapshot's path.");
  }
  const Instant now = env.clock.now();
  std::stable_sort(all.begin(), all.end(),
                   [now](const Snapshot& a, const Snapshot& b) { return taken_before(b, a, now); });
  const Snapshot* newer = nullptr;
  for (const Snapshot& snapshot : all) {
    if (since && newer != nullptr && newer->taken_at() <= *since) break;
    if (newer == nullptr || !same_bytes(*newer, snapshot)) {
      series.snapshots.push_back(
          {snapshot.path, snapshot.taken_at(),
           newer == nullptr ? std::nullopt : std::optional(newer->taken_at())});
    }
    newer = &snapshot;
  }
  return series;
}

Expected<SearchedSeries> snapshot_to_search(const fs::path& snapshot, const Env& env) {
  BPD_TRY_AS(path, env.files.canonical(snapshot));
  BPD_TRY_AS(info, env.files.info(*path));
  const auto manifest = read_manifest(*path, env.files);
  SearchedSeries series;
  series.snapshots.push_back({*path, manifest ? manifest->taken_at : info->modified, std::nullopt});
  return series;
}

}  // namespace core
