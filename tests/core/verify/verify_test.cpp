#include "core/verify/verify.h"

#include <algorithm>
#include <thread>

#include "core/platform/sha256.h"
#include "core/sqlite/row_counts.h"
#include "core/sqlite/sqlite.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/paths.h"
#include "support/test_database.h"
#include "support/writer_process.h"
#include "tests/core/support/checked_world.h"

namespace fs = std::filesystem;
using core::Manifest;
using core::VerifyCheck;
using core::VerifyLevel;
using core::VerifyReport;
using core::VerifyRequest;
using test::check_named;
using test::FakeEnv;

namespace {

using Outcome = VerifyCheck::Outcome;
using Verdict = VerifyReport::Verdict;

std::string digest_of(const fs::path& path) {
  return core::sha256_of(test::read_file(path));
}

// A manifest that fits the file as it is now.
Manifest fitting_manifest(const fs::path& path) {
  Manifest manifest;
  manifest.source = "/source/global.db";
  manifest.sha256 = digest_of(path);
  manifest.bytes = fs::file_size(path);
  manifest.page_size = static_cast<std::uint32_t>(test::query_integer(path, "PRAGMA page_size"));
  manifest.page_count = static_cast<std::uint32_t>(manifest.bytes / manifest.page_size);
  manifest.user_version = test::query_integer(path, "PRAGMA user_version");
  manifest.journal_mode = "wal";
  for (const char* table : {"notes", "links", "ledger_in", "ledger_out", "counter"}) {
    manifest.rows[table] = static_cast<std::uint64_t>(
        test::query_integer(path, std::string("SELECT count(*) FROM ") + table));
  }
  manifest.verified = VerifyLevel::quick;
  return manifest;
}

struct Snapshot {
  FakeEnv world;
  fs::path path = world / "global-2026-11-23.db";

  Snapshot() { test::make_notes_database(path, {.journal_mode = "delete"}); }
  void write_fitting_manifest() { write(fitting_manifest(path)); }
  void write(const Manifest& manifest) {
    REQUIRE(core::write_manifest(path, manifest, core::system_files()));
  }
  VerifyReport verify(VerifyLevel level = VerifyLevel::quick) {
    return verify(VerifyRequest{.snapshot = path, .level = level});
  }
  VerifyReport verify(const VerifyRequest& request) {
    core::NoProgress progress;
    auto report = core::verify_snapshot(request, world.env(), progress, {});
    if (!report) FAIL(report.error().message);
    return *report;
  }
};

// The names of the checks with an outcome, in their order.
std::string names_with(const VerifyReport& report, Outcome outcome) {
  std::string names;
  for (const VerifyCheck& check : report.checks) {
    if (check.outcome == outcome) names += (names.empty() ? "" : " ") + check.name;
  }
  return names;
}

}  // namespace

TEST_CASE("A sound snapshot with a fitting manifest is verified by every check") {
  Snapshot snapshot;
  snapshot.write_fitting_manifest();
  const VerifyReport quick = snapshot.verify();
  CHECK(quick.verdict == Verdict::verified);
  CHECK(names_with(quick, Outcome::passed) ==
        "header side_files digest quick_check row_counts foreign_keys full_text");
  for (const VerifyCheck& check : quick.checks) CHECK(check.reason == "");
  CHECK(quick.checks.size() == 7);
  CHECK(quick.rows.at("notes") == 20);
  CHECK(quick.rows.size() == 5);
  const VerifyReport full = snapshot.verify(VerifyLevel::full);
  CHECK(full.verdict == Verdict::verified);
  CHECK(check_named(full, "integrity_check").outcome == Outcome::passed);
}

TEST_CASE("Verifying changes neither the file nor its folder, writable or not") {
  Snapshot snapshot;
  fs::create_directory(snapshot.world / "folder");
  fs::rename(snapshot.path, snapshot.world / "folder/x-2026-11-23.db");
  snapshot.path = snapshot.world / "folder/x-2026-11-23.db";
  snapshot.write_fitting_manifest();
  const std::string before = test::read_file(snapshot.path);
  const std::string names = test::names_in(snapshot.world / "folder");
  const auto modified = fs::last_write_time(snapshot.path);
  CHECK(snapshot.verify(VerifyLevel::full).verdict == Verdict::verified);
  fs::permissions(snapshot.path, fs::perms::owner_read);
  fs::permissions(snapshot.world / "folder", fs::perms::owner_read | fs::perms::owner_exec);
  CHECK(snapshot.verify(VerifyLevel::full).verdict == Verdict::verified);
  CHECK(test::read_file(snapshot.path) == before);
  CHECK(fs::last_write_time(snapshot.path) == modified);
  CHECK(test::names_in(snapshot.world / "folder") == names);
}

