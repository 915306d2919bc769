#include <algorithm>

#include "core/verify/verify.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/test_database.h"

using core::VerifyCheck;

namespace {

using Outcome = VerifyCheck::Outcome;

// The check of that name, of a database as a snapshot run would judge its copy.
VerifyCheck check_of(const std::string& sql, const std::string& name) {
  test::FakeEnv world;
  core::VerifyRequest request;
  request.snapshot = world / "x.db";
  test::run_sql(request.snapshot, sql);
  request.expected.emplace();
  core::NoProgress progress;
  const auto report = core::verify_snapshot(request, world.env(), progress, {});
  if (!report) FAIL(report.error().message);
  for (const VerifyCheck& check : report->checks) {
    if (check.name == name) return check;
  }
  return {};
}

}  // namespace

TEST_CASE("A key that SQLite can make no sense of ends the check of its own table only") {
  const std::string mismatch =
      "CREATE TABLE parent(a, b); CREATE TABLE vague(x REFERENCES parent(a));"
      "CREATE TABLE other(id INTEGER PRIMARY KEY); CREATE TABLE child(x REFERENCES other);";
  const VerifyCheck sound = check_of(mismatch, "foreign_keys");
  CHECK(sound.outcome == Outcome::skipped);
  CHECK_THAT(sound.reason, Catch::Contains("table vague") && !Catch::Contains("table child"));
  const VerifyCheck broken = check_of(mismatch + "INSERT INTO child VALUES(9);", "foreign_keys");
  REQUIRE(broken.findings.size() == 1);
  CHECK(broken.findings.front() == "Table child, rowid 1: no such row in other.");
  CHECK_THAT(broken.reason,
             Catch::Contains("the copy is faithful") && Catch::Contains("table vague"));
}

TEST_CASE("Every full-text table that could not be checked is told") {
  const VerifyCheck check = check_of(
      "CREATE VIRTUAL TABLE one USING fts5(a, content = 'nowhere');"
      "CREATE VIRTUAL TABLE two USING fts5(a, content = 'nowhere');"
      "CREATE VIRTUAL TABLE three USING fts5(a);",
      "full_text");
  CHECK(check.outcome == Outcome::skipped);
  CHECK_THAT(check.reason, Catch::Contains("table one") && Catch::Contains("table two") &&
                               !Catch::Contains("three"));
}
