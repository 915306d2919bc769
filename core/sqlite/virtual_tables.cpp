#include "core/sqlite/virtual_tables.h"

#include <sqlite3.h>

#include <algorithm>
#include <initializer_list>

#include "core/base/lower_case.h"
#include "core/sqlite/sqlite.h"

namespace core {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

// The next name or word of an SQL text, unquoted; empty at anything else.
std::string next_word(std::string_view& sql) {
  while (!sql.empty() && is_space(sql.front())) sql.remove_prefix(1);
  if (sql.empty()) return "";
  std::string word;
  const char open = sql.front();
  if (open == '"' || open == '`' || open == '[' || open == '\'') {
    const char close = open == '[' ? ']' : open;
    sql.remove_prefix(1);
    while (!sql.empty()) {
      const char c = sql.front();
      sql.remove_prefix(1);
      if (c == close) {
        const bool doubled = open != '[' && !sql.empty() && sql.front() == close;
        if (!doubled) return word;
        sql.remove_prefix(1);
      }
      word += c;
    }
    return "";
  }
  while (!sql.empty() && is_name_byte(sql.front())) {
    word += sql.front();
    sql.remove_prefix(1);
  }
  return word;
}

// SQLite stores "CREATE VIRTUAL TABLE " and then the statement's own text from the name on.
std::string module_of(std::string_view sql) {
  for (const char* keyword : {"create", "virtual", "table"}) {
    if (lower_case(next_word(sql)) != keyword) return "";
  }
  next_word(sql);
  if (lower_case(next_word(sql)) != "using") return "";
  return lower_case(next_word(sql));
}

// What the modules that come with SQLite call theirs: the part behind the last underscore.
bool is_suffix_of(const std::string& module, const std::string& suffix) {
  const auto is_one_of = [&](std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), suffix) != names.end();
  };
  if (module == "fts5") return is_one_of({"config", "content", "data", "docsize", "idx"});
  if (module == "fts3" || module == "fts4") {
    return is_one_of({"content", "docsize", "segdir", "segments", "stat"});
  }
  if (module == "rtree" || module == "rtree_i32" || module == "geopoly") {
    return is_one_of({"node", "parent", "rowid"});
  }
  return false;
}

}  // namespace

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

Expected<std::vector<VirtualTable>> virtual_tables(sqlite3* connection) {
  std::vector<VirtualTable> tables;
  BPD_TRY(sqlite::for_each_row(
      connection,
      "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name IS NOT NULL "
      "AND sql LIKE 'create virtual table %' ORDER BY name",
      "cannot list the virtual tables", [&](sqlite3_stmt* row) {
        const std::string sql = sqlite::column_text(row, 1);
        tables.push_back({sqlite::column_text(row, 0), module_of(sql), sql});
      }));
  return tables;
}

bool module_is_known(sqlite3* connection, const std::string& module) {
  sqlite3_stmt* raw = nullptr;
  sqlite3_prepare_v2(connection, "SELECT 1 FROM pragma_module_list WHERE lower(name) = ?", -1, &raw,
                     nullptr);
  const sqlite::StatementHandle statement(raw);
  if (!statement) return true;
  sqlite3_bind_text(raw, 1, module.data(), static_cast<int>(module.size()), SQLITE_STATIC);
  return sqlite3_step(raw) == SQLITE_ROW;
}

bool table_is_known(sqlite3* connection, const std::string& name) {
  return sqlite3_table_column_metadata(connection, "main", name.c_str(), nullptr, nullptr, nullptr,
                                       nullptr, nullptr, nullptr) == SQLITE_OK;
}

// PRAGMA table_list would tell, and ask every view for its columns.
std::optional<bool> is_without_rowid(sqlite3* connection, const std::string& name) {
  if (!table_is_known(connection, name)) return std::nullopt;
  // https://www.sqlite.org/c3ref/blob_open.html refuses such a table before it looks for a column.
  sqlite3_blob* blob = nullptr;
  const int rc = sqlite3_blob_open(connection, "main", name.c_str(), "", 0, 0, &blob);
  const std::string_view why = rc == SQLITE_OK ? "" : sqlite3_errmsg(connection);
  const bool refused = why.starts_with("cannot open table without rowid");
  sqlite3_blob_close(blob);
  return refused;
}

Expected<ShadowTables> ShadowTables::of(sqlite3* connection) {
  BPD_TRY_AS(tables, virtual_tables(connection));
  ShadowTables shadows;
  std::map<std::string, bool> known;
  for (const VirtualTable& table : *tables) {
    const auto [module, is_new] = known.try_emplace(table.module);
    if (is_new) module->second = module_is_known(connection, table.module);
    if (module->second) shadows.modules_[lower_case(table.name)] = table.module;
  }
  return shadows;
}

bool ShadowTables::contains(std::string_view table) const {
  const std::size_t mark = table.rfind('_');
  if (mark == std::string_view::npos) return false;
  const auto owner = modules_.find(lower_case(std::string(table.substr(0, mark))));
  return owner != modules_.end() &&
         is_suffix_of(owner->second, lower_case(std::string(table.substr(mark + 1))));
}

}  // namespace core
