#include "core/row_counts.h"

#include <sqlite3.h>

#include <vector>

#include "core/sqlite.h"

namespace core {

Expected<std::map<std::string, std::uint64_t>> count_rows(sqlite3* connection,
                                                          std::stop_token stop) {
  // Within one count nothing but an interrupt is heeded.
  const std::stop_callback interrupt(stop, [connection] { sqlite3_interrupt(connection); });
  // https://www.sqlite.org/pragma.html#pragma_table_list tells shadow tables from ordinary ones.
  auto tables = sqlite::prepare(connection,
                                "SELECT name FROM pragma_table_list WHERE schema = 'main' "
                                "AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
                                "cannot list the tables");
  if (!tables) return fail(tables.error());
  std::vector<std::string> names;
  int rc = SQLITE_ROW;
  while ((rc = sqlite3_step(tables->get())) == SQLITE_ROW) {
    names.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(tables->get(), 0)));
  }
  if (rc != SQLITE_DONE) {
    return fail(sqlite::error_from(rc, connection, "cannot list the tables"));
  }
  std::map<std::string, std::uint64_t> rows;
  for (const std::string& name : names) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "The count was cancelled.");
    const auto count = sqlite::query_integer(
        connection, "SELECT count(*) FROM main." + sqlite::quote_identifier(name),
        "cannot count the rows of table " + name);
    if (!count) return fail(count.error());
    rows[name] = static_cast<std::uint64_t>(*count);
  }
  return rows;
}

}  // namespace core
