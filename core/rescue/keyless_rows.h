// Rows of tables without a primary key: told apart by their content, and the second of two that are
// alike by being the second.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"
#include "core/rescue/row_table.h"

struct sqlite3;

namespace core {

// The key of such a row: a digest of its columns and how many like it came before, "3f…-1".
inline constexpr const char* kContentKey = "backup_same";
// Their place in the table, beside it.
inline constexpr const char* kPlace = "backup_rowid";
// More rows, now or then, are not compared: each is read and digested.
inline constexpr std::int64_t kMaxKeylessRows = 50'000;

// Makes `table`, of which name, columns and rowid are known, one whose key is kContentKey: notes
// the keys in temporary tables and sets now, then, key and collations. What it returns is why it is
// refused; empty: it is not.
Expected<std::string> tell_apart_by_content(sqlite3* connection, const std::string& snapshot,
                                            RowTable& table);
// To be told with rows of such a table.
std::string changed_counts_as_gone(const std::string& table);
// Notes the keys of the live database's rows anew, as they are at this moment. Nothing for a table
// with a primary key.
Expected<> look_again(sqlite3* connection, const RowTable& table);

}  // namespace core