TEST_CASE("One changed byte of content is found by the digest alone") {
  Snapshot snapshot;
  snapshot.write_fitting_manifest();
  const std::string bytes = test::read_file(snapshot.path);
  const std::size_t at = bytes.find("lighthouse keeper wrote entry 7");
  REQUIRE(at != std::string::npos);
  test::patch_file(snapshot.path, at, "L");
  const VerifyReport report = snapshot.verify();
  CHECK(report.verdict == Verdict::damaged);
  CHECK(names_with(report, Outcome::failed) == "digest");
}

TEST_CASE("A broken page is found by the structure check even when the digest fits") {
  Snapshot snapshot;
  const auto root = test::query_integer(
      snapshot.path, "SELECT rootpage FROM sqlite_schema WHERE name = 'ledger_in'");
  test::patch_file(snapshot.path, static_cast<std::uint64_t>(root - 1) * 4096,
                   std::string(64, '\x07'));
  Manifest manifest;
  manifest.source = "/source/global.db";
  manifest.sha256 = digest_of(snapshot.path);
  manifest.bytes = fs::file_size(snapshot.path);
  manifest.page_size = 4096;
  manifest.page_count = static_cast<std::uint32_t>(manifest.bytes / 4096);
  snapshot.write(manifest);
  const VerifyReport report = snapshot.verify();
  CHECK(report.verdict == Verdict::damaged);
  const VerifyCheck& check = check_named(report, "quick_check");
  CHECK(check.outcome == Outcome::failed);
  CHECK_FALSE(check.findings.empty());
  CHECK(check_named(report, "digest").outcome == Outcome::passed);
}

TEST_CASE("An index that does not fit its table is found by the full check, and no damage") {
  Snapshot snapshot;
  test::run_sql(snapshot.path,
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX "
                "idx_notes_type ON notes(confidence)' WHERE name = 'idx_notes_type'");
  snapshot.write_fitting_manifest();
  CHECK(snapshot.verify().verdict == Verdict::verified);
  const VerifyReport full = snapshot.verify(VerifyLevel::full);
  CHECK(names_with(full, Outcome::failed).empty());
  CHECK(check_named(full, "indexes").outcome == Outcome::passed);
  CHECK(check_named(full, "indexes").findings.size() == core::kMaxFindings);
  CHECK(full.verdict == Verdict::verified);
}

TEST_CASE("A broken foreign key is found when all else fits") {
  Snapshot snapshot;
  test::run_sql(snapshot.path, "DELETE FROM notes WHERE id = 'note-5'");
  snapshot.write_fitting_manifest();
  const VerifyReport report = snapshot.verify();
  CHECK(report.verdict == Verdict::damaged);
  CHECK(names_with(report, Outcome::failed) == "foreign_keys");
  REQUIRE(check_named(report, "foreign_keys").findings.size() == 1);
  CHECK(check_named(report, "foreign_keys").findings[0] ==
        "Table links, rowid 6: no such row in notes.");
}

TEST_CASE("A full-text index that does not fit its content is found when all else fits") {
  Snapshot snapshot;
  test::run_sql(snapshot.path,
                "DROP TRIGGER notes_ad; UPDATE notes SET content = 'changed' WHERE rowid = 3");
  snapshot.write_fitting_manifest();
  const VerifyReport report = snapshot.verify();
  CHECK(report.verdict == Verdict::damaged);
  CHECK(names_with(report, Outcome::failed) == "full_text");
  REQUIRE(check_named(report, "full_text").findings.size() == 1);
  CHECK(check_named(report, "full_text").findings[0].find("notes_fts") != std::string::npos);
}

TEST_CASE("Full-text tables of every kind and odd name are checked") {
  Snapshot snapshot;
  test::run_sql(snapshot.path,
                "CREATE VIRTUAL TABLE \"odd \"\"using\"\" [name]\" USING fts5(a);"
                "INSERT INTO \"odd \"\"using\"\" [name]\" VALUES ('word');"
                "CREATE VIRTUAL TABLE plain USING fts4(a); INSERT INTO plain VALUES ('word');"
                "CREATE VIRTUAL TABLE bare USING fts5(a, content='');"
                "INSERT INTO bare(rowid, a) VALUES (1, 'word');");
  snapshot.write_fitting_manifest();
  Manifest manifest = fitting_manifest(snapshot.path);
  CHECK(snapshot.verify().verdict == Verdict::verified);
  test::run_sql(snapshot.path, "UPDATE \"odd \"\"using\"\" [name]_content\" SET c0 = 'other'");
  manifest.sha256 = digest_of(snapshot.path);
  snapshot.write(manifest);
  const VerifyReport fts5 = snapshot.verify();
  CHECK(names_with(fts5, Outcome::failed) == "full_text");
  test::run_sql(snapshot.path, "UPDATE plain_content SET c0a = 'other'");
  manifest.sha256 = digest_of(snapshot.path);
  snapshot.write(manifest);
  CHECK(check_named(snapshot.verify(), "full_text").findings.size() == 2);
}

