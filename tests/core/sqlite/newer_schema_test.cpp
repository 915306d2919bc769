// Databases whose schema only a newer SQLite can read: copied, checked as far as that goes, brought
// back byte for byte, and never called damaged.
#include "core/sqlite/newer_schema.h"

#include <sqlite3.h>

#include <algorithm>

#include "core/catalog/loss.h"
#include "core/restore/choose_snapshot.h"
#include "core/restore/restore.h"
#include "core/snapshot/prune.h"
#include "core/sqlite/sealed_vfs.h"
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

const std::string kNewer("\x00\x2e\x97\xbc", 4);  // 3.053.500
const std::string kTables =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, x);"
    "CREATE TABLE later(id INTEGER PRIMARY KEY, x REFERENCES t(id));"
    "CREATE TABLE child(x REFERENCES later(id));"
    "CREATE TRIGGER g BEFORE DELETE ON t BEGIN SELECT raise(ABORT, 'no'); END;"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 400)"
    " INSERT INTO t(x) SELECT i FROM n;"
    "INSERT INTO later SELECT id, id FROM t; INSERT INTO child SELECT id FROM t;";

void say_newer(const fs::path& path) {
  test::patch_file(path, 96, kNewer);
}

// Changes what the schema says of an object into what this SQLite cannot parse.
void make_unreadable(const fs::path& path, const std::string& name) {
  const std::string change =
      name == "g" ? "replace(sql, '''no''', '''row '' || old.id')"
                  : "replace(sql, 'INTEGER PRIMARY KEY', 'INTEGER PRIMARY KEY WITH (x = 1)')";
  test::run_sql(path, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = " + change +
                          " WHERE name = '" + name + "'");
}

struct World : CheckedWorld {
  explicit World(const std::string& unreadable, const std::string& journal_mode = "delete") {
    test::run_sql(source, "PRAGMA journal_mode = " + journal_mode + ";" + kTables);
    make_unreadable(source, unreadable);
    say_newer(source);
  }
};

std::string all_of(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text + "\n";
  return all;
}

TEST_CASE("A database with a trigger of a newer SQLite is copied, counted and told inconclusive") {
  World world("g", GENERATE("delete", "wal"));
  const auto taken = world.taken();
  REQUIRE(taken.verification);
  CHECK(taken.verification->verdict == Verdict::inconclusive);
  CHECK(taken.manifest.verified == VerifyLevel::none);
  CHECK(taken.manifest.rows_complete);
  CHECK(taken.manifest.rows.at("t") == 400);
  CHECK(taken.manifest.rows.at("later") == 400);
  const std::string warnings = all_of(core::texts_of(taken.warnings));
  CHECK_THAT(warnings, Catch::Contains("SQLite 3.53.500 wrote this database last") &&
                           Catch::Contains(std::string("this program has ") + SQLITE_VERSION) &&
                           Catch::Contains("malformed database schema (g)"));
  const VerifyReport report = world.verify(taken.snapshot);
  CHECK(report.verdict == Verdict::inconclusive);
  CHECK(find_check(report, "digest")->outcome == Outcome::passed);
  CHECK(find_check(report, "row_counts")->outcome == Outcome::passed);
  CHECK(find_check(report, "foreign_keys")->outcome == Outcome::passed);
}

TEST_CASE("A table that only a newer SQLite can read is uncounted, which is no loss") {
  CheckedWorld plain;
  World world("later");
  const auto taken = world.taken();
  CHECK(taken.verification->verdict == Verdict::inconclusive);
  CHECK_FALSE(taken.manifest.rows_complete);
  CHECK(taken.manifest.rows.count("later") == 0);
  CHECK(taken.manifest.rows.at("t") == 400);
  CHECK(taken.manifest.source_findings.empty());  // what refers to it is not broken
  const auto manifest = core::read_manifest(taken.snapshot, core::system_files());
  REQUIRE(manifest);
  CHECK_FALSE(manifest->rows_complete);

  core::Snapshot earlier;
  earlier.manifest = *manifest;
  earlier.manifest->rows_complete = true;
  earlier.manifest->rows["later"] = 400;
  CHECK_FALSE(core::loss_since(earlier, core::holdings_of(*manifest)));
  auto emptied = *manifest;
  emptied.rows["t"] = 0;
  CHECK(core::loss_since(earlier, core::holdings_of(emptied)));

  // As a newer program of ours wrote it, which counted all.
  REQUIRE(core::write_manifest(taken.snapshot, *earlier.manifest, core::system_files()));
  CHECK(world.verify(taken.snapshot).verdict == Verdict::inconclusive);
}

