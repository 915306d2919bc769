// What there is of a database: how many snapshots, since when, and what they would survive.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/status/survival.h"

namespace core {

// A series as it was listed, and where it lies.
struct ListedSeries {
  SeriesTotal total;
  Medium medium;
  fs::path destination{};                     // as it was asked for
  std::optional<std::uint64_t> free_bytes{};  // there; nothing where it does not tell
};

struct SnapshotTotals {
  std::uint64_t snapshots = 0, bytes = 0;
  std::optional<Date> oldest;             // the first day of them
  Survives survives = Survives::nothing;  // of the safest that passed a check
};

// Of a database on `medium`, of which these snapshots are known: at least one of each series. Their
// Snapshot::series count in `series`. Pure.
SnapshotTotals totals_of(const Medium& medium, const std::vector<const Snapshot*>& snapshots,
                         const std::vector<ListedSeries>& series);

}  // namespace core