TEST_CASE("A row count that differs from the manifest is found when all else fits") {
  Snapshot snapshot;
  Manifest manifest = fitting_manifest(snapshot.path);
  manifest.rows["ledger_in"] += 1;
  manifest.rows["gone"] = 3;
  snapshot.write(manifest);
  const VerifyReport report = snapshot.verify();
  CHECK(report.verdict == Verdict::damaged);
  CHECK(names_with(report, Outcome::failed) == "row_counts");
  CHECK(check_named(report, "row_counts").findings ==
        std::vector<std::string>{"Table gone is not there.",
                                 "Table ledger_in has 20 rows; the manifest says 21."});
}

TEST_CASE("Without a manifest the digest and the row counts are not compared") {
  Snapshot snapshot;
  const VerifyReport without = snapshot.verify();
  CHECK(without.verdict == Verdict::inconclusive);
  CHECK(names_with(without, Outcome::failed).empty());
  CHECK(names_with(without, Outcome::skipped) == "digest row_counts");
  CHECK(without.rows.at("notes") == 20);
}

TEST_CASE("A header that does not fit file or manifest is found") {
  Snapshot snapshot;
  Manifest manifest = fitting_manifest(snapshot.path);
  manifest.user_version = 7;
  snapshot.write(manifest);
  CHECK(check_named(snapshot.verify(), "header").findings ==
        std::vector<std::string>{"The user_version is 0; the manifest says 7."});
  fs::resize_file(snapshot.path, fs::file_size(snapshot.path) - 4096);
  const VerifyReport cut = snapshot.verify();
  CHECK(check_named(cut, "header").outcome == Outcome::failed);
  CHECK(cut.verdict == Verdict::damaged);
}

TEST_CASE("What is no database is damaged, whatever it is") {
  Snapshot snapshot;
  for (const std::string& bytes :
       {std::string(), std::string("short"), std::string(8192, 'g'),
        std::string("SQLite format 3\0\x33\x33", 18) + std::string(9000, '\xff')}) {
    test::write_file(snapshot.path, bytes);
    const VerifyReport report = snapshot.verify(VerifyLevel::full);
    CAPTURE(bytes.size());
    CHECK(report.verdict == Verdict::damaged);
    CHECK(check_named(report, "header").outcome == Outcome::failed);
    CHECK(check_named(report, "integrity_check").outcome != Outcome::passed);
  }
}

TEST_CASE("Nothing to judge is an error, and nothing is created") {
  Snapshot snapshot;
  core::NoProgress progress;
  const auto absent = core::verify_snapshot({.snapshot = snapshot.world / "absent.db"},
                                            snapshot.world.env(), progress, {});
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == core::ErrorCode::not_found);
  CHECK_FALSE(fs::exists(snapshot.world / "absent.db"));
  const auto folder = core::verify_snapshot({.snapshot = snapshot.world / "home"},
                                            snapshot.world.env(), progress, {});
  REQUIRE_FALSE(folder);
  CHECK(folder.error().code == core::ErrorCode::invalid_argument);
}

TEST_CASE("A snapshot that still says WAL is sound, also in a folder that may not be written") {
  Snapshot snapshot;
  fs::create_directory(snapshot.world / "folder");
  snapshot.path = snapshot.world / "folder/x-2026-11-23.db";
  test::make_notes_database(snapshot.path, {.journal_mode = "wal"});
  fs::permissions(snapshot.world / "folder", fs::perms::owner_read | fs::perms::owner_exec);
  const VerifyReport report = snapshot.verify();
  CHECK(report.verdict == Verdict::inconclusive);  // it has no manifest
  CHECK(names_with(report, Outcome::failed).empty());
  CHECK(check_named(report, "header").reason.find("WAL") != std::string::npos);
  CHECK(test::names_in(snapshot.world / "folder") == "x-2026-11-23.db");
}

