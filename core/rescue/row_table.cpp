#include "core/rescue/row_table.h"

#include <sqlite3.h>

#include <algorithm>

#include "core/sqlite/sqlite.h"

namespace core {

using sqlite::quote_identifier;

std::string free_rowid_name(const std::vector<std::string>& columns) {
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    if (std::none_of(columns.begin(), columns.end(),
                     [&](const std::string& column) { return same_name(column, name); })) {
      return name;
    }
  }
  return {};
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         sqlite3_strnicmp(a.data(), b.data(), static_cast<int>(a.size())) == 0;
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
