// How the rows of a live database differ from those of a snapshot, by their keys.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/rescue/row_table.h"

namespace core {

struct TableComparison {
  std::string name;
  std::uint64_t only_then = 0;  // rows that only the snapshot has
  std::uint64_t only_now = 0;
  std::uint64_t changed = 0;  // of the same key, with other values
  std::uint64_t same = 0;

  bool differs() const { return only_then + only_now + changed > 0; }
};

struct RowComparison {
  std::vector<TableComparison> tables;  // by name
  std::vector<RefusedTable> refused;    // that have no key to compare by, and the like
  std::string ended;                    // why what follows was not compared; empty: all was
};

struct ComparisonBounds {
  std::uint64_t bytes = 2ULL << 30;  // of both files together; larger ones are not compared
  std::chrono::milliseconds time{5'000};
};

// Joins by primary key between one moment of the live database (PinnedSource) and the sealed
// snapshot; writes nothing. `ended` tells what the bounds kept from being compared. Errors: those
// of PinnedSource, of a snapshot that cannot be read; cancelled.
Expected<RowComparison> compare_rows(const fs::path& live, const fs::path& snapshot,
                                     std::chrono::milliseconds busy_timeout, const Env& env,
                                     std::stop_token stop, const ComparisonBounds& bounds = {});

}  // namespace core
