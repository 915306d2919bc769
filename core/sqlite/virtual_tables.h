// What a schema declares, without any of it being run or compiled: virtual tables are read from its
// text, as asking SQLite about one would run its module, and views are not looked at.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

struct sqlite3;

namespace core {

struct VirtualTable {
  std::string name;
  std::string module;  // lower case; empty where the statement is none that SQLite writes
  std::string sql;
};

// In the order of their names.
Expected<std::vector<VirtualTable>> virtual_tables(sqlite3* connection);
// Whether this SQLite has the module.
bool module_is_known(sqlite3* connection, const std::string& module);

// Whether SQLite could read the statement of that table, which is no view.
bool table_is_known(sqlite3* connection, const std::string& name);
// Nothing for one that is not known.
std::optional<bool> is_without_rowid(sqlite3* connection, const std::string& name);

// Tells the tables in which a virtual table keeps its content from ordinary ones, as
// https://www.sqlite.org/pragma.html#pragma_table_list does. (That one asks every view for its
// columns, and views upon views can make it take for ever.)
class ShadowTables {
 public:
  static Expected<ShadowTables> of(sqlite3* connection);
  bool contains(std::string_view table) const;

 private:
  std::map<std::string, std::string> modules_;  // of virtual tables, by their names in lower case
};

// Whether SQLite reads the byte as part of an unquoted name (sqlite.org/lang_keywords.html).
bool is_name_byte(char c);

}  // namespace core