TEST_CASE("A stale -wal or -journal beside a snapshot is found, an empty one does no harm") {
  Snapshot snapshot;
  snapshot.write_fitting_manifest();
  test::write_file(snapshot.path.string() + "-wal", "");
  CHECK(snapshot.verify().verdict == Verdict::verified);
  for (const char* suffix : {"-wal", "-journal"}) {
    const fs::path side = snapshot.path.string() + suffix;
    test::write_file(side, std::string(5000, 'w'));
    const VerifyReport report = snapshot.verify();
    CHECK(report.verdict == Verdict::damaged);
    CHECK(names_with(report, Outcome::failed) == "side_files");
    CHECK(check_named(report, "side_files").findings[0].find(side.string()) == 0);
    fs::remove(side);
  }
}

TEST_CASE("A live database is not judged as a snapshot") {
  FakeEnv world;
  test::make_notes_database(world / "live.db");
  test::WriterProcess writer(world / "live.db");
  core::NoProgress progress;
  const auto report =
      core::verify_snapshot({.snapshot = world / "live.db"}, world.env(), progress, {});
  REQUIRE_FALSE(report);
  CHECK(report.error().code == core::ErrorCode::conflict);
}

TEST_CASE("The snapshot that was to be replaced is told from damage by its digest") {
  Snapshot snapshot;
  Manifest manifest = fitting_manifest(snapshot.path);
  manifest.replaces = core::ReplacedSnapshot{manifest.sha256, manifest.bytes, {}};
  manifest.sha256 = std::string(64, 'a');
  manifest.bytes += 4096;
  manifest.rows["notes"] += 5;
  snapshot.write(manifest);
  const VerifyReport intact = snapshot.verify();
  CHECK(intact.verdict == Verdict::verified);
  CHECK_FALSE(check_named(intact, "digest").reason.empty());
  CHECK(check_named(intact, "row_counts").outcome == Outcome::skipped);
  test::run_sql(snapshot.path, "INSERT INTO ledger_in VALUES (1000, 1)");
  CHECK(snapshot.verify().verdict == Verdict::damaged);
}

TEST_CASE("What the source itself has wrong does not make its copy a bad one") {
  Snapshot snapshot;
  test::run_sql(snapshot.path,
                "DELETE FROM notes WHERE id IN ('note-5', 'note-6'); DROP TRIGGER notes_ad;"
                "UPDATE notes SET content = 'changed' WHERE rowid = 3");
  Manifest manifest = fitting_manifest(snapshot.path);
  const VerifyReport fresh = snapshot.verify(VerifyRequest{.snapshot = snapshot.path,
                                                           .level = VerifyLevel::quick,
                                                           .known_sha256 = manifest.sha256,
                                                           .expected = manifest});
  CHECK(fresh.verdict == Verdict::verified);
  CHECK(fresh.source_findings ==
        std::map<std::string, std::uint64_t>{{"foreign_keys", 2}, {"full_text", 1}});
  CHECK(check_named(fresh, "foreign_keys").findings.size() == 2);

  manifest.source_findings = fresh.source_findings;
  snapshot.write(manifest);
  CHECK(snapshot.verify().verdict == Verdict::verified);

  test::run_sql(snapshot.path, "PRAGMA foreign_keys = OFF; DELETE FROM notes WHERE id = 'note-9'");
  Manifest more = fitting_manifest(snapshot.path);
  more.source_findings = fresh.source_findings;
  snapshot.write(more);
  const VerifyReport report = snapshot.verify();
  CHECK(check_named(report, "foreign_keys").outcome == Outcome::failed);
}

TEST_CASE("A fresh copy is judged by the digest that its writer took") {
  Snapshot snapshot;
  Manifest manifest = fitting_manifest(snapshot.path);
  VerifyRequest request{.snapshot = snapshot.path, .known_sha256 = std::string(64, 'b')};
  request.expected = manifest;
  CHECK(names_with(snapshot.verify(request), Outcome::failed) == "digest");
  request.known_sha256.clear();
  CHECK(snapshot.verify(request).verdict == Verdict::verified);
  request.expected->sha256.clear();
  CHECK(snapshot.verify(request).verdict == Verdict::verified);
}

TEST_CASE("A table of a module that is not here is skipped, and the rest decides") {
  Snapshot snapshot;
  test::run_sql(snapshot.path,
                "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'vectors',"
                "'vectors', 0, 'CREATE VIRTUAL TABLE vectors USING vec0(embedding float[3])')");
  snapshot.write_fitting_manifest();
  const VerifyReport report = snapshot.verify(VerifyLevel::full);
  CHECK(report.verdict == Verdict::verified);
  CHECK(names_with(report, Outcome::skipped) == "virtual_tables");
  CHECK(check_named(report, "virtual_tables").reason ==
        "Table vectors needs the module vec0, which this program does not have.");
}

