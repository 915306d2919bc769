#include "core/rescue/row_table.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "core/sqlite/sqlite.h"
#include "core/sqlite/virtual_tables.h"

namespace core {
namespace {

using sqlite::column_text;
using sqlite::for_each_row;
using sqlite::quote_identifier;

constexpr const char* kReading = "cannot read the schema";
constexpr std::array<std::string_view, 3> kOwnCollations{"BINARY", "NOCASE", "RTRIM"};

struct Column {
  std::string name, type;
  bool not_null = false, has_default = false, generated = false;
  int key = 0;  // its place in the primary key, from 1
};

Expected<std::vector<Column>> columns_of(sqlite3* connection, const std::string& schema,
                                         const std::string& table) {
  std::vector<Column> columns;
  BPD_TRY(for_each_row(connection,
                       "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden "
                       "FROM pragma_table_xinfo(?1, ?2)",
                       kReading,
                       [&](sqlite3_stmt* row) {
                         columns.push_back(
                             {column_text(row, 0), column_text(row, 1),
                              sqlite3_column_int(row, 2) != 0, sqlite3_column_int(row, 3) != 0,
                              sqlite3_column_int(row, 5) != 0, sqlite3_column_int(row, 4)});
                       },
                       {table, schema}));
  return columns;
}

std::vector<Column> key_of(const std::vector<Column>& columns) {
  std::vector<Column> key;
  for (const Column& column : columns) {
    if (column.key > 0) key.push_back(column);
  }
  std::sort(key.begin(), key.end(), [](const Column& a, const Column& b) { return a.key < b.key; });
  return key;
}

const Column* find(const std::vector<Column>& columns, std::string_view name) {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& c) { return same_name(c.name, name); });
  return found == columns.end() ? nullptr : &*found;
}

bool same_key_declared(const std::vector<Column>& a, const std::vector<Column>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Column& x, const Column& y) {
    return same_name(x.name, y.name) && same_name(x.type, y.type);
  });
}

bool is_own(std::string_view collation) {
  return std::any_of(kOwnCollations.begin(), kOwnCollations.end(),
                     [&](std::string_view own) { return same_name(own, collation); });
}

std::string collation_of(sqlite3* connection, const std::string& schema, const std::string& table,
                         const std::string& column) {
  const char* collation = nullptr;
  sqlite3_table_column_metadata(connection, schema.c_str(), table.c_str(), column.c_str(), nullptr,
                                &collation, nullptr, nullptr, nullptr);
  return collation == nullptr ? "BINARY" : collation;
}

struct Index {
  std::string name;
  bool unique = false, primary = false, partial = false;
};

// Reads the indexes of a table; the name of a collation that SQLite does not have, if any.
Expected<std::string> read_indexes(sqlite3* connection, RowTable& table, bool& key_is_rowid) {
  std::vector<Index> indexes;
  BPD_TRY(for_each_row(
      connection, "SELECT name, \"unique\", origin = 'pk', partial FROM pragma_index_list(?1, ?2)",
      kReading,
      [&](sqlite3_stmt* row) {
        indexes.push_back({column_text(row, 0), sqlite3_column_int(row, 1) != 0,
                           sqlite3_column_int(row, 2) != 0, sqlite3_column_int(row, 3) != 0});
      },
      {table.name, "main"}));
  std::string strange;
  for (const Index& index : indexes) {
    if (index.primary) key_is_rowid = false;
    UniqueIndex unique;
    bool plain = index.unique && !index.primary && !index.partial;
    BPD_TRY(for_each_row(connection,
                         "SELECT cid, name, coll FROM pragma_index_xinfo(?1, ?2) "
                         "WHERE key = 1 ORDER BY seqno",
                         kReading,
                         [&](sqlite3_stmt* row) {
                           const std::string name = column_text(row, 1);
                           const std::string collation = column_text(row, 2);
                           if (!is_own(collation)) strange = collation;
                           const bool known = std::find(table.columns.begin(), table.columns.end(),
                                                        name) != table.columns.end();
                           plain = plain && sqlite3_column_int(row, 0) >= 0 && known;
                           unique.columns.push_back(name);
                           unique.collations.push_back(collation);
                         },
                         {index.name, "main"}));
    if (plain) table.uniques.push_back(std::move(unique));
  }
  return strange;
}

