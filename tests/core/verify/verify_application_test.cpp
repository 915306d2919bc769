// Databases that SQLite alone cannot judge in full: their programs bring collations and functions
// of their own, or their content breaks its own rules. Backed up, verified and restored all the
// same.
#include <sqlite3.h>

#include <algorithm>
#include <cstring>

#include "core/restore/restore.h"
#include "core/verify/verify.h"
#include "support/catch.h"
#include "support/test_database.h"
#include "tests/core/support/checked_world.h"

namespace {

namespace fs = std::filesystem;
using core::VerifyCheck;
using core::VerifyLevel;
using core::VerifyReport;
using test::check_named;
using test::CheckedWorld;
using Outcome = VerifyCheck::Outcome;
using Verdict = VerifyReport::Verdict;

// Against the order of the bytes, so that no stand-in finds its way by chance.
int compare_backwards(void*, int a_bytes, const void* a, int b_bytes, const void* b) {
  const int order =
      std::memcmp(b, a, static_cast<std::size_t>(a_bytes < b_bytes ? a_bytes : b_bytes));
  return order != 0 ? order : b_bytes - a_bytes;
}
void same(sqlite3_context* context, int, sqlite3_value** values) {
  sqlite3_result_value(context, values[0]);
}

// As the program that owns the database does it.
void make_with_application(const fs::path& path, const std::string& sql) {
  test::OpenDatabase database(path);
  sqlite3_create_collation(database.get(), "BACKWARDS", SQLITE_UTF8, nullptr, compare_backwards);
  sqlite3_create_function(database.get(), "app", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                          same, nullptr, nullptr);
  database.run(sql);
}

std::string rows_into(const std::string& table_and_columns, const std::string& values) {
  return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) INSERT INTO " +
         table_and_columns + " SELECT " + values + " FROM n;";
}

const std::string kCollated =
    "CREATE TABLE parents(name TEXT COLLATE BACKWARDS PRIMARY KEY, n);"
    "CREATE INDEX by_n ON parents(n COLLATE BACKWARDS);"
    "CREATE TABLE children(parent TEXT REFERENCES parents(name));"
    "CREATE TABLE keyed(k TEXT COLLATE BACKWARDS PRIMARY KEY) WITHOUT ROWID;" +
    rows_into("parents", "'p' || i, i") + rows_into("children", "'p' || i") +
    rows_into("keyed", "'k' || i");

// The restored file holds the very rows, whoever asks.
void check_restores(CheckedWorld& world, const fs::path& snapshot) {
  core::RestoreRequest request;
  request.snapshot = snapshot;
  request.target = world / "restored.db";
  const auto restored = world.restore(request);
  INFO((restored ? "" : restored.error().message));
  REQUIRE(restored);
  CHECK(fs::file_size(request.target) == fs::file_size(snapshot));
}

}  // namespace

TEST_CASE("A database with a collation of its program's is backed up, verified and restored") {
  CheckedWorld world;
  make_with_application(world.source, kCollated);
  const auto level = GENERATE(VerifyLevel::none, VerifyLevel::quick, VerifyLevel::full);
  const auto taken = world.taken(level);
  CHECK(taken.manifest.rows ==
        std::map<std::string, std::uint64_t>{{"children", 100}, {"keyed", 100}, {"parents", 100}});
  // Nobody looked at the indexes, so nobody may say so later.
  CHECK(taken.manifest.verified == std::min(level, VerifyLevel::quick));
  CHECK(taken.warnings.size() == (level == VerifyLevel::full ? 1 : 0));

  const VerifyReport quick = world.verify(taken.snapshot, VerifyLevel::quick);
  CHECK(quick.verdict == Verdict::verified);
  CHECK(check_named(quick, "quick_check").reason.empty());
  CHECK(check_named(quick, "row_counts").outcome == Outcome::passed);
  const VerifyReport full = world.verify(taken.snapshot, VerifyLevel::full);
  CHECK(full.verdict == Verdict::verified);
  CHECK(full.level == VerifyLevel::quick);
  CHECK(check_named(full, "quick_check").outcome == Outcome::passed);
  CHECK(check_named(full, "quick_check").reason.find("collation BACKWARDS") != std::string::npos);
  CHECK(check_named(full, "foreign_keys").outcome == Outcome::skipped);
  CHECK(check_named(full, "foreign_keys").reason.find("BACKWARDS") != std::string::npos);
  check_restores(world, taken.snapshot);
}

