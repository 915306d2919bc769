#include "core/status/totals.h"

#include <algorithm>
#include <set>

namespace core {

SeriesIndex::SeriesIndex(const std::vector<ListedDestination>& destinations) {
  for (const ListedDestination& destination : destinations) {
    for (const SeriesTotal& total : destination.series) {
      entries_.try_emplace({total.folder, total.stem}, Entry{&total, &destination.medium});
    }
  }
}

SnapshotTotals SeriesIndex::totals_of(const Medium& medium,
                                      const std::vector<const Snapshot*>& snapshots) const {
  SnapshotTotals totals;
  std::set<const SeriesTotal*> counted;
  for (const Snapshot* snapshot : snapshots) {
    const auto found = entries_.find({snapshot->path.parent_path(), snapshot->stem});
    if (found == entries_.end()) continue;
    const Entry& entry = found->second;
    if (snapshot->verified()) {
      totals.survives = std::max(totals.survives, survives(medium, *entry.medium));
    }
    if (!counted.insert(entry.total).second) continue;
    totals.snapshots += entry.total->snapshots;
    totals.bytes += entry.total->bytes;
    totals.oldest = std::min(totals.oldest.value_or(entry.total->oldest), entry.total->oldest);
  }
  return totals;
}

}  // namespace core
