#include "core/status/totals.h"

#include <algorithm>
#include <set>

namespace core {

SnapshotTotals totals_of(const Medium& medium, const std::vector<const Snapshot*>& snapshots,
                         const std::vector<ListedSeries>& series) {
  SnapshotTotals totals;
  std::set<std::size_t> counted;
  for (const Snapshot* snapshot : snapshots) {
    if (snapshot->series >= series.size()) continue;
    const ListedSeries& listed = series[snapshot->series];
    const SeriesTotal& total = listed.total;
    if (snapshot->verified()) {
      totals.survives = std::max(totals.survives, survives(medium, listed.medium));
    }
    if (!counted.insert(snapshot->series).second) continue;
    totals.snapshots += total.snapshots;
    totals.bytes += total.bytes;
    totals.oldest = std::min(totals.oldest.value_or(total.oldest), total.oldest);
  }
  return totals;
}

}  // namespace core
