// How many rows each table of a database has.
#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>

#include "core/base/error.h"

struct sqlite3;

namespace core {

struct RowCounts {
  std::map<std::string, std::uint64_t> rows;          // of ordinary tables
  std::map<std::string, std::uint64_t> virtual_rows;  // of virtual ones
  bool operator==(const RowCounts&) const = default;

  // Both: a name is of one table only.
  std::map<std::string, std::uint64_t> all() const {
    auto both = rows;
    both.insert(virtual_rows.begin(), virtual_rows.end());
    return both;
  }
};

// Counts the rows of every ordinary table, and those of full-text (FTS3 to 5) and R-Tree tables
// that hold their own: an index over another table does not. These are counted by one of their
// shadow tables, without running the module's code. Tables of modules that this SQLite does not
// know are not asked either; what they keep in tables of their own, SQLite shows as ordinary
// tables. SQLite's own tables are left out.
//
// Reads the smallest index of each table or the table itself; interrupting the connection or a stop
// request ends it (cancelled).
Expected<RowCounts> count_rows(sqlite3* connection, std::stop_token stop);

}  // namespace core
