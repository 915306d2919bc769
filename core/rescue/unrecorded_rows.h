// Rows put back into tables whose changes SQLite's session extension does not record: without a
// primary key, with generated columns, full-text ones.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "core/rescue/row_plan.h"

namespace core {

// Rows of each such table of the plan in the live database, by its name.
Expected<std::map<std::string, std::int64_t>> count_unrecorded(sqlite3* connection,
                                                               const RowPlan& plan);

// Adds the plan's rows in these tables, which have been inserted, to a changeset (row_changes.h).
// Of a row without a key, the key there is its rowid, a first column. conflict where the changeset
// becomes longer than kMaxChangesetBytes.
Expected<> add_unrecorded(sqlite3* connection, const RowPlan& plan, std::string& changeset);

}  // namespace core
