#include "core/rescue/keyless_rows.h"

#include <sqlite3.h>

#include "core/platform/sha256.h"
#include "core/rescue/row_text.h"
#include "core/sqlite/sqlite.h"

namespace core {
namespace {

using sqlite::quote_identifier;

constexpr std::size_t kDigestChars = 32;
constexpr const char* kTellingApart = "cannot tell the rows apart";

void digest_function(sqlite3_context* context, int count, sqlite3_value** values) {
  const std::string text = sha256_of(exact_key(std::vector<sqlite3_value*>(values, values + count)))
                               .substr(0, kDigestChars);
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

Expected<> add_digest_function(sqlite3* connection) {
  const int rc = sqlite3_create_function_v2(connection, "backup_digest", -1,
                                            SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                            nullptr, digest_function, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return fail(sqlite::error_from(rc, connection, kTellingApart));
  return {};
}

std::string keys_name(const std::string& schema, const RowTable& table) {
  return "temp." + quote_identifier("backup_keys_" + schema + "_" + table.name);
}

Expected<> note_keys(sqlite3* connection, const std::string& schema, const RowTable& table) {
  const std::string keys = keys_name(schema, table);
  return sqlite::execute(
      connection,
      "CREATE TABLE IF NOT EXISTS " + keys + "(" + kPlace + " INTEGER PRIMARY KEY, " + kContentKey +
          " TEXT UNIQUE); DELETE FROM " + keys + "; INSERT INTO " + keys +
          " SELECT r, d || '-' || row_number() OVER (PARTITION BY d ORDER BY r) FROM (SELECT " +
          table.rowid + " AS r, backup_digest(" + listed(table.columns) + ") AS d FROM " + schema +
          "." + quote_identifier(table.name) + ")",
      kTellingApart);
}

std::string rows_with_keys(const std::string& schema, const RowTable& table) {
  return "(SELECT " + listed(table.columns, "t") + ", k." + kPlace + ", k." + kContentKey +
         " FROM " + keys_name(schema, table) + " AS k JOIN " + schema + "." +
         quote_identifier(table.name) + " AS t ON t." + table.rowid + " = k." + kPlace + ")";
}

Expected<bool> has_few_rows(sqlite3* connection, const std::string& schema, const RowTable& table) {
  BPD_TRY_AS(rows, sqlite::query_integer(connection,
                                         "SELECT count(*) FROM (SELECT 1 FROM " + schema + "." +
                                             quote_identifier(table.name) + " LIMIT " +
                                             std::to_string(kMaxKeylessRows + 1) + ")",
                                         kTellingApart));
  return *rows <= kMaxKeylessRows;
}

}  // namespace

Expected<std::string> tell_apart_by_content(sqlite3* connection, const std::string& snapshot,
                                            RowTable& table) {
  if (table.rowid.empty() || table.columns.empty()) {
    return std::string("it has no primary key to tell its rows apart by");
  }
  BPD_TRY(add_digest_function(connection));
  for (const std::string& schema : {std::string("main"), snapshot}) {
    BPD_TRY_AS(few, has_few_rows(connection, schema, table));
    if (!*few) {
      return "it has no primary key, and more than " + std::to_string(kMaxKeylessRows) +
             " rows to tell apart by their content";
    }
    BPD_TRY(note_keys(connection, schema, table));
  }
  table.keyless = true;
  table.recorded = false;
  table.key = {kContentKey};
  table.collations = {"BINARY"};
  table.now = rows_with_keys("main", table);
  table.then = rows_with_keys(snapshot, table);
  return std::string();
}

std::string changed_counts_as_gone(const std::string& table) {
  return "Table " + table +
         " has no primary key: a row that was changed since counts as gone, and would come back as "
         "it was beside what it is now.";
}

Expected<> look_again(sqlite3* connection, const RowTable& table) {
  if (!table.keyless) return {};
  return note_keys(connection, "main", table);
}

}  // namespace core
