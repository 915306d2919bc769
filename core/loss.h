// Whether a later snapshot lacks much that an earlier one holds: one rule for the alarm, for
// retention and for restores. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/catalog.h"

namespace core {

// What a snapshot has, as far as a loss shows by it.
struct Holdings {
  std::map<std::string, std::uint64_t> rows;  // by table
  bool rows_complete = true;                  // false: of other tables nothing is known
  std::uint64_t total = 0;                    // rows of all tables
  std::uint64_t bytes = 0;
};

Holdings holdings_of(const Manifest& manifest);
// Of each the most that either has.
Holdings most_of(const Holdings& a, const Holdings& b);

struct Loss {
  std::string table;  // empty: all tables together, or the file
  std::uint64_t before = 0, after = 0;
  const char* unit = "rows";  // or "bytes"
};

// When `now` has lost more than half of the rows of `previous`, of all tables together or of one
// (the one that lost most), or of its bytes; else nothing. A few rows or bytes are never much.
std::optional<Loss> loss_since(const Snapshot& previous, const Holdings& now);

// The alarm about it, one sentence; nothing without a loss.
std::optional<std::string> shrink_warning(const Snapshot& previous, const Holdings& now);

}  // namespace core
