#include "core/rescue/table_pairs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "core/rescue/keyless_rows.h"
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

std::vector<std::string> names_of(const std::vector<Column>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

// Compiling it compiles the triggers as well: what only the owning program has shows here.
void try_to_write(sqlite3* connection, RowTable& table) {
  if (!table.not_writable.empty()) return;
  const std::string name = "main." + quote_identifier(table.name);
  for (const std::string& sql :
       {insert_statement(table),
        "DELETE FROM " + name + " WHERE " +
            (table.keyless || table.by_place ? "0" : has_key(table, name))}) {
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
  if (!same_key_declared(key, key_of(*then))) {
    return Pair{std::nullopt, "its primary key is declared otherwise in the snapshot"};
  }
  RowTable table;
  table.name = name;
  table.now = "main." + quote_identifier(name);
  table.then = snapshot + "." + quote_identifier(name);
  for (const Column& column : *now) {
    const Column* old = find(*then, column.name);
    if (column.generated || (old != nullptr && old->generated)) {
      table.recorded = false;
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
    table.rowid = free_rowid_name(names_of(*now));
    if (free_rowid_name(names_of(*then)) != table.rowid) table.rowid.clear();
  }
  if (key.empty()) {
    BPD_TRY_AS(refused, tell_apart_by_content(connection, snapshot, table));
    if (!refused->empty()) return Pair{std::nullopt, std::move(*refused)};
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

// FTS5 keeps its text in an ordinary table, which is read; it is written through the module.
std::string full_text_rows(const std::string& schema, const std::string& name,
                           const std::vector<std::string>& columns) {
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    text += "c" + std::to_string(i) + " AS " + quote_identifier(columns[i]) + ", ";
  }
  return "(SELECT " + text + "id AS " + kPlace + " FROM " + schema + "." +
         quote_identifier(name + "_content") + ")";
}

Expected<Pair> pair_full_text(sqlite3* connection, const std::string& snapshot,
                              const VirtualTable& index) {
  if (index.module != "fts5" || !module_is_known(connection, index.module)) {
    return Pair{std::nullopt, "it is a full-text table of a kind that is not compared"};
  }
  std::string then;
  BPD_TRY(for_each_row(
      connection,
      "SELECT sql FROM " + snapshot + ".sqlite_schema WHERE type = 'table' AND name = ?1", kReading,
      [&](sqlite3_stmt* row) { then = column_text(row, 0); }, {index.name}));
  if (then.empty()) return Pair{};  // it is new: nothing of it can be gone
  if (then != index.sql) return Pair{std::nullopt, "it is declared otherwise in the snapshot"};
  BPD_TRY_AS(columns, columns_of(connection, "main", index.name));
  RowTable table;
  table.name = index.name;
  for (const Column& column : *columns) {
    if (!column.generated) table.columns.push_back(column.name);  // no hidden ones
  }
  table.key = {kPlace};
  table.collations = {"BINARY"};
  table.rowid = free_rowid_name(table.columns);
  table.now = full_text_rows("main", index.name, table.columns);
  table.then = full_text_rows(snapshot, index.name, table.columns);
  table.by_place = true;
  table.recorded = false;
  try_to_write(connection, table);
  return Pair{std::move(table), {}};
}

}  // namespace

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
    BPD_TRY_AS(pair, pair_full_text(connection, snapshot, table));
    if (pair->table) {
      result.tables.push_back(std::move(*pair->table));
    } else if (!pair->refused.empty()) {
      result.refused.push_back({table.name, std::move(pair->refused)});
    }
  }
  std::sort(result.tables.begin(), result.tables.end(),
            [](const RowTable& a, const RowTable& b) { return a.name < b.name; });
  return result;
}

}  // namespace core
