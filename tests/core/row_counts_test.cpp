// Counting rows: what counts as a table, and that a stop ends a count that is under way.
#include "core/row_counts.h"

#include <sqlite3.h>

#include "core/sqlite.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "support/test_database.h"

namespace {

namespace sqlite = core::sqlite;

int request_stop_at_count(unsigned, void* stop, void*, void* sql) {
  if (std::string_view(static_cast<const char*>(sql)).find("count(*)") != std::string_view::npos) {
    static_cast<std::stop_source*>(stop)->request_stop();
  }
  return 0;
}

}  // namespace

TEST_CASE("rows are counted of ordinary tables, whatever their names") {
  const auto connection = sqlite::open(":memory:", SQLITE_OPEN_READWRITE);
  REQUIRE(connection);
  REQUIRE(sqlite::execute(connection->get(),
                          "CREATE TABLE \"o\"\"dd; name\"(a); INSERT INTO \"o\"\"dd; name\" "
                          "VALUES (1), (2); CREATE TABLE keyed(k PRIMARY KEY) WITHOUT ROWID;"
                          "INSERT INTO keyed VALUES ('x'); CREATE VIEW seen AS SELECT 1;"
                          "CREATE VIRTUAL TABLE words USING fts5(t);"
                          "CREATE TABLE auto(i INTEGER PRIMARY KEY AUTOINCREMENT)",
                          "cannot fill"));
  const auto rows = core::count_rows(connection->get(), {});
  REQUIRE(rows);
  CHECK(*rows ==
        std::map<std::string, std::uint64_t>{{"auto", 0}, {"keyed", 1}, {"o\"dd; name", 2}});
}

TEST_CASE("a stop request ends the count of a table that is under way") {
  const auto connection = sqlite::open(":memory:", SQLITE_OPEN_READWRITE);
  REQUIRE(connection);
  REQUIRE(sqlite::execute(connection->get(),
                          "CREATE TABLE t(a); WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT "
                          "i + 1 FROM n WHERE i < 10000) INSERT INTO t SELECT i FROM n",
                          "cannot fill"));
  std::stop_source stop;
  sqlite3_trace_v2(connection->get(), SQLITE_TRACE_STMT, request_stop_at_count, &stop);
  const auto rows = core::count_rows(connection->get(), stop.get_token());
  REQUIRE_FALSE(rows);
  CHECK(rows.error().code == core::ErrorCode::cancelled);
  CHECK(sqlite::query_integer(connection->get(), "SELECT count(*) FROM t", "cannot read") == 10000);
}