TEST_CASE("An FTS table with a tokenizer that is not here is skipped with the reason") {
  Snapshot snapshot;
  test::run_sql(snapshot.path,
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, "
                "'porter unicode61', 'jieba') WHERE name = 'notes_fts'");
  snapshot.write_fitting_manifest();
  const VerifyReport report = snapshot.verify();
  CHECK(report.verdict == Verdict::verified);
  CHECK(check_named(report, "full_text").outcome == Outcome::skipped);
  CHECK(check_named(report, "full_text").reason.find("tokenizer") != std::string::npos);
}

TEST_CASE("Row counts are compared with the live database, which stays as it was") {
  Snapshot snapshot;
  snapshot.write_fitting_manifest();
  const fs::path live = snapshot.world / "home/live.db";
  test::make_notes_database(live, {.notes = 25});
  const std::string names = test::names_in(live.parent_path());
  VerifyRequest request{.snapshot = snapshot.path};
  request.live_source = live;
  const VerifyReport report = snapshot.verify(request);
  CHECK(report.verdict == Verdict::verified);
  const VerifyCheck& check = check_named(report, "live_source");
  CHECK(check.outcome == Outcome::passed);
  CHECK(check.findings.size() == 4);
  REQUIRE(check.findings.size() == 4);
  CHECK(check.findings[0] == "Table ledger_in: 20 in the snapshot, 25 in the live database.");
  CHECK(test::names_in(live.parent_path()) == names);
  request.live_source = snapshot.world / "absent.db";
  CHECK(check_named(snapshot.verify(request), "live_source").outcome == Outcome::skipped);
}

TEST_CASE("Paths with characters that mean something in a URI are opened as they are") {
  Snapshot snapshot;
  const fs::path path = snapshot.world / test::allowed_name("a?b=c#d %41&é'\"-2026-11-23.db");
  fs::rename(snapshot.path, path);
  snapshot.path = path;
  snapshot.write_fitting_manifest();
  CHECK(snapshot.verify(VerifyLevel::full).verdict == Verdict::verified);
}

namespace {

// A database large enough for several threads.
void make_large(const fs::path& path, int rows) {
  fs::remove(path);
  test::make_notes_database(path, {.journal_mode = "delete"});
  test::run_sql(path,
                "PRAGMA synchronous = OFF; CREATE TABLE filler(a, b); CREATE INDEX fa ON filler(a);"
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT " +
                    std::to_string(rows) +
                    ") INSERT INTO filler SELECT hex(randomblob(20)), randomblob(60) FROM n");
}

class Progress final : public core::ProgressSink {
 public:
  void report(std::uint64_t done, std::uint64_t total, const std::string& phase) override {
    CHECK(phase == "verify");
    CHECK(done >= done_);
    CHECK(done <= total);
    done_ = done;
    total_ = total;
    ++reports_;
  }
  std::uint64_t done_ = 0, total_ = 0;
  int reports_ = 0;
};

}  // namespace

TEST_CASE("A large snapshot is checked on several threads, with progress that only grows") {
  Snapshot snapshot;
  make_large(snapshot.path, 100'000);
  REQUIRE(fs::file_size(snapshot.path) > (8 << 20));
  Manifest manifest = fitting_manifest(snapshot.path);
  manifest.rows["filler"] = 100'000;
  snapshot.write(manifest);
  Progress progress;
  const auto report = core::verify_snapshot({.snapshot = snapshot.path, .level = VerifyLevel::full},
                                            snapshot.world.env(), progress, {});
  REQUIRE(report);
  CHECK(report->verdict == Verdict::verified);
  CHECK(report->checks.size() == 7);
  CHECK(progress.reports_ > 0);
  CHECK(progress.done_ == progress.total_);
  CHECK(progress.total_ == 2 * fs::file_size(snapshot.path));
}

TEST_CASE("A stop ends a check of any size") {
  Snapshot snapshot;
  make_large(snapshot.path, 400'000);
  snapshot.write(fitting_manifest(snapshot.path));
  for (const int delay_ms : {0, 5, 30, 60}) {
    std::stop_source stop;
    const std::jthread stopper([&] {
      core::system_clock().sleep_for(std::chrono::milliseconds{delay_ms}, {});
      stop.request_stop();
    });
    core::NoProgress progress;
    const auto report =
        core::verify_snapshot({.snapshot = snapshot.path, .level = VerifyLevel::full},
                              snapshot.world.env(), progress, stop.get_token());
    CAPTURE(delay_ms);
    REQUIRE_FALSE(report);
    CHECK(report.error().code == core::ErrorCode::cancelled);
  }
}