TEST_CASE("Damage is found in a database with a collation of its program's, too") {
  CheckedWorld world;
  make_with_application(world.source, kCollated);
  const auto taken = world.taken(VerifyLevel::quick);
  const auto root = test::query_integer(
      taken.snapshot, "SELECT rootpage FROM sqlite_schema WHERE name = 'children'");
  test::patch_file(taken.snapshot, static_cast<std::uint64_t>(root - 1) * 4096,
                   std::string(64, '\x07'));
  fs::remove(taken.manifest_path);
  const auto level = GENERATE(VerifyLevel::quick, VerifyLevel::full);
  const VerifyReport report = world.verify(taken.snapshot, level);
  CHECK(report.verdict == Verdict::damaged);
  CHECK(check_named(report, "quick_check").outcome == Outcome::failed);
}

TEST_CASE("A collation that no index has hinders no full check: it finds a wrong index") {
  CheckedWorld world;
  make_with_application(world.source,
                        "CREATE TABLE names(a COLLATE BACKWARDS); CREATE TABLE t(b, c);"
                        "CREATE INDEX i ON t(b);" +
                            rows_into("names", "'n' || i") + rows_into("t", "i, -i"));
  const auto taken = world.taken(VerifyLevel::full);
  CHECK(taken.manifest.verified == VerifyLevel::full);
  CHECK(taken.warnings.empty());
  make_with_application(world.source,
                        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = "
                        "'CREATE INDEX i ON t(c)' WHERE name = 'i'");
  auto request = world.request();
  request.verify = VerifyLevel::full;
  const auto wrong = world.take(request);
  REQUIRE(wrong);
  CHECK(wrong->manifest.source_findings.at("indexes") == 100);
}

TEST_CASE("Broken references are told of where no collation of a program's bears on them") {
  CheckedWorld world;
  const std::string index = GENERATE("", "CREATE INDEX by_a ON names(a);");
  make_with_application(world.source,
                        "CREATE TABLE names(a COLLATE BACKWARDS);" + index +
                            "CREATE TABLE p(n PRIMARY KEY); INSERT INTO p VALUES (1);"
                            "CREATE TABLE c(n REFERENCES p); INSERT INTO c VALUES (1), (2), (3);" +
                            rows_into("names", "'n' || i"));
  const auto taken = world.taken(VerifyLevel::quick);
  CHECK(taken.manifest.source_findings ==
        std::map<std::string, std::uint64_t>{{"foreign_keys", 2}});
  REQUIRE(taken.warnings.size() == 1);
  CHECK(taken.warnings[0].text.find("foreign_keys") != std::string::npos);
  const VerifyReport report = world.verify(taken.snapshot, VerifyLevel::full);
  CHECK(check_named(report, "foreign_keys").outcome == Outcome::passed);
  CHECK(check_named(report, "foreign_keys").findings.size() == 2);
}

TEST_CASE("A safety copy's manifest says how far it was checked, not how far it was to be") {
  CheckedWorld world;
  make_with_application(world.source, kCollated);
  const auto taken = world.taken(VerifyLevel::full);
  core::NoProgress progress;
  const auto restored = core::restore_snapshot(
      {.snapshot = taken.snapshot, .target = world.source, .in_place = true, .confirmed = true},
      world.env(), progress, {});
  INFO((restored ? "" : restored.error().message));
  REQUIRE(restored);
  REQUIRE(restored->safety_copy);
  const auto manifest = core::read_manifest(*restored->safety_copy, core::system_files());
  REQUIRE(manifest);
  CHECK(manifest->verified == VerifyLevel::quick);
}

