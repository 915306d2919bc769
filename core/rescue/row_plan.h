// The rows that are to be put back, gathered in temporary tables before anything is written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/rescue/row_choice.h"
#include "core/rescue/row_table.h"

struct sqlite3;

namespace core {

// Rows of one table from one snapshot, whole, in a temporary table of this connection.
struct RowBatch {
  RowTable table;
  std::string name;     // "temp.backup_rows_3": columns as in table.columns, and backup_rowid
  bool update = false;  // rows that are there otherwise, in place of rows that are missing
  std::uint64_t rows = 0;
  std::uint64_t hanging = 0;  // of these: not chosen, but they hang on a row that was
};

// A row that stays as it is, and why.
struct LeftRow {
  std::string table, key, reason;
};

struct RowPlan {
  std::vector<RowBatch> batches;
  std::vector<RefusedTable> refused;
  std::vector<LeftRow> left;  // at most kMaxLeftShown
  std::uint64_t left_total = 0;
  std::vector<std::string> warnings;

  std::uint64_t rows() const;
};

inline constexpr std::size_t kMaxLeftShown = 50;
// More rows than that are for restore_snapshot.
inline constexpr std::uint64_t kMaxPutBack = 200'000;

struct PlanRequest {
  RowChoice choice;
  bool missing = true;
  bool changed = false;
};

// Gathers from snapshots that are attached under these names, the newest first: the chosen rows
// that the live database lacks (or has otherwise), then what hung on them by foreign keys, then
// settle(). Several snapshots: a row comes from the first that has it. Writes temporary tables
// only; so does everything here. invalid_argument for unknown tables, conflict for more than
// kMaxPutBack rows.
Expected<RowPlan> make_plan(sqlite3* connection, const std::vector<std::string>& snapshots,
                            const PlanRequest& request);

// Looks again, at this moment of the live database: takes out of the batches rows that came back or
// changed meanwhile, that another row's UNIQUE value keeps away, or whose parent by a foreign key
// is neither there nor in a batch. All but the first are told in `left`.
Expected<> settle(sqlite3* connection, RowPlan& plan);

// Takes rows out of a batch, by the number in its temporary table.
Expected<> leave(sqlite3* connection, RowPlan& plan, RowBatch& batch, std::int64_t number,
                 const std::string& reason);

// How many rows of a batch have no parent in the live database itself: 0 once all is written.
Expected<std::uint64_t> orphans(sqlite3* connection, const RowBatch& batch);
// How many are there now, by their keys.
Expected<std::uint64_t> present(sqlite3* connection, const RowBatch& batch);
// The first keys of a batch, for people.
Expected<std::vector<std::string>> keys_of(sqlite3* connection, const RowBatch& batch,
                                           std::size_t most);

}  // namespace core