// Where the parent's columns are not named they are its primary key.
Expected<> read_references(sqlite3* connection, RowTable& table) {
  std::map<int, ForeignKey> found;
  bool implicit = false;
  BPD_TRY(
      for_each_row(connection,
                   "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1, ?2) "
                   "ORDER BY id, seq",
                   kReading,
                   [&](sqlite3_stmt* row) {
                     ForeignKey& key = found[sqlite3_column_int(row, 0)];
                     key.parent = column_text(row, 1);
                     key.from.push_back(column_text(row, 2));
                     key.to.push_back(column_text(row, 3));
                     implicit = implicit || key.to.back().empty();
                   },
                   {table.name, "main"}));
  for (auto& [id, key] : found) {
    if (implicit && key.to.front().empty()) {
      BPD_TRY_AS(columns, columns_of(connection, "main", key.parent));
      const auto parents = key_of(*columns);
      if (parents.size() != key.to.size()) continue;  // SQLite refuses to write there, and says why
      for (std::size_t i = 0; i < parents.size(); ++i) key.to[i] = parents[i].name;
    }
    table.references.push_back(std::move(key));
  }
  return {};
}

std::string free_rowid_name(const std::vector<Column>& columns) {
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    if (find(columns, name) == nullptr) return name;
  }
  return {};
}

// Compiling it compiles the triggers as well: what only the owning program has shows here.
void try_to_write(sqlite3* connection, RowTable& table) {
  if (!table.not_writable.empty()) return;
  for (const std::string& sql :
       {insert_statement(table), "DELETE FROM main." + quote_identifier(table.name) + " WHERE " +
                                     has_key(table, "main." + quote_identifier(table.name))}) {
    const auto statement = sqlite::prepare(connection, sql, "its triggers or rules cannot be read");
    if (!statement) {
      table.not_writable = statement.error().message;
      return;
    }
  }
}

struct Pair {
  std::optional<RowTable> table;
  std::string refused;
};

std::string strange_collation(const std::string& collation) {
  return "it needs the collation " + collation + ", which only its own program has";
}

Expected<Pair> pair_table(sqlite3* connection, const std::string& snapshot,
                          const std::string& name) {
  BPD_TRY_AS(now, columns_of(connection, "main", name));
  BPD_TRY_AS(then, columns_of(connection, snapshot, name));
  const auto key = key_of(*now);
  if (key.empty()) return Pair{std::nullopt, "it has no primary key to tell its rows apart by"};
  if (!same_key_declared(key, key_of(*then))) {
    return Pair{std::nullopt, "its primary key is declared otherwise in the snapshot"};
  }
  RowTable table;
  table.name = name;
  for (const Column& column : *now) {
    const Column* old = find(*then, column.name);
    if (column.generated || (old != nullptr && old->generated)) {
      table.not_writable = "it has generated columns, which cannot be taken out again exactly";
      if (column.key > 0) return Pair{std::nullopt, "its primary key is a generated column"};
    } else if (old != nullptr) {
      table.columns.push_back(column.name);
    } else if (column.not_null && !column.has_default) {
      table.not_writable =
          "its column " + column.name + " is new, must be filled and has no default";
    }
  }
  for (const Column& column : *then) {
    if (find(*now, column.name) == nullptr) table.gone.push_back(column.name);
  }
  for (const Column& column : key) {
    table.key.push_back(column.name);
    table.collations.push_back(collation_of(connection, "main", name, column.name));
    const std::string before = collation_of(connection, snapshot, name, column.name);
    if (!is_own(table.collations.back())) {
      return Pair{std::nullopt, strange_collation(table.collations.back())};
    }
    if (!same_name(table.collations.back(), before)) {
      return Pair{std::nullopt, "its primary key is declared otherwise in the snapshot"};
    }
  }
  const bool without_rowid = is_without_rowid(connection, name).value_or(true);
  bool key_is_rowid = !without_rowid && key.size() == 1;
  BPD_TRY_AS(strange, read_indexes(connection, table, key_is_rowid));
  if (!strange->empty()) return Pair{std::nullopt, strange_collation(*strange)};
  if (!without_rowid && !key_is_rowid) {
    table.rowid = free_rowid_name(*now);
    if (free_rowid_name(*then) != table.rowid) table.rowid.clear();
  }
  BPD_TRY(read_references(connection, table));
  try_to_write(connection, table);
  return Pair{std::move(table), {}};
}

Expected<std::vector<std::string>> ordinary_tables(sqlite3* connection, const std::string& schema) {
  std::vector<std::string> names;
  BPD_TRY(for_each_row(connection,
                       "SELECT name FROM " + schema +
                           ".sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE "
                           "'sqlite\\_%' ESCAPE '\\' ORDER BY name",
                       kReading, [&](sqlite3_stmt* row) { names.push_back(column_text(row, 0)); }));
  return names;
}

