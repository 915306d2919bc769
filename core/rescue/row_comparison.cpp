#include "core/rescue/row_comparison.h"

#include <sqlite3.h>

#include "core/rescue/row_choice.h"
#include "core/rescue/table_pairs.h"
#include "core/sqlite/pinned_source.h"

namespace core {
namespace {

constexpr const char* kThen = "snap";

// One pass over the snapshot's rows, each looked up in the live database by its key.
Expected<TableComparison> compare_table(sqlite3* connection, const RowTable& table) {
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

Expected<bool> are_too_large(const fs::path& live, const fs::path& snapshot, const Env& env) {
  BPD_TRY_AS(now, env.files.info(live));
  BPD_TRY_AS(then, env.files.info(snapshot));
  return now->bytes + then->bytes > kMaxComparedBytes;
}

}  // namespace

Expected<RowComparison> compare_rows(const fs::path& live, const fs::path& snapshot,
                                     std::chrono::milliseconds busy_timeout, const Env& env,
                                     std::stop_token stop) {
  BPD_TRY_AS(source, env.files.canonical(live));
  BPD_TRY_AS(then, env.files.canonical(snapshot));
  RowComparison result;
  BPD_TRY_AS(too_large, are_too_large(*source, *then, env));
  if (*too_large) {
    result.ended = "database and snapshot are larger than " +
                   std::to_string(kMaxComparedBytes >> 30) + " GiB together";
    return result;
  }
  BPD_TRY_AS(pinned, PinnedSource::open(*source, busy_timeout, env, stop));
  sqlite3* connection = pinned->connection();
  BPD_TRY(attach_snapshot(connection, *then, kThen));
  const Deadline deadline(connection, kComparisonTime, stop);
  BPD_TRY_AS(paired, pair_tables(connection, kThen));
  result.refused = std::move(paired->refused);
  for (const RowTable& table : paired->tables) {
    auto compared = compare_table(connection, table);
    if (compared) {
      result.tables.push_back(std::move(*compared));
      continue;
    }
    if (compared.error().code != ErrorCode::cancelled || !deadline.passed()) {
      return fail(compared.error());
    }
    result.ended = "it took more than " + std::to_string(kComparisonTime.count()) + " s";
    break;
  }
  BPD_TRY(pinned->intact());
  return result;
}

}  // namespace core