TEST_CASE("The rows of a live database with a collation of its program's are counted") {
  CheckedWorld world;
  make_with_application(world.source, kCollated);
  auto request = world.request();
  request.dry_run = true;
  const auto preview = world.take(request);
  INFO((preview ? "" : preview.error().message));
  REQUIRE(preview);
  CHECK(preview->manifest.rows.at("keyed") == 100);
}

TEST_CASE("A function of its program's in a CHECK hinders no check of a database") {
  CheckedWorld world;
  make_with_application(world.source,
                        "CREATE TABLE t(a, CHECK(app(a) IS NOT NULL));" + rows_into("t", "i"));
  const auto level = GENERATE(VerifyLevel::quick, VerifyLevel::full);
  const auto taken = world.taken(level);
  CHECK(taken.manifest.verified == VerifyLevel::full);  // the first of its series
  CHECK(taken.warnings.empty());
  check_restores(world, taken.snapshot);
}

TEST_CASE("An index over a function of its program's is left out, and the result says so") {
  CheckedWorld world;
  const std::string index = GENERATE("t(app(a))", "t(a) WHERE app(a)");
  make_with_application(
      world.source, "CREATE TABLE t(a); CREATE INDEX i ON " + index + ";" + rows_into("t", "i"));
  const auto taken = world.taken(VerifyLevel::full);
  CHECK(taken.manifest.verified == VerifyLevel::quick);
  REQUIRE(taken.warnings.size() == 1);
  CHECK(taken.warnings[0].text.find("app()") != std::string::npos);
  const VerifyReport full = world.verify(taken.snapshot, VerifyLevel::full);
  CHECK(full.verdict == Verdict::verified);
  CHECK(check_named(full, "quick_check").reason.find("app()") != std::string::npos);
  check_restores(world, taken.snapshot);
}

TEST_CASE("What a function of its program's keeps SQLite from checking is not called damaged") {
  CheckedWorld world;
  make_with_application(
      world.source, "CREATE TABLE t(a, b AS (app(a)) VIRTUAL NOT NULL);" + rows_into("t(a)", "i"));
  const auto taken = world.taken(VerifyLevel::quick);
  CHECK(taken.manifest.verified == VerifyLevel::none);
  CHECK(taken.manifest.rows.at("t") == 100);
  REQUIRE(taken.warnings.size() == 1);
  CHECK(taken.warnings[0].text.find("app()") != std::string::npos);
  const VerifyReport report = world.verify(taken.snapshot, VerifyLevel::quick);
  CHECK(report.verdict == Verdict::inconclusive);
  CHECK(check_named(report, "quick_check").outcome == Outcome::skipped);
  CHECK(check_named(report, "quick_check").reason.find("app()") != std::string::npos);
  check_restores(world, taken.snapshot);
}

namespace {

// `rows` rows whose content breaks what the schema now says: each has a NULL that is not allowed
// and, where `typed`, a number that was to be text.
void make_with_broken_rules(const fs::path& path, int rows, bool typed) {
  test::run_sql(path,
                "CREATE TABLE t(a, b, c, d CHECK(d > 0)); PRAGMA ignore_check_constraints = ON;"
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT " +
                    std::to_string(rows) +
                    ") INSERT INTO t SELECT NULL, i, i, -1 FROM n; PRAGMA writable_schema = ON;"
                    "UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a NOT NULL, b " +
                    (typed ? "TEXT" : "INT") + ", c, d CHECK(d > 0))' WHERE name = 't'");
}

}  // namespace