bool has_content_of_its_own(const VirtualTable& table, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return same_name(name, table.name + "_content");
  });
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         sqlite3_strnicmp(a.data(), b.data(), static_cast<int>(a.size())) == 0;
}

Expected<PairedTables> pair_tables(sqlite3* connection, const std::string& snapshot) {
  BPD_TRY_AS(shadows, ShadowTables::of(connection));
  BPD_TRY_AS(now, ordinary_tables(connection, "main"));
  BPD_TRY_AS(then, ordinary_tables(connection, snapshot));
  BPD_TRY_AS(virtual_ones, virtual_tables(connection));
  const auto is_in = [](const std::vector<std::string>& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& one) { return same_name(one, name); });
  };
  PairedTables result;
  for (const std::string& name : *now) {
    if (shadows->contains(name) || !is_in(*then, name)) continue;
    if (!table_is_known(connection, name)) {
      result.refused.push_back({name, "this program cannot read how it is declared"});
      continue;
    }
    BPD_TRY_AS(pair, pair_table(connection, snapshot, name));
    if (pair->table) {
      result.tables.push_back(std::move(*pair->table));
    } else {
      result.refused.push_back({name, std::move(pair->refused)});
    }
  }
  for (const std::string& name : *then) {
    if (shadows->contains(name) || is_in(*now, name)) continue;
    result.refused.push_back({name, "it is not in the live database any more"});
  }
  for (const VirtualTable& table : *virtual_ones) {
    if (!has_content_of_its_own(table, *now)) continue;
    result.refused.push_back({table.name, "it is a full-text table with content of its own"});
  }
  return result;
}

std::string listed(const std::vector<std::string>& columns, const std::string& alias) {
  std::string text;
  for (const std::string& column : columns) {
    text +=
        (text.empty() ? "" : ", ") + (alias.empty() ? "" : alias + ".") + quote_identifier(column);
  }
  return text;
}

std::string same_key(const RowTable& table, const std::string& a, const std::string& b) {
  std::string text;
  for (const std::string& column : table.key) {
    const std::string name = quote_identifier(column);
    text += (text.empty() ? "" : " AND ") + a + "." + name + " = " + b + "." + name;
  }
  return text;
}

std::vector<std::string> columns_beside_key(const RowTable& table) {
  std::vector<std::string> columns;
  std::copy_if(table.columns.begin(), table.columns.end(), std::back_inserter(columns),
               [&](const std::string& column) {
                 return std::find(table.key.begin(), table.key.end(), column) == table.key.end();
               });
  return columns;
}

bool has_columns(const RowTable& table, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::any_of(table.columns.begin(), table.columns.end(),
                       [&](const std::string& one) { return same_name(one, name); });
  });
}

std::string differs(const RowTable& table, const std::string& a, const std::string& b) {
  std::string text;
  for (const std::string& column : columns_beside_key(table)) {
    const std::string name = "." + quote_identifier(column);
    text += (text.empty() ? "(" : " OR ") + a + name + " IS NOT " + b + name + " COLLATE BINARY";
  }
  return text.empty() ? text : text + ")";
}

std::string has_key(const RowTable& table, const std::string& a) {
  std::string text;
  for (const std::string& column : table.key) {
    text += (text.empty() ? "" : " AND ") + a + "." + quote_identifier(column) + " IS NOT NULL";
  }
  return text;
}

std::string refers(const ForeignKey& key, const std::string& child, const std::string& parent) {
  std::string text;
  for (std::size_t i = 0; i < key.from.size(); ++i) {
    // The parent's column comes first: its collation and type decide, as in SQLite's own check.
    text += (text.empty() ? "" : " AND ") + parent + "." + quote_identifier(key.to[i]) + " = " +
            child + "." + quote_identifier(key.from[i]);
  }
  return text;
}

std::string insert_statement(const RowTable& table) {
  std::string columns = listed(table.columns);
  std::string values;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    values += (i == 0 ? "?" : ", ?") + std::to_string(i + 1);
  }
  const std::string name = "main." + quote_identifier(table.name);
  if (!table.rowid.empty()) {
    // The number that it had, where no other row has it by now.
    const std::string number = "?" + std::to_string(table.columns.size() + 1);
    columns += ", " + table.rowid;
    values += ", (SELECT " + number + " WHERE NOT EXISTS (SELECT 1 FROM " + name + " WHERE " +
              table.rowid + " = " + number + "))";
  }
  return "INSERT INTO " + name + "(" + columns + ") VALUES(" + values + ")";
}

}  // namespace core
