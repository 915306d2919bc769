// Counting rows: what counts as a table, and that a stop ends a count that is under way.
#include "core/sqlite/row_counts.h"

#include <sqlite3.h>

#include "core/sqlite/sqlite.h"
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

TEST_CASE("Rows are counted of ordinary tables, whatever their names") {
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
  CHECK(rows->rows ==
        std::map<std::string, std::uint64_t>{{"auto", 0}, {"keyed", 1}, {"o\"dd; name", 2}});
  CHECK(rows->virtual_rows == std::map<std::string, std::uint64_t>{{"words", 0}});
}

namespace {

core::RowCounts counts_after(const std::string& sql) {
  const auto connection = sqlite::open(":memory:", SQLITE_OPEN_READWRITE);
  REQUIRE(connection);
  if (auto done = sqlite::execute(connection->get(), sql, "cannot fill"); !done) {
    FAIL(done.error().message);
  }
  auto rows = core::count_rows(connection->get(), {});
  if (!rows) FAIL(rows.error().message);
  return *rows;
}

using Counts = std::map<std::string, std::uint64_t>;

}  // namespace

TEST_CASE("Rows of full-text and R-Tree tables that hold their own are counted") {
  const auto counts = counts_after(R"sql(
CREATE VIRTUAL TABLE "five's" USING fts5(content, title);
INSERT INTO "five's" VALUES ('a', 'b'), ('c', 'd'), ('e', 'f');
DELETE FROM "five's" WHERE title = 'b';
CREATE VIRTUAL TABLE plain USING fts5(a, columnsize = 0);
INSERT INTO plain VALUES ('a');
CREATE VIRTUAL TABLE index_only USING fts5(a, content = '');
INSERT INTO index_only(rowid, a) VALUES (1, 'a'), (2, 'b');
CREATE VIRTUAL TABLE four USING fts4(content, b);
INSERT INTO four VALUES ('a', 'b'), ('c', 'd');
CREATE VIRTUAL TABLE three USING fts3(a);
INSERT INTO three VALUES ('a'), ('b'), ('c'), ('d');
CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1);
INSERT INTO boxes VALUES (1, 0, 1), (2, 0, 1), (3, 0, 1), (4, 0, 1), (5, 0, 1))sql");
  CHECK(counts.rows.empty());
  CHECK(
      counts.virtual_rows ==
      Counts{
          {"five's", 2}, {"plain", 1}, {"index_only", 2}, {"four", 2}, {"three", 4}, {"boxes", 5}});
  CHECK(counts.all().size() == 6);
}

TEST_CASE("A full-text index over another table is not counted twice") {
  const auto counts = counts_after(R"sql(
CREATE TABLE notes(id INTEGER PRIMARY KEY, content);
INSERT INTO notes VALUES (1, 'a'), (2, 'b');
CREATE VIRTUAL TABLE by_five USING fts5(content, CONTENT = 'notes', content_rowid=id);
INSERT INTO by_five(by_five) VALUES ('rebuild');
CREATE VIRTUAL TABLE by_four USING fts4(content="notes", content);
INSERT INTO by_four(by_four) VALUES ('rebuild'))sql");
  CHECK(counts.rows == Counts{{"notes", 2}});
  CHECK(counts.virtual_rows.empty());
}

TEST_CASE("Tables of unknown modules do not fail a count, and what they keep is counted") {
  const auto connection = sqlite::open(":memory:", SQLITE_OPEN_READWRITE);
  REQUIRE(connection);
  REQUIRE(sqlite::execute(
      connection->get(),
      "CREATE TABLE v_rowids(a); INSERT INTO v_rowids VALUES (1), (2);"
      "PRAGMA writable_schema = ON;"
      "INSERT INTO sqlite_schema VALUES ('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING "
      "vec0(a)');"
      "INSERT INTO sqlite_schema VALUES ('table', 'gone', 'gone', 0, 'CREATE VIRTUAL TABLE gone "
      "USING fts5(a)'); PRAGMA writable_schema = RESET;",
      "cannot fill"));
  const auto counts = core::count_rows(connection->get(), {});
  REQUIRE(counts);
  CHECK(counts->rows == Counts{{"v_rowids", 2}});
  CHECK(counts->virtual_rows.empty());
}

TEST_CASE("A stop request ends the count of a table that is under way") {
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
