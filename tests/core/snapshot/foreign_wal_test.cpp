// A -wal that belongs to another database, or to an earlier state of this one, beside a database.
// https://www.sqlite.org/howtocorrupt.html, section 1.4
#include <map>

#include "core/catalog/names.h"
#include "core/verify/verify.h"
#include "support/catch.h"
#include "support/snapshots.h"
#include "support/test_database.h"
#include "tests/core/support/damaged_databases.h"

namespace {

namespace fs = std::filesystem;
using core::VerifyLevel;
using test::read_file;
using test::SnapshotWorld;
using test::SoundDatabase;
using Verdict = core::VerifyReport::Verdict;

std::string in_wal_mode(std::string bytes) {
  bytes[18] = bytes[19] = 2;
  return bytes;
}

// What lies beside a database after these changes, before any checkpoint.
std::string wal_of(const fs::path& folder, const std::string& bytes, const std::string& changes) {
  const fs::path path = folder / "other.db";
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(path.string() + suffix);
  test::write_file(path, in_wal_mode(bytes));
  test::OpenDatabase other(path, false);
  other.run("PRAGMA wal_autocheckpoint = 0; " + changes);
  return read_file(path.string() + "-wal");
}

// Rows go from every table, and others come: pages of all kinds are in the log.
std::string changes_of(const fs::path& database) {
  std::string sql = "BEGIN;";
  for (const std::string& table : test::query_column(
           database,
           "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND "
           "name NOT LIKE 'sqlite_%' AND sql NOT LIKE '%WITHOUT ROWID%'")) {
    sql += "DELETE FROM \"" + table + "\" WHERE rowid % 3 = 0;";
  }
  return sql +
         "CREATE TABLE added(x); INSERT INTO added SELECT randomblob(900) FROM "
         "(WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 40) "
         "SELECT i FROM n); COMMIT;";
}

struct Figures {
  int cases = 0, refused = 0, taken = 0;
};

// The source must stay byte for byte what it was; a snapshot that is there must be sound.
void take_and_judge(const std::string& name, const std::string& database, const std::string& wal,
                    VerifyLevel level, Figures& figures) {
  INFO(name << ", " << to_string(level));
  SnapshotWorld world;
  test::write_file(world.source, in_wal_mode(database));
  test::write_file(world.source.string() + "-wal", wal);
  core::SnapshotRequest request = world.request();
  request.verify = level;
  const auto result = world.take(request);
  ++figures.cases;
  CHECK(read_file(world.source) == in_wal_mode(database));
  CHECK(read_file(world.source.string() + "-wal") == wal);
  if (!result) {
    ++figures.refused;
    CHECK(result.error().code == core::ErrorCode::damaged);
    for (const auto& entry : fs::directory_iterator(world.host_folder())) {
      const auto snapshot = core::parse_snapshot_name(entry.path().filename().string());
      CHECK((!snapshot || snapshot->stem == core::damaged_stem("global")));
    }
    return;
  }
  ++figures.taken;
  REQUIRE(result->verification);
  if (result->verification->verdict != Verdict::verified) return;
  if (result->verification->source_findings.contains("indexes")) return;
  CHECK(test::fault_in(result->snapshot, level == VerifyLevel::full) == "");
}

TEST_CASE("A snapshot beside a foreign log is sound, or there is none") {
  test::FakeEnv scratch;
  const std::vector<SoundDatabase> sound = test::sound_databases(scratch.folder.path());
  Figures figures;
  std::map<std::string, std::string> logs;
  for (const SoundDatabase& other : sound) {
    const fs::path path = scratch / "asked.db";
    fs::remove(path);
    test::write_file(path, other.bytes);
    logs[other.name] = wal_of(scratch.folder.path(), other.bytes, changes_of(path));
    REQUIRE(logs[other.name].size() > 32);
  }
  for (const SoundDatabase& database : sound) {
    for (const auto& [owner, wal] : logs) {
      const std::string name = database.name + " with the log of " + owner;
      take_and_judge(name, database.bytes, wal, VerifyLevel::full, figures);
      take_and_judge(name, database.bytes, wal, VerifyLevel::quick, figures);
      take_and_judge(name + ", cut short", database.bytes, wal.substr(0, wal.size() * 2 / 3),
                     VerifyLevel::full, figures);
    }
  }
  UNSCOPED_INFO(figures.cases << " cases, " << figures.refused << " refused");
  CHECK(figures.cases >= 75);
  CHECK(figures.refused >= 20);
  CHECK(figures.taken >= 5);  // each with its own log
}

TEST_CASE("A snapshot beside the log of an earlier state is sound, or there is none") {
  test::FakeEnv scratch;
  Figures figures;
  for (const SoundDatabase& database : test::sound_databases(scratch.folder.path())) {
    const fs::path path = scratch / "later.db";
    fs::remove(path);
    test::write_file(path, database.bytes);
    const std::string changes = changes_of(path);
    const std::string wal = wal_of(scratch.folder.path(), database.bytes, changes);
    // The database went on without its log, which somebody then put back.
    test::run_sql(path, changes + "DROP TABLE added; VACUUM;");
    const std::string later = read_file(path);
    take_and_judge(database.name, later, wal, VerifyLevel::full, figures);
    take_and_judge(database.name, later, wal, VerifyLevel::quick, figures);
  }
  CHECK(figures.cases >= 10);
}

TEST_CASE("A snapshot with a log beside it is never verified") {
  test::FakeEnv scratch;
  const std::vector<SoundDatabase> sound = test::sound_databases(scratch.folder.path());
  SnapshotWorld world;
  test::make_notes_database(world.source);
  const auto taken = world.take();
  REQUIRE(taken);
  test::write_file(taken->snapshot.string() + "-wal",
                   wal_of(scratch.folder.path(), sound.front().bytes, "CREATE TABLE added(x)"));
  core::NoProgress progress;
  core::VerifyRequest request;
  request.snapshot = taken->snapshot;
  const auto report = core::verify_snapshot(request, world.env(), progress, {});
  REQUIRE(report);
  CHECK(report->verdict == Verdict::damaged);
}

}  // namespace