TEST_CASE("Content that breaks the rules of its own schema is the source's, and no damage") {
  CheckedWorld world;
  const bool typed = GENERATE(false, true);
  const int rows = GENERATE(3, 1'500);
  make_with_broken_rules(world.source, rows, typed);
  const auto findings = static_cast<std::uint64_t>(rows) * (typed ? 2 : 1);
  const auto level = GENERATE(VerifyLevel::quick, VerifyLevel::full);
  const auto taken = world.taken(level);
  CHECK(taken.manifest.verified == VerifyLevel::full);  // the first of its series
  CHECK(taken.manifest.source_findings ==
        std::map<std::string, std::uint64_t>{{"column_rules", findings}});
  REQUIRE(taken.warnings.size() == 1);
  CHECK(taken.warnings[0].text.find("column_rules") != std::string::npos);

  const VerifyReport report = world.verify(taken.snapshot, level);
  CHECK(report.verdict == Verdict::verified);
  const VerifyCheck& check = check_named(report, "column_rules");
  CHECK(check.outcome == Outcome::passed);
  CHECK(check.findings.size() == std::min<std::size_t>(findings, core::kMaxFindings));
  CHECK(check.findings[0] == "NULL value in t.a");
  check_restores(world, taken.snapshot);
}

TEST_CASE("Content of every type that its strict table does not allow is no damage either") {
  CheckedWorld world;
  test::run_sql(world.source,
                "CREATE TABLE t(a, b, c, d, e, f); INSERT INTO t VALUES ('x', 2, 'y', 'z', 5, 6);"
                "CREATE TABLE plain(a, b); INSERT INTO plain VALUES ('7', 8);"
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a INT,"
                "b TEXT, c REAL, d INTEGER, e BLOB, f ANY) STRICT' WHERE name = 't';"
                "UPDATE sqlite_schema SET sql = 'CREATE TABLE plain(a INT, b TEXT)' "
                "WHERE name = 'plain'");
  const auto taken = world.taken(VerifyLevel::full);
  CHECK(taken.manifest.verified == VerifyLevel::full);
  CHECK(taken.manifest.source_findings ==
        std::map<std::string, std::uint64_t>{{"column_rules", 7}});
}

TEST_CASE("What is wrong is found behind any number of rows that break their schema's rules") {
  CheckedWorld world;
  make_with_broken_rules(world.source, 1'500, true);
  // In the last row alone column b is not what the index over c has.
  test::run_sql(world.source,
                "UPDATE t SET c = 0 WHERE rowid = 1500; CREATE INDEX i ON t(c);"
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON "
                "t(b)' WHERE name = 'i'");
  auto request = world.request();
  request.verify = VerifyLevel::full;
  const auto taken = world.take(request);
  REQUIRE(taken);
  CHECK(taken->manifest.source_findings.at("indexes") == 1);
  CHECK(check_named(*taken->verification, "indexes").findings[0] ==
        "row 1500 missing from index i");
}

TEST_CASE("What was never checked when it was taken is not held against a snapshot later") {
  CheckedWorld world;
  make_with_broken_rules(world.source, 3, true);
  test::run_sql(world.source,
                "CREATE TABLE p(a PRIMARY KEY); CREATE TABLE c(a REFERENCES p(a));"
                "INSERT INTO c VALUES (1), (2)");
  const auto taken = world.taken(VerifyLevel::none);
  CHECK(taken.manifest.source_findings.empty());
  const VerifyReport report = world.verify(taken.snapshot, VerifyLevel::quick);
  CHECK(report.verdict == Verdict::verified);
  CHECK(check_named(report, "column_rules").findings.size() == 6);
  CHECK(check_named(report, "foreign_keys").findings.size() == 2);
  check_restores(world, taken.snapshot);
}

TEST_CASE("Without a digest nobody knows whose the findings in the content are") {
  CheckedWorld world;
  make_with_broken_rules(world.source, 3, true);
  test::run_sql(world.source,
                "CREATE TABLE p(a PRIMARY KEY); CREATE TABLE c(a REFERENCES p(a));"
                "INSERT INTO c VALUES (1), (2)");
  const auto taken = world.taken(VerifyLevel::quick);
  fs::remove(taken.manifest_path);
  const VerifyReport report = world.verify(taken.snapshot, VerifyLevel::quick);
  CHECK(report.verdict == Verdict::inconclusive);
  for (const char* name : {"column_rules", "foreign_keys"}) {
    CHECK(check_named(report, name).outcome == Outcome::skipped);
    CHECK_FALSE(check_named(report, name).findings.empty());
    CHECK_FALSE(check_named(report, name).reason.empty());
  }
  check_restores(world, taken.snapshot);
}
