// What there is of a database: how many snapshots, since when, and what they would survive.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/status/survival.h"

namespace core {

// A destination as it was listed.
struct ListedDestination {
  fs::path path;  // links resolved
  Medium medium;
  std::vector<SeriesTotal> series;
};

struct SnapshotTotals {
  std::uint64_t snapshots = 0, bytes = 0;
  std::optional<Date> oldest;             // the first day of them
  Survives survives = Survives::nothing;  // of the safest that passed a check
};

// Finds the series of snapshots. Refers to the destinations, which must stay as they are.
class SeriesIndex {
 public:
  explicit SeriesIndex(const std::vector<ListedDestination>& destinations);

  // Of a database on `medium`, of which these snapshots are known: at least one of each series.
  SnapshotTotals totals_of(const Medium& medium,
                           const std::vector<const Snapshot*>& snapshots) const;

 private:
  struct Entry {
    const SeriesTotal* total = nullptr;
    const Medium* medium = nullptr;
  };
  std::map<std::pair<fs::path, std::string>, Entry> entries_;
};

}  // namespace core
