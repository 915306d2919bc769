#include "core/rescue/row_text.h"

#include <sqlite3.h>

#include <array>
#include <cstdio>

#include "core/base/hex.h"
#include "core/catalog/manifest.h"
#include "core/sqlite/sqlite.h"

namespace core {
namespace {

std::string_view bytes_of(sqlite3_value* value) {
  const bool blob = sqlite3_value_type(value) == SQLITE_BLOB;
  const void* bytes = blob ? sqlite3_value_blob(value) : sqlite3_value_text(value);
  const auto count = static_cast<std::size_t>(sqlite3_value_bytes(value));
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), count);
}

std::string number_text(sqlite3_value* value) {
  if (sqlite3_value_type(value) == SQLITE_INTEGER) {
    return std::to_string(sqlite3_value_int64(value));
  }
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.17g", sqlite3_value_double(value));
  return text.data();
}

std::string one_key(sqlite3_value* value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_NULL:
      return "null";
    case SQLITE_TEXT:
      return manifest_text(bytes_of(value));
    case SQLITE_BLOB:
      return "x'" + hex_of(bytes_of(value)) + "'";
    default:
      return number_text(value);
  }
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

void key_function(sqlite3_context* context, int count, sqlite3_value** values) {
  const std::string text = key_text(std::vector<sqlite3_value*>(values, values + count));
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

std::string shown_value(sqlite3_value* value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_NULL:
      return "nothing";
    case SQLITE_BLOB:
      return std::to_string(sqlite3_value_bytes(value)) + " bytes";
    case SQLITE_TEXT:
      return shown(bytes_of(value), kMaxValueBytes);
    default:
      return number_text(value);
  }
}

}  // namespace

std::vector<sqlite3_value*> values_of(sqlite3_stmt* row, int columns) {
  std::vector<sqlite3_value*> values;
  values.reserve(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) values.push_back(sqlite3_column_value(row, i));
  return values;
}

std::string shown(std::string_view text, std::size_t bytes) {
  const bool cut = text.size() > bytes;
  if (cut) {
    text = text.substr(0, bytes);
    // Not within a character.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80) {
      text.remove_suffix(1);
    }
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xc0) text.remove_suffix(1);
  }
  std::string result = manifest_text(text);
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return cut ? result + "…" : result;
}

std::string key_text(const std::vector<sqlite3_value*>& values) {
  if (values.size() == 1) return one_key(values.front());
  std::string text = "[";
  for (sqlite3_value* value : values) {
    const std::string one = one_key(value);
    text += (text.size() == 1 ? "" : ",") +
            (sqlite3_value_type(value) == SQLITE_TEXT ? quoted(one) : one);
  }
  return text + "]";
}

std::string shown_key(sqlite3_stmt* row, std::size_t columns) {
  return shown(key_text(values_of(row, static_cast<int>(columns))), kMaxKeyBytes);
}

std::string exact_key(const std::vector<sqlite3_value*>& values) {
  std::string text;
  for (sqlite3_value* value : values) {
    const int type = sqlite3_value_type(value);
    const bool has_bytes = type == SQLITE_TEXT || type == SQLITE_BLOB;
    const std::string one = has_bytes ? std::string(bytes_of(value)) : number_text(value);
    // 1 and 1.0 are one key to SQLite.
    text += type == SQLITE_BLOB ? 'b' : type == SQLITE_TEXT ? 't' : type == SQLITE_NULL ? '0' : 'n';
    text += std::to_string(one.size()) + ":" + one;
  }
  return text;
}

std::string exact_key(sqlite3_stmt* row, int columns) {
  return exact_key(values_of(row, columns));
}

std::string line_of(sqlite3_stmt* row, const std::vector<std::string>& names) {
  std::string line;
  std::size_t told = 0;
  for (std::size_t i = 0; i < names.size() && told < kMaxShownColumns; ++i) {
    sqlite3_value* value = sqlite3_column_value(row, static_cast<int>(i));
    const int type = sqlite3_value_type(value);
    if (type == SQLITE_NULL || (type == SQLITE_TEXT && sqlite3_value_bytes(value) == 0)) continue;
    line += (told++ > 0 ? ", " : "") + shown(names[i], kMaxValueBytes) + ": " + shown_value(value);
  }
  return line;
}

std::string differing_line(sqlite3_stmt* row, int first, bool second,
                           const std::vector<std::string>& names) {
  std::string line;
  std::size_t told = 0;
  const auto width = static_cast<int>(names.size());
  for (int i = 0; i < width && told < kMaxShownColumns; ++i) {
    sqlite3_value* a = sqlite3_column_value(row, first + i);
    sqlite3_value* b = sqlite3_column_value(row, first + width + i);
    if (exact_key({a}) == exact_key({b})) continue;
    line += (told++ > 0 ? ", " : "") + shown(names[static_cast<std::size_t>(i)], kMaxValueBytes) +
            ": " + shown_value(second ? b : a);
  }
  return line;
}

Expected<> add_key_function(sqlite3* connection) {
  const int rc = sqlite3_create_function_v2(connection, "backup_key", -1,
                                            SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                            nullptr, key_function, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return fail(sqlite::error_from(rc, connection, "cannot add a function"));
  return {};
}

Expected<> want_keys(sqlite3* connection, const std::vector<std::string>& keys) {
  const char* const what = "cannot note the keys";
  BPD_TRY(sqlite::execute(connection,
                          "CREATE TEMP TABLE IF NOT EXISTS backup_wanted(key PRIMARY KEY); "
                          "DELETE FROM temp.backup_wanted",
                          what));
  BPD_TRY_AS(insert, sqlite::prepare(connection,
                                     "INSERT OR IGNORE INTO temp.backup_wanted VALUES(?)", what));
  for (const std::string& key : keys) {
    sqlite3_bind_text(insert->get(), 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
    const int rc = sqlite3_step(insert->get());
    if (rc != SQLITE_DONE) return fail(sqlite::error_from(rc, connection, what));
    sqlite3_reset(insert->get());
  }
  return {};
}

std::string like_pattern(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

}  // namespace core
