// A table that a live database and a snapshot have: by what its rows are told apart, and in SQL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace core {

struct ForeignKey {
  std::string parent;
  std::vector<std::string> from, to;  // columns of the child and of the parent, pairwise
};

struct UniqueIndex {
  std::vector<std::string> columns, collations;  // pairwise
};

struct RowTable {
  std::string name;
  std::vector<std::string> columns;     // that both have and that hold something of their own
  std::vector<std::string> key;         // of the primary key, in its order
  std::vector<std::string> collations;  // of `key`
  std::string rowid;  // the word for a row's number where it is no column; empty: there is none
  std::vector<ForeignKey> references;
  std::vector<UniqueIndex> uniques;  // that SQL can ask: without expressions, of whole tables
  std::vector<std::string> gone;     // columns that only the snapshot has
  std::string not_writable;          // why nothing is put back into it, though it can be compared
  // What to read the rows from, with their key: the table itself; or, where that has no primary
  // key, a query (keyless_rows.h).
  std::string now, then;
  bool keyless = false;   // `key` is kContentKey, which is no column of it
  bool by_place = false;  // `key` is kPlace, the rowid: a full-text table with content of its own
  bool recorded = true;   // false: SQLite cannot record its changes (unrecorded_rows.h)
};

// A table that cannot be compared, or not be written, and the reason as a sentence's end.
struct RefusedTable {
  std::string name;
  std::string reason;
  bool operator==(const RefusedTable&) const = default;
};

struct PairedTables {
  std::vector<RowTable> tables;  // by name
  std::vector<RefusedTable> refused;
};

// The text that finds a row by its key: "a.k1 = b.k1 AND …".
std::string same_key(const RowTable& table, const std::string& a, const std::string& b);
// The columns that are not of the key.
std::vector<std::string> columns_beside_key(const RowTable& table);
// Whether the table has all of these.
bool has_columns(const RowTable& table, const std::vector<std::string>& names);
// "(a.c1 IS NOT b.c1 COLLATE BINARY OR …)" of the columns beside the key; empty where there is
// none.
std::string differs(const RowTable& table, const std::string& a, const std::string& b);
// "a.k1 IS NOT NULL AND …": a row without that is never the same as another.
std::string has_key(const RowTable& table, const std::string& a);
// "a.c1, a.c2"; without an alias where that is empty.
std::string listed(const std::vector<std::string>& columns, const std::string& alias = {});
// "a.from1 = b.to1 AND …".
std::string refers(const ForeignKey& key, const std::string& child, const std::string& parent);
// INSERT of one row by parameters, in the order of `columns`; last the rowid, where there is one.
std::string insert_statement(const RowTable& table);
bool same_name(std::string_view a, std::string_view b);  // as SQLite compares names
// The word for a row's number that is the name of none of these columns; empty: there is none.
std::string free_rowid_name(const std::vector<std::string>& columns);

}  // namespace core
