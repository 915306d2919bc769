#include "core/sqlite/row_counts.h"

#include <sqlite3.h>

#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "core/sqlite/sqlite.h"
#include "core/sqlite/virtual_tables.h"

namespace core {
namespace {

struct Tables {
  std::vector<std::string> ordinary;
  std::vector<VirtualTable> virtual_ones;
  std::set<std::string> shadows;
};

Expected<Tables> list_tables(sqlite3* connection) {
  BPD_TRY_AS(shadows, ShadowTables::of(connection));
  BPD_TRY_AS(virtual_ones, virtual_tables(connection));
  Tables tables;
  tables.virtual_ones = std::move(*virtual_ones);
  // A virtual table has no page of its own.
  BPD_TRY(sqlite::for_each_row(connection,
                               "SELECT name FROM main.sqlite_schema WHERE type = 'table' "
                               "AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
                               "cannot list the tables", [&](sqlite3_stmt* row) {
                                 std::string name = sqlite::column_text(row, 0);
                                 if (shadows->contains(name)) {
                                   tables.shadows.insert(std::move(name));
                                 } else if (table_is_known(connection, name)) {
                                   tables.ordinary.push_back(std::move(name));
                                 }
                               }));
  return tables;
}

// Whether a full-text table has the option content=<another table>. With content='' it keeps no
// content, and its index alone says what it holds.
// https://www.sqlite.org/fts5.html#external_content_and_contentless_tables
bool indexes_another_table(std::string_view sql) {
  constexpr std::string_view kOption = "content";
  for (std::size_t at = 0; at + kOption.size() <= sql.size(); ++at) {
    if (sqlite3_strnicmp(sql.data() + at, kOption.data(), static_cast<int>(kOption.size())) != 0 ||
        (at > 0 && is_name_byte(sql[at - 1]))) {
      continue;
    }
    std::string_view rest = sql.substr(at + kOption.size());
    const auto skip_spaces = [&rest] {
      while (!rest.empty() && std::isspace(static_cast<unsigned char>(rest.front())) != 0) {
        rest.remove_prefix(1);
      }
    };
    skip_spaces();
    if (!rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    skip_spaces();
    return !rest.starts_with("''") && !rest.starts_with("\"\"") && !rest.starts_with(')') &&
           !rest.starts_with(',');
  }
  return false;
}

// The shadow table that has one row for each of a virtual table's. The smaller ones first.
std::optional<std::string> counted_by(const std::string& name, const std::string& sql,
                                      const std::set<std::string>& shadows) {
  const bool has_content = shadows.contains(name + "_content");
  if (!has_content && indexes_another_table(sql)) return std::nullopt;
  // FTS4 and 5, R-Tree, FTS3. https://www.sqlite.org/fts5.html#fts5_data_structures,
  // https://www.sqlite.org/fts3.html#shadow_tables, https://www.sqlite.org/rtree.html
  for (const char* suffix : {"_docsize", "_rowid", "_content"}) {
    if (shadows.contains(name + suffix)) return name + suffix;
  }
  return std::nullopt;
}

Expected<std::uint64_t> count_of(sqlite3* connection, const std::string& table) {
  BPD_TRY_AS(count, sqlite::query_integer(
                        connection, "SELECT count(*) FROM main." + sqlite::quote_identifier(table),
                        "cannot count the rows of table " + table));
  return static_cast<std::uint64_t>(*count);
}

}  // namespace

Expected<RowCounts> count_rows(sqlite3* connection, std::stop_token stop) {
  // Within one count nothing but an interrupt is heeded.
  const std::stop_callback interrupt(stop, [connection] { sqlite3_interrupt(connection); });
  BPD_TRY_AS(tables, list_tables(connection));
  RowCounts counts;
  const auto stopped = [] { return fail(ErrorCode::cancelled, "The count was cancelled."); };
  for (const std::string& name : tables->ordinary) {
    if (stop.stop_requested()) return stopped();
    BPD_TRY_AS(count, count_of(connection, name));
    counts.rows[name] = *count;
  }
  for (const auto& [name, module, sql] : tables->virtual_ones) {
    if (stop.stop_requested()) return stopped();
    const auto shadow = counted_by(name, sql, tables->shadows);
    if (!shadow) continue;
    const auto count = count_of(connection, *shadow);
    if (!count && count.error().code == ErrorCode::cancelled) return fail(count.error());
    // A shadow table that cannot be read is a finding of the checks, not an end of the count.
    if (count) counts.virtual_rows[name] = *count;
  }
  return counts;
}

}  // namespace core
