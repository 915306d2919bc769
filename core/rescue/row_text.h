// Rows as people read them: keys, and a line of the columns that say most.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_value;

namespace core {

inline constexpr std::size_t kMaxKeyBytes = 200;    // of a key as it is shown
inline constexpr std::size_t kMaxValueBytes = 80;   // of a value
inline constexpr std::size_t kMaxShownColumns = 5;  // of a row

// UTF-8 on one line, whatever the bytes are: at most about `bytes` of them, then "…".
std::string shown(std::string_view text, std::size_t bytes);

// The first `columns` columns of a row; they last as its values do.
std::vector<sqlite3_value*> values_of(sqlite3_stmt* row, int columns);

// A key as it is given and shown: the value itself, of several columns ["a",1]; bytes that are no
// text as x'00ff'. Two keys of one table differ in it, but for a number and the same number as
// text.
std::string key_text(const std::vector<sqlite3_value*>& values);
// Of the first `columns` columns of a row, shortened: for people.
std::string shown_key(sqlite3_stmt* row, std::size_t columns);
// One that tells types apart, never shown: equal only for values that are the same.
std::string exact_key(const std::vector<sqlite3_value*>& values);
std::string exact_key(sqlite3_stmt* row, int columns);

// "content: Decided to …, tags: a, b": without the columns that are empty.
std::string line_of(sqlite3_stmt* row, const std::vector<std::string>& names);
// The same of the columns that differ between two rows of `names`, which lie behind each other from
// column `first` on: of the first of them, or of the second.
std::string differing_line(sqlite3_stmt* row, int first, bool second,
                           const std::vector<std::string>& names);

// Makes key_text an SQL function, backup_key(…), that no schema may call.
Expected<> add_key_function(sqlite3* connection);
// Fills temp.backup_wanted(key) for "backup_key(…) IN (SELECT key FROM temp.backup_wanted)".
Expected<> want_keys(sqlite3* connection, const std::vector<std::string>& keys);
// What stands between % in a LIKE … ESCAPE '\'.
std::string like_pattern(std::string_view text);

}  // namespace core
