#include "core/rescue/row_comparison.h"

#include <sqlite3.h>

#include "core/rescue/row_choice.h"
#include "core/rescue/table_pairs.h"
#include "core/sqlite/pinned_source.h"

namespace core {
namespace {

constexpr const char* kThen = "snap";

// One pass over the snapshot's rows, each looked up in the live database by its key.
Expected<TableComparison> compare_table(sqlite3* connection, const RowTable& table,
                                        const Deadline& deadline) {
  // Few rows are counted before SQLite asks for the time.
  if (deadline.passed()) return fail(ErrorCode::cancelled, "The time to compare is over.");
  const std::string what = "cannot compare table " + table.name;
  const std::string absent = "l." + sqlite::quote_identifier(table.key.front()) + " IS NULL";
  const std::string other = table.keyless ? "" : differs(table, "s", "l");
  TableComparison result;
  result.name = table.name;
  BPD_TRY(sqlite::for_each_row(
      connection,
      "SELECT count(*) FILTER (WHERE " + absent + "), count(*) FILTER (WHERE NOT " + absent +
          (other.empty() ? "), 0"
                         : "), count(*) FILTER (WHERE NOT " + absent + " AND " + other + ")") +
          " FROM " + table.then + " AS s LEFT JOIN " + table.now + " AS l ON " +
          same_key(table, "l", "s") + " WHERE " + has_key(table, "s"),
      what, [&](sqlite3_stmt* row) {
        result.only_then = static_cast<std::uint64_t>(sqlite3_column_int64(row, 0));
        result.same = static_cast<std::uint64_t>(sqlite3_column_int64(row, 1));
        result.changed = static_cast<std::uint64_t>(sqlite3_column_int64(row, 2));
      }));
  BPD_TRY_AS(now,
             sqlite::query_integer(
                 connection,
                 "SELECT count(*) FROM " + table.now + " AS l WHERE " + has_key(table, "l"), what));
  result.only_now = static_cast<std::uint64_t>(*now) - result.same;
  result.same -= result.changed;
  return result;
}

Expected<std::uint64_t> bytes_together(const fs::path& live, const fs::path& snapshot,
                                       const Env& env) {
  BPD_TRY_AS(now, env.files.info(live));
  BPD_TRY_AS(then, env.files.info(snapshot));
  return now->bytes + then->bytes;
}

}  // namespace

Expected<RowComparison> compare_rows(const fs::path& live, const fs::path& snapshot,
                                     std::chrono::milliseconds busy_timeout, const Env& env,
                                     std::stop_token stop, const ComparisonBounds& bounds) {
  BPD_TRY_AS(source, env.files.canonical(live));
  BPD_TRY_AS(then, env.files.canonical(snapshot));
  RowComparison result;
  BPD_TRY_AS(bytes, bytes_together(*source, *then, env));
  if (*bytes > bounds.bytes) {
    result.ended = "database and snapshot are larger than " + std::to_string(bounds.bytes >> 30) +
                   " GiB together";
    return result;
  }
  BPD_TRY_AS(pinned, PinnedSource::open(*source, busy_timeout, env, stop));
  sqlite3* connection = pinned->connection();
  BPD_TRY(attach_snapshot(connection, *then, kThen));
  const Deadline deadline(connection, bounds.time, stop);
  BPD_TRY_AS(paired, pair_tables(connection, kThen));
  result.refused = std::move(paired->refused);
  for (const RowTable& table : paired->tables) {
    auto compared = compare_table(connection, table, deadline);
    if (compared) {
      result.tables.push_back(std::move(*compared));
      continue;
    }
    if (compared.error().code != ErrorCode::cancelled || !deadline.passed()) {
      return fail(compared.error());
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(bounds.time);
    result.ended = "it took more than " + std::to_string(seconds.count()) + " s";
    break;
  }
  BPD_TRY(pinned->intact());
  return result;
}

}  // namespace core
