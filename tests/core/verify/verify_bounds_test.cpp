// Small databases whose schema is made to take long, or gigabytes.
#include <chrono>

#include "core/sqlite/row_counts.h"
#include "core/sqlite/sealed_vfs.h"
#include "core/verify/verify.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/test_database.h"
#include "tests/core/support/checked_world.h"

namespace {

namespace fs = std::filesystem;
using core::VerifyCheck;
using core::VerifyLevel;
using core::VerifyReport;
using test::FakeEnv;
using test::find_check;
using Verdict = VerifyReport::Verdict;
using namespace std::chrono_literals;

constexpr auto kSoon = 20s;  // also under sanitizers

// A database with a manifest that fits, and how it is judged.
struct Hostile {
  FakeEnv world;
  fs::path path = world / "x-2026-11-23.db";

  explicit Hostile(const std::string& sql) { test::run_sql(path, sql); }
  VerifyReport verify(VerifyLevel level, std::optional<std::chrono::milliseconds> limit = {}) {
    core::VerifyRequest request{.snapshot = path, .level = level, .time_limit = limit};
    core::NoProgress progress;
    const auto start = std::chrono::steady_clock::now();
    auto report = core::verify_snapshot(request, world.env(), progress, {});
    CHECK(std::chrono::steady_clock::now() - start < kSoon);
    if (!report) FAIL(report.error().message);
    return *report;
  }
};

bool passed(const VerifyReport& report, const std::string& name) {
  const auto* check = find_check(report, name);
  return check != nullptr && check->outcome == VerifyCheck::Outcome::passed;
}

std::string stacked_views() {
  std::string sql =
      "CREATE TABLE t(a); INSERT INTO t VALUES (1); CREATE VIEW v0 AS SELECT * FROM t;";
  for (int i = 1; i <= 60; ++i) {
    const std::string below = "v" + std::to_string(i - 1);
    sql += "CREATE VIEW v" + std::to_string(i) + " AS SELECT x.a FROM " + below + " x, " + below +
           " y;";
  }
  return sql;
}

}  // namespace

TEST_CASE("Views upon views are never compiled") {
  Hostile hostile(stacked_views() +
                  "CREATE VIRTUAL TABLE words USING fts5(a, content='v60', content_rowid='a');"
                  "CREATE VIRTUAL TABLE old USING fts4(content=\"v60\", a)");
  for (const VerifyLevel level : {VerifyLevel::quick, VerifyLevel::full}) {
    const auto report = hostile.verify(level);
    CHECK(passed(report, "quick_check") != passed(report, "integrity_check"));
    REQUIRE(find_check(report, "full_text") != nullptr);
    CHECK(passed(report, "full_text"));
    CHECK(find_check(report, "full_text")->reason.find("which is a view") != std::string::npos);
    CHECK(report.rows == std::map<std::string, std::uint64_t>{{"t", 1}});
  }
}

TEST_CASE("A full-text index whose content is a view without end is checked by itself") {
  Hostile hostile(
      "CREATE VIEW endless AS WITH RECURSIVE n(id, a) AS (VALUES(1, 'x') UNION ALL SELECT id + 1, "
      "a FROM n) SELECT id, a FROM n;"
      "CREATE VIRTUAL TABLE words USING fts5(a, content = [endless] , content_rowid = id)");
  const auto report = hostile.verify(VerifyLevel::full);
  CHECK(passed(report, "full_text"));
  CHECK(passed(report, "integrity_check"));
}

TEST_CASE("What a schema computes is no longer than the file allows") {
  Hostile hostile(
      "CREATE TABLE g(a, b AS (zeroblob(4000000)), c AS (hex(b)) NOT NULL, d AS (c || c) NOT "
      "NULL); INSERT INTO g(a) VALUES (1)");
  const auto report = hostile.verify(VerifyLevel::full);
  CHECK(report.verdict == Verdict::inconclusive);
  REQUIRE(find_check(report, "integrity_check") != nullptr);
  CHECK(find_check(report, "integrity_check")->unfinished);
}

TEST_CASE("A full-text index over columns that are computed at length is inconclusive") {
  Hostile hostile(
      "CREATE TABLE g(id INTEGER PRIMARY KEY, a, b AS (hex(zeroblob(2000000)))); CREATE VIRTUAL "
      "TABLE words USING fts5(b, content='g', content_rowid='id'); INSERT INTO g(a) VALUES (1)");
  const auto report = hostile.verify(VerifyLevel::quick);
  REQUIRE(find_check(report, "full_text") != nullptr);
  CHECK(find_check(report, "full_text")->unfinished);
  CHECK(report.verdict == Verdict::inconclusive);
}

TEST_CASE("A check that comes to its time limit is inconclusive, and says why") {
  Hostile hostile(
      "CREATE TABLE t(a); WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 "
      "FROM n WHERE i < 20000) INSERT INTO t SELECT i FROM n");
  const auto report = hostile.verify(VerifyLevel::quick, 0ms);
  CHECK(report.verdict == Verdict::inconclusive);
  const auto* structure = find_check(report, "quick_check");
  REQUIRE(structure != nullptr);
  CHECK(structure->unfinished);
  CHECK(structure->reason.find("out of proportion") != std::string::npos);
}

TEST_CASE("Tables in which a virtual table keeps its content are told from ordinary ones") {
  FakeEnv world;
  const fs::path path = world / "x.db";
  test::run_sql(path,
                "CREATE VIRTUAL TABLE \"Words\" USING fts5(t); CREATE VIRTUAL TABLE old USING "
                "fts4(t); CREATE TABLE words_other(a); CREATE TABLE no_data(a); CREATE VIEW v AS "
                "SELECT 1; CREATE TABLE keyed(k PRIMARY KEY) WITHOUT ROWID");
  const auto connection = core::open_sealed(path);
  REQUIRE(connection);
  const auto rows = core::count_rows(connection->get(), {});
  REQUIRE(rows);
  CHECK(rows->rows ==
        std::map<std::string, std::uint64_t>{{"keyed", 0}, {"no_data", 0}, {"words_other", 0}});
  CHECK(rows->rows.size() == test::query_column(path,
                                                "SELECT name FROM pragma_table_list WHERE schema "
                                                "= 'main' AND type = 'table' AND name NOT LIKE "
                                                "'sqlite%'")
                                 .size());
}
