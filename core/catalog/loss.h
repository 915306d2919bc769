// Whether a later snapshot lacks much that an earlier one holds: one rule for the alarm, for
// retention and for restores. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/catalog/warning.h"

namespace core {

// What a snapshot has, by the measures that show a loss. Manifests of earlier versions did not
// count virtual tables: then only what both have counted is compared.
struct Holdings {
  std::map<std::string, std::uint64_t> rows;  // by ordinary table
  bool rows_complete = true;                  // false: of other tables nothing is known
  std::optional<std::map<std::string, std::uint64_t>> virtual_rows;
  std::uint64_t total = 0;                  // rows of all ordinary tables
  std::optional<std::uint64_t> everything;  // with those of virtual tables
  std::uint64_t bytes = 0;
  std::uint64_t others = 0;  // the most that a table not among `rows` may have
};

Holdings holdings_of(const Manifest& manifest);
// Of each measure the larger of the two.
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
std::optional<Warning> shrink_warning(const Snapshot& previous, const Holdings& now);

// The ordinary table of which `previous` has most rows more than `now`, however few: what nobody
// has any longer when `now` takes its place. Of omitted tables nothing is known.
std::optional<Loss> fewer_rows(const Snapshot& previous, const Holdings& now);

// What the earlier snapshots of a series tell of a new one.
struct Comparison {
  // The latest one that holds much that is lost now. One that is restorable() comes before others.
  std::optional<Snapshot> fuller{};
  // Why the latest one of all tells nothing: its manifest cannot be read, or has no row counts
  // though others have. Then the ones before it are asked. Empty: it was compared.
  std::string uncompared{};
};
// `now` is the manifest of the new one; snapshots of other sources are passed over.
Comparison compare_with_earlier(const std::vector<Snapshot>& earlier, const Manifest& now,
                                Instant at);

}  // namespace core
