#include "core/sqlite/sqlite.h"

#include <sqlite3.h>

#include "support/catch.h"
#include "support/temp_folder.h"
#include "support/test_database.h"
#include "support/writer_process.h"

using core::ErrorCode;
namespace sqlite = core::sqlite;

TEST_CASE("A database that is not there is not created by opening it for reading") {
  test::TempFolder folder;
  const auto connection = sqlite::open((folder / "absent.db").string(), SQLITE_OPEN_READONLY);
  REQUIRE_FALSE(connection);
  CHECK(connection.error().message.find("absent.db") != std::string::npos);
  CHECK(test::names_in(folder.path()).empty());
}

TEST_CASE("Values come back from queries as they were put in") {
  const auto connection = sqlite::open(":memory:", SQLITE_OPEN_READWRITE);
  REQUIRE(connection);
  REQUIRE(sqlite::execute(connection->get(), "CREATE TABLE t(a, b); INSERT INTO t VALUES(7, 'x')",
                          "cannot fill"));
  CHECK(sqlite::query_integer(connection->get(), "SELECT a FROM t", "cannot read") == 7);
  CHECK(sqlite::query_text(connection->get(), "SELECT b FROM t", "cannot read") == "x");
  CHECK(sqlite::query_text(connection->get(), "SELECT NULL", "cannot read") == "");
  CHECK(sqlite::query_text(connection->get(), "SELECT 'a' || char(0) || 'b'", "cannot read") ==
        std::string("a\0b", 3));
}

TEST_CASE("A query without a row and a wrong statement are errors") {
  const auto connection = sqlite::open(":memory:", SQLITE_OPEN_READWRITE);
  REQUIRE(connection);
  CHECK_FALSE(sqlite::query_integer(connection->get(), "SELECT 1 WHERE 0", "cannot read"));
  CHECK_FALSE(sqlite::prepare(connection->get(), "", "cannot read"));
  const auto wrong = sqlite::execute(connection->get(), "SELEKT", "cannot read /x/y.db");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message.find("cannot read /x/y.db: near \"SELEKT\"") == 0);
}

TEST_CASE("A file that is not a database is told from a damaged one") {
  test::TempFolder folder;
  test::write_file(folder / "garbage.db", std::string(8192, 'g'));
  const auto garbage = sqlite::open((folder / "garbage.db").string(), SQLITE_OPEN_READONLY);
  REQUIRE(garbage);
  const auto count =
      sqlite::query_integer(garbage->get(), "SELECT count(*) FROM sqlite_schema", "cannot read");
  REQUIRE_FALSE(count);
  CHECK(count.error().code == ErrorCode::not_a_database);

  test::make_notes_database(folder / "broken.db", {.journal_mode = "delete"});
  test::patch_file(folder / "broken.db", 100, std::string(3900, '\x7f'));
  const auto broken = sqlite::open((folder / "broken.db").string(), SQLITE_OPEN_READONLY);
  REQUIRE(broken);
  const auto rows = sqlite::query_integer(broken->get(), "SELECT count(*) FROM notes", "cannot");
  REQUIRE_FALSE(rows);
  CHECK(rows.error().code == ErrorCode::damaged);
}

TEST_CASE("A database that another process has locked is busy") {
  test::TempFolder folder;
  const auto path = folder / "locked.db";
  test::make_notes_database(path, {.journal_mode = "delete"});
  test::WriterProcess holder(path, {.mode = test::WriterOptions::Mode::hold_exclusive});
  const auto connection = sqlite::open(path.string(), SQLITE_OPEN_READONLY);
  REQUIRE(connection);
  const auto rows = sqlite::query_integer(connection->get(), "SELECT count(*) FROM notes",
                                          "cannot read " + path.string());
  REQUIRE_FALSE(rows);
  CHECK(rows.error().code == ErrorCode::busy);
  CHECK(rows.error().message.find(path.string()) != std::string::npos);
}

TEST_CASE("A database that was moved while it was open is a conflict, not one without permission") {
  test::TempFolder folder;
  const auto path = folder / "here.db";
  const auto connection = sqlite::open(path.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  REQUIRE(connection);
  REQUIRE(sqlite::execute(connection->get(), "CREATE TABLE t(a)", "cannot fill"));
  std::filesystem::rename(path, folder / "there.db");
  const auto written =
      sqlite::execute(connection->get(), "INSERT INTO t VALUES(1)", "cannot write");
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::conflict);
  CHECK(written.error().hint.find("try again") != std::string::npos);
}

TEST_CASE("An identifier with quotes stays one identifier") {
  CHECK(sqlite::quote_identifier("plain") == "\"plain\"");
  const std::string name = "o\"; DROP TABLE t; --";
  const auto connection = sqlite::open(":memory:", SQLITE_OPEN_READWRITE);
  REQUIRE(connection);
  REQUIRE(sqlite::execute(connection->get(),
                          "CREATE TABLE " + sqlite::quote_identifier(name) + "(a)",
                          "cannot create"));
  CHECK(sqlite::query_text(connection->get(), "SELECT name FROM sqlite_schema", "x") == name);
}

TEST_CASE("A writer process keeps the invariant of its database, killed or not") {
  test::TempFolder folder;
  const auto path = folder / "live.db";
  test::make_notes_database(path);
  {
    test::WriterProcess writer(path, {.interval = std::chrono::milliseconds{1}});
    const auto result = writer.stop();
    CHECK(result.exit_code == 0);
    CHECK(result.commits > 0);
    CHECK(result.failures == 0);
  }
  test::WriterProcess writer(path, {.interval = std::chrono::milliseconds{0}});
  CHECK(writer.kill().exit_code == 128 + 9);
  CHECK(test::invariant_holds(path));
}
