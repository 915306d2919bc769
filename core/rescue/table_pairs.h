// The tables of a live database beside those of a snapshot.
#pragma once

#include <string>

#include "core/rescue/row_table.h"

struct sqlite3;

namespace core {

// The ordinary tables of `main` that the attached `snapshot` has as well, and the FTS5 tables with
// content of their own. Refused by name: a table whose key is declared otherwise by now, one
// without a primary key and with very many rows (keyless_rows.h), one that needs a collation which
// SQLite does not bring, other full-text tables with content, a table that only the snapshot has.
// Not writable: a new column that must be filled, triggers or rules that need what only the owning
// program has. Of the snapshot's schema runs nothing; compiles the triggers of `main`.
Expected<PairedTables> pair_tables(sqlite3* connection, const std::string& snapshot);

}  // namespace core
