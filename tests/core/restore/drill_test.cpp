// A drill leaves nothing behind, and tells what a restore would bring back.
#include "core/restore/drill.h"

#include "core/catalog/history.h"
#include "support/catch.h"
#include "support/snapshots.h"
#include "support/test_database.h"

using namespace core;
using test::SnapshotWorld;

namespace {

struct DrillWorld : SnapshotWorld {
  DrillWorld() {
    test::make_notes_database(source);
    snapshot = take()->snapshot;
  }
  Expected<DrillResult> drill() {
    NoProgress no_progress;
    return core::drill({snapshot}, env(), no_progress, {});
  }
  std::vector<RunRecord> drills() {
    RunFilter filter;
    filter.kind = "drill";
    return *list_runs(filter, env());
  }
  bool nothing_left() const { return !fs::exists(places.state / "drill"); }

  fs::path snapshot;
};

// A file of other content under the snapshot's name, with a manifest that has its digest.
void swap_content(const fs::path& snapshot, const std::string& sql) {
  auto manifest = *read_manifest(snapshot, system_files());
  test::run_sql(snapshot, sql);
  manifest.sha256.clear();
  manifest.bytes = fs::file_size(snapshot);
  REQUIRE(write_manifest(snapshot, manifest, system_files()));
}

}  // namespace

TEST_CASE("A drill restores, counts, searches, removes it and stands in the history") {
  DrillWorld world;
  const auto result = world.drill();
  REQUIRE(result);
  CHECK(result->source == world.source.string());
  CHECK(result->verdict == VerifyReport::Verdict::verified);
  CHECK(result->rows > 20);
  CHECK(result->tables >= 5);
  CHECK(result->searched == "notes_fts");
  CHECK(result->warnings.empty());
  CHECK(world.nothing_left());
  REQUIRE(world.drills().size() == 1);
  CHECK(world.drills()[0].ok);
  CHECK(world.drills()[0].source == world.source.string());
  RunFilter restores;
  restores.kind = "restore";
  CHECK(list_runs(restores, world.env())->empty());
}

TEST_CASE("A drill with a damaged snapshot fails, is recorded and leaves nothing") {
  DrillWorld world;
  auto text = test::read_file(world.snapshot);
  text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
  test::write_file(world.snapshot, text);
  const auto result = world.drill();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::damaged);
  CHECK(world.nothing_left());
  REQUIRE(world.drills().size() == 1);
  CHECK_FALSE(world.drills()[0].ok);
}

TEST_CASE("A drill finds that rows are missing which the manifest tells of") {
  DrillWorld world;
  swap_content(world.snapshot, "DELETE FROM ledger_in WHERE number = 1");
  const auto result = world.drill();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::damaged);
  CHECK(world.nothing_left());
}

TEST_CASE("What a drill that was killed left behind goes with the next one") {
  DrillWorld world;
  fs::create_directories(world.places.state / "drill");
  test::write_file(world.places.state / "drill/drill.db", "half");
  test::write_file(world.places.state / "drill/.~drill.db.abc.tmp", "half");
  REQUIRE(world.drill());
  CHECK(world.nothing_left());
}

TEST_CASE("A full-text column that is not indexed, or holds no plain word, is not searched") {
  DrillWorld world;
  test::run_sql(world.source,
                "CREATE VIRTUAL TABLE aa USING fts5(secret UNINDEXED, body);"
                "INSERT INTO aa VALUES('hidden words', 'plain words');"
                "CREATE VIRTUAL TABLE a0 USING fts5(body);"
                "INSERT INTO a0 VALUES('überall-Öl')");
  world.clock.advance(std::chrono::hours(24));
  world.snapshot = world.take()->snapshot;
  const auto result = world.drill();
  REQUIRE(result);
  CHECK(result->searched == "aa");
  CHECK(result->warnings.empty());
}

TEST_CASE("A stopped drill leaves nothing") {
  DrillWorld world;
  NoProgress no_progress;
  world.stop.request_stop();
  const auto result =
      core::drill({world.snapshot}, world.env(), no_progress, world.stop.get_token());
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::cancelled);
  CHECK(world.nothing_left());
}
