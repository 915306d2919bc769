// The tables of a live database beside those of a snapshot: by what their rows are told apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

struct sqlite3;

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

// The ordinary tables of `main` that the attached `snapshot` has as well. Refused by name: a table
// without a primary key, one whose key is declared otherwise by now, one that needs a collation
// which SQLite does not bring, a full-text table with content of its own, a table that only the
// snapshot has. Not writable: generated columns, a new column that must be filled, triggers or
// rules that need what only the owning program has. Runs nothing of either schema but compiles the
// triggers of `main`.
Expected<PairedTables> pair_tables(sqlite3* connection, const std::string& snapshot);

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

}  // namespace core
