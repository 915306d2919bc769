// The writing of a plan's rows, within a transaction that is open.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "core/rescue/row_plan.h"

namespace core {

struct WrittenRows {
  std::string changeset;                           // row_changes.h
  std::map<std::string, std::uint64_t> triggered;  // rows that triggers wrote, by table
  std::set<std::string> unrecorded;  // tables in which they wrote what the changeset cannot have
};

// Writes the batches, parents first. Rows that a rule keeps away are left (row_plan.h). On an error
// the transaction must be rolled back: conflict where a trigger raised, with its words.
Expected<WrittenRows> write_rows(sqlite3* connection, RowPlan& plan);

// Rows of external-content full-text indexes that have no entry for a row that was written, by the
// index's name: those whose application keeps no triggers for it.
Expected<std::map<std::string, std::uint64_t>> unindexed(sqlite3* connection, const RowPlan& plan);

}  // namespace core
