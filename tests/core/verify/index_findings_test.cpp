// Indexes that do not fit their tables: told when a snapshot is taken, no bar to restoring it, and
// mended where that is wanted.
#include <sqlite3.h>

#include <algorithm>

#include "core/restore/restore.h"
#include "core/snapshot/snapshot_check.h"
#include "core/verify/verify.h"
#include "support/catch.h"
#include "support/test_database.h"
#include "tests/core/support/checked_world.h"

namespace {

namespace fs = std::filesystem;
using core::ErrorCode;
using core::VerifyCheck;
using core::VerifyLevel;
using core::VerifyReport;
using test::CheckedWorld;
using test::find_check;
using Outcome = VerifyCheck::Outcome;
using Verdict = VerifyReport::Verdict;
using namespace std::chrono_literals;

// An order of an application's own under a built-in name: the reverse of the bytes.
int backwards(void*, int a_bytes, const void* a, int b_bytes, const void* b) {
  const std::string_view left(static_cast<const char*>(a), static_cast<std::size_t>(a_bytes));
  const std::string_view right(static_cast<const char*>(b), static_cast<std::size_t>(b_bytes));
  return right.compare(left);
}
void shout(sqlite3_context* context, int, sqlite3_value** values) {
  std::string text(reinterpret_cast<const char*>(sqlite3_value_text(values[0])));
  std::reverse(text.begin(), text.end());
  sqlite3_result_text(context, text.c_str(), -1, SQLITE_TRANSIENT);
}

const std::string kRows =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50)"
    " INSERT INTO p(name) SELECT 'name ' || i FROM n";

void make(const fs::path& path, const std::string& table) {
  test::OpenDatabase database(path);
  sqlite3_create_collation(database.get(), "NOCASE", SQLITE_UTF8, nullptr, backwards);
  sqlite3_create_function(database.get(), "lower", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                          shout, nullptr, nullptr);
  database.run(table);
  database.run(kRows);
}

const std::vector<std::string> kTables{
    "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE)",
    "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT); CREATE INDEX i ON p(lower(name))",
    "CREATE TABLE p(name TEXT COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID"};

struct World : CheckedWorld {
  using CheckedWorld::restore;
  core::Expected<core::RestoreResult> restore(const fs::path& snapshot, bool reindex) {
    core::RestoreRequest request;
    request.snapshot = snapshot;
    request.target = live / "back.db";
    request.reindex = reindex;
    return restore(request);
  }
};

bool tells(const std::vector<std::string>& warnings, const std::string& part) {
  return std::any_of(warnings.begin(), warnings.end(), [&](const std::string& warning) {
    return warning.find(part) != std::string::npos;
  });
}

TEST_CASE("Indexes of an application's own order are told at night and hinder no restore") {
  World world;
  make(world.source, GENERATE(from_range(kTables)));
  const std::string live = test::read_file(world.source);
  const auto taken = world.taken();
  CHECK(taken.verification->verdict == Verdict::verified);
  CHECK(taken.manifest.verified == VerifyLevel::full);
  CHECK(taken.manifest.source_findings.at("indexes") > 0);
  CHECK(tells(core::texts_of(taken.warnings), "REINDEX"));
  const VerifyReport report = world.verify(taken.snapshot);
  CHECK(report.verdict == Verdict::verified);
  CHECK(find_check(report, "indexes")->outcome == Outcome::passed);
  const auto restored = world.restore(taken.snapshot, false);
  INFO((restored ? "" : restored.error().message));
  REQUIRE(restored);
  CHECK(tells(restored->warnings, "reindex"));
  CHECK(test::read_file(world.live / "back.db") == live);
}

TEST_CASE("Reindex builds the indexes of the restored database anew, and nothing else changes") {
  World world;
  make(world.source, GENERATE(from_range(kTables)) + "; PRAGMA journal_mode = wal");
  const auto taken = world.taken();
  const auto restored = world.restore(taken.snapshot, true);
  INFO((restored ? "" : restored.error().message));
  REQUIRE(restored);
  CHECK(restored->warnings.empty());
  const fs::path back = world.live / "back.db";
  CHECK(test::read_file(back).substr(18, 2) == "\2\2");
  CHECK(test::files_below(world.live) == std::vector<std::string>{"back.db", "global.db"});
  CHECK(test::query_text(back, "PRAGMA integrity_check") == "ok");
  CHECK(test::query_integer(back, "SELECT count(*) FROM p WHERE name LIKE 'name %'") == 50);
}

TEST_CASE("A reindex that cannot succeed changes nothing and says why") {
  World world;
  make(world.source, "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE)");
  {
    test::OpenDatabase database(world.source);
    sqlite3_create_collation(database.get(), "NOCASE", SQLITE_UTF8, nullptr, backwards);
    database.run("INSERT INTO p(name) VALUES('a'), ('A')");
  }
  const auto taken = world.taken();
  const auto restored = world.restore(taken.snapshot, true);
  REQUIRE_FALSE(restored);
  CHECK(restored.error().code == ErrorCode::unsupported);
  CHECK_THAT(restored.error().message, Catch::Contains("UNIQUE constraint failed"));
  CHECK_THAT(restored.error().hint, Catch::Contains("without reindex"));
  CHECK(test::files_below(world.live) == std::vector<std::string>{"global.db"});
  CHECK(world.restore(taken.snapshot, false));
}

TEST_CASE("Without a digest findings in indexes are told and decide nothing") {
  World world;
  make(world.source, kTables[0]);
  const auto taken = world.taken();
  fs::remove(taken.manifest_path);
  const VerifyReport report = world.verify(taken.snapshot);
  CHECK(report.verdict == Verdict::inconclusive);
  CHECK(find_check(report, "indexes")->outcome == Outcome::skipped);
  CHECK_FALSE(find_check(report, "indexes")->findings.empty());
  const auto restored = world.restore(taken.snapshot, false);
  REQUIRE(restored);
  CHECK(tells(restored->warnings, "do not fit"));
}

TEST_CASE("The first check of a series is a full one, and then one a week") {
  World world;
  test::make_notes_database(world.source);
  CHECK(world.taken().manifest.verified == VerifyLevel::full);
  int full = 0;
  for (int day = 0; day < 21; ++day) {
    world.clock.advance(24h);
    auto request = world.request();
    request.retention.keep_last = 2;  // the manifest that knew is gone before the week is over
    const auto taken = world.take(request);
    REQUIRE(taken);
    CHECK(taken->warnings.empty());
    if (taken->manifest.verified == VerifyLevel::full) ++full;
  }
  CHECK(full == 3);
  // More than one a day change nothing.
  CHECK(world.taken().manifest.verified == VerifyLevel::quick);
  CHECK(world.taken().manifest.verified == VerifyLevel::quick);
  CHECK(world.taken(VerifyLevel::none).manifest.verified == VerifyLevel::none);
}

TEST_CASE("An index that went out of step during the week is told by the week's full check") {
  World world;
  test::make_notes_database(world.source, {"delete", 4096, 40});
  world.taken();
  test::run_sql(world.source,
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX "
                "idx_notes_type ON notes(confidence)' WHERE name = 'idx_notes_type'");
  world.clock.advance(24h);
  const auto next = world.taken();
  CHECK(next.warnings.empty());
  CHECK(world.restore(next.snapshot, true));  // found in full, and mended
  CHECK(test::query_text(world.live / "back.db", "PRAGMA integrity_check") == "ok");
  world.clock.advance(6 * 24h);
  CHECK(tells(core::texts_of(world.taken().warnings), "indexes"));
}

}  // namespace
