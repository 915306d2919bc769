// Finds the rows that only snapshots have, and where each was last seen.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/rescue/row_choice.h"
#include "core/rescue/row_search.h"

namespace core {

struct LostRowsRequest {
  fs::path source;                     // the live database
  fs::path destination{};              // whose snapshots are searched back
  std::optional<fs::path> snapshot{};  // only this one
  RowChoice choice{};
  std::optional<Instant> since{};  // only rows that went after it
  bool changed = false;            // also rows that the newest of the snapshots has otherwise
  std::size_t limit = 20;          // of rows shown, of each table
  std::size_t skip = 0;            // so many rows of each table are passed over
  std::chrono::milliseconds busy_timeout{5'000};
};

struct LostRow {
  std::string key;
  std::string line;          // the row, shortened
  std::size_t snapshot = 0;  // the newest that has it, of LostRows::searched
};

struct ChangedRow {
  std::string key, then, now;  // the columns that differ
};

struct LostTable {
  std::string name;
  std::uint64_t lost = 0;
  std::uint64_t changed = 0;
  std::vector<LostRow> rows;
  std::vector<ChangedRow> changed_rows;
  std::string not_writable;  // why restore_rows would not put them back
  bool keyless = false;      // a row that was changed counts as lost: keyless_rows.h
};

struct LostRows {
  std::vector<SearchedSnapshot> searched;  // newest first
  std::vector<std::uint64_t> last_seen;    // rows that each of them was the last to have
  std::size_t of = 0;                      // snapshots that there are to search
  std::vector<LostTable> tables;           // that lost or changed something, by name
  std::vector<RefusedTable> refused;       // of the newest snapshot
  bool more = false;                       // there are rows beyond skip + limit
  std::vector<std::string> warnings;
};

// The whole search may take so long; what it did not come to is a warning.
inline constexpr std::chrono::seconds kSearchTime{30};
// Lost rows that are told apart; beyond it counts are "at least".
inline constexpr std::size_t kMaxLostRows = 1'000'000;

// Joins by primary key between one moment of the live database (a read transaction, one for each
// snapshot, opened without touching it: PinnedSource) and each sealed snapshot. Every snapshot is
// looked at, as a row may come and go between any two; those with the same bytes once. Writes
// nothing, beside the database or anywhere. Errors: those of PinnedSource; not_found where there is
// no snapshot; invalid_argument for a table that is in none; cancelled.
Expected<LostRows> find_lost_rows(const LostRowsRequest& request, const Env& env,
                                  ProgressSink& progress, std::stop_token stop);

}  // namespace core