TEST_CASE("A snapshot of a newer SQLite is restored in place byte for byte, and undone") {
  World world("g");
  const std::string live = test::read_file(world.source);
  const auto taken = world.taken();
  CHECK(test::read_file(taken.snapshot) == live);
  fs::remove(world.source);
  core::RestoreRequest request;
  request.snapshot = taken.snapshot;
  request.in_place = request.confirmed = true;
  const auto lost = world.restore(request);
  INFO((lost ? "" : lost.error().message));
  REQUIRE(lost);
  CHECK(test::read_file(world.source) == live);
  const auto over = world.restore(request);
  INFO((over ? "" : over.error().message));
  REQUIRE(over);
  CHECK(over->present == core::Present::counted);
  CHECK(over->rows.at("t").now == 400U);
  REQUIRE(over->safety_copy);
  CHECK(test::read_file(*over->safety_copy) == live);
  CHECK(over->undo.has_value());
}

TEST_CASE("A preview counts what it can of a database of a newer SQLite") {
  World world("later");
  auto request = world.request();
  request.dry_run = true;
  const auto preview = world.take(request);
  INFO((preview ? "" : preview.error().message));
  REQUIRE(preview);
  CHECK_FALSE(preview->manifest.rows_complete);
  CHECK(preview->manifest.rows.at("t") == 400);
}

TEST_CASE("Damage is found in a database of a newer SQLite, too") {
  World world("g");
  const auto taken = world.taken();
  const auto root = [&] {
    const auto connection = core::open_sealed(taken.snapshot);
    REQUIRE(connection);
    return *core::sqlite::query_integer(
        connection->get(), "SELECT rootpage FROM sqlite_schema WHERE name = 'later'", "root");
  }();
  test::patch_file(taken.snapshot, static_cast<std::uint64_t>(root - 1) * 4096,
                   std::string(64, '\x07'));
  fs::remove(taken.manifest_path);
  const auto level = GENERATE(VerifyLevel::quick, VerifyLevel::full);
  const VerifyReport report = world.verify(taken.snapshot, level);
  CHECK(report.verdict == Verdict::damaged);
  CHECK(find_check(report, "quick_check")->outcome == Outcome::failed);
}

TEST_CASE("A schema that cannot be read is damage where no newer SQLite wrote it") {
  CheckedWorld world;
  test::run_sql(world.source, kTables);
  make_unreadable(world.source, "g");
  const auto taken = world.take();
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == ErrorCode::damaged);
  CHECK_THAT(taken.error().message, Catch::Contains("malformed database schema (g)"));
}

TEST_CASE("A number that is no version of SQLite's excuses nothing") {
  World world("g");
  test::patch_file(world.source, 96, "\xff\xff\xff\xff");
  const auto taken = world.take();
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == ErrorCode::damaged);
}

TEST_CASE("A file format of a newer SQLite is not called damaged") {
  World world("g");
  const auto taken = world.taken();
  fs::remove(taken.manifest_path);
  const std::size_t byte = GENERATE(19U, 47U);
  test::patch_file(taken.snapshot, byte, "\x05");
  CHECK(world.verify(taken.snapshot).verdict == Verdict::inconclusive);
  if (byte != 19) return;
  test::patch_file(world.source, byte, "\x05");
  const auto copied = world.take();
  REQUIRE_FALSE(copied);
  CHECK(copied.error().code == ErrorCode::unsupported);
}

TEST_CASE("What a newer version of ours wrote beside a snapshot is newer, not damaged") {
  World world("g");
  const auto taken = world.taken();
  std::string text = test::read_file(taken.manifest_path);
  const auto replace = [&](const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
  };
  if (GENERATE(true, false)) {
    replace("\"format_version\": 1", "\"format_version\": 2");
  } else {
    replace("\"verified\": \"none\"", "\"verified\": \"deep\"");
  }
  test::write_file(taken.manifest_path, text);
  const auto manifest = core::read_manifest(taken.snapshot, core::system_files());
  REQUIRE_FALSE(manifest);
  CHECK(manifest.error().code == ErrorCode::unsupported);
  CHECK_THAT(manifest.error().hint, Catch::Contains("Update"));
  CHECK(world.verify(taken.snapshot).verdict == Verdict::inconclusive);
  // Neither the next run nor retention touches it.
  const auto again = world.take();
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::conflict);
  auto request = world.request();
  request.date = core::parse_date("2026-11-24");
  request.retention.keep_last = 1;
  world.clock.advance(std::chrono::hours{24});
  REQUIRE(world.take(request));
  CHECK(test::read_file(taken.manifest_path) == text);
  CHECK(fs::exists(taken.snapshot));
  // It may be what the user means by the latest.
  const auto latest = core::latest_snapshot_of(world.source, world.destination,
                                               core::Damaged::is_passed_over, world.env());
  REQUIRE(latest);
  CHECK_THAT(all_of(latest->warnings), Catch::Contains(taken.manifest_path.string()));
}

}  // namespace
