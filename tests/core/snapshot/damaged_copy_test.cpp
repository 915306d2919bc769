// What a run keeps of a database that is damaged: one copy, told, and counted as no snapshot.
#include "core/snapshot/damaged_copy.h"

#include "core/restore/choose_snapshot.h"
#include "core/restore/restore.h"
#include "core/snapshot/prune.h"
#include "core/status/status_facts.h"
#include "core/verify/verify_run.h"
#include "support/catch.h"
#include "support/snapshots.h"
#include "support/test_database.h"

namespace {

namespace fs = std::filesystem;
using core::ErrorCode;
using test::files_below;
using test::SnapshotWorld;
using Names = std::vector<std::string>;

void damage(const fs::path& path) {
  const auto root =
      test::query_integer(path, "SELECT rootpage FROM sqlite_master WHERE name = 'idx_notes_type'");
  test::patch_file(path, static_cast<std::uint64_t>(root - 1) * 4096, std::string(512, '\x7f'));
}

struct World : SnapshotWorld {
  World() { test::make_notes_database(source, {"delete", 4096, 400}); }
  core::Error failing(const core::SnapshotRequest& request) {
    const auto result = take(request);
    REQUIRE_FALSE(result);
    return result.error();
  }
  core::Error failing() { return failing(request()); }
  fs::path copy_of(const std::string& day) const {
    return host_folder() / ("global-damaged-" + day + ".db");
  }
  core::Expected<core::RestoreResult> restore(const core::RestoreRequest& request) {
    core::NoProgress progress;
    return core::restore_snapshot(request, env(), progress, {});
  }
};

TEST_CASE("Of a damaged database one copy is kept beside the good snapshots, and told") {
  World world;
  const auto good = world.take();
  REQUIRE(good);
  damage(world.source);
  const std::string live = test::read_file(world.source);
  const core::Error error = world.failing();
  CHECK(error.code == ErrorCode::damaged);
  const fs::path copy = world.copy_of("2026-11-23");
  CHECK_THAT(error.message, Catch::Contains("The damaged copy is kept as " + copy.string()));
  CHECK_THAT(error.hint, Catch::Contains("sqlite3 " + copy.string() + " .recover"));
  CHECK(test::read_file(copy) == live);

  // The next day's takes its place.
  world.clock.advance(std::chrono::hours{24});
  world.failing();
  CHECK(files_below(world.destination) ==
        Names{"testhost/global-2026-11-23.db", "testhost/global-2026-11-23.db.manifest.json",
              "testhost/global-damaged-2026-11-24.db",
              "testhost/global-damaged-2026-11-24.db.manifest.json"});
  world.failing();  // the same day's, too
  CHECK(files_below(world.destination).size() == 4);
}

TEST_CASE("A damaged copy is listed as damaged, and is no snapshot to restore, keep or prune by") {
  World world;
  const auto good = world.take();
  REQUIRE(good);
  damage(world.source);
  world.clock.advance(std::chrono::hours{24});
  world.failing();
  const auto page = core::list_snapshots(world.destination, {}, 10, "", core::system_files());
  REQUIRE(page);
  REQUIRE(page->snapshots.size() == 2);
  CHECK(page->snapshots[0].path == world.copy_of("2026-11-24"));
  CHECK(page->snapshots[0].found_damaged);
  CHECK_FALSE(page->snapshots[0].verified());
  CHECK(page->snapshots[1].verified());
  for (const auto damaged : {core::Damaged::counts, core::Damaged::is_passed_over}) {
    const auto latest =
        core::latest_snapshot_of(world.source, world.destination, damaged, world.env());
    REQUIRE(latest);
    CHECK(latest->path == good->snapshot);
    CHECK(latest->warnings.empty());
  }
  core::PruneRequest prune;
  prune.source = world.source;
  prune.destination = world.destination;
  prune.policy.keep_last = 1;
  const auto pruned = core::prune_snapshots(prune, world.env(), {});
  REQUIRE(pruned);
  REQUIRE(pruned->decisions.size() == 1);
  CHECK_FALSE(pruned->decisions[0].expired);
  CHECK(files_below(world.destination).size() == 4);
}

TEST_CASE("To the status a damaged copy is neither a success nor a way back") {
  World world;
  damage(world.source);
  world.failing();
  core::StatusInput input;
  std::vector<std::string> warnings;
  core::gather_backups(core::FactDepth::whole, input, warnings, world.env(), {});
  CHECK(input.snapshots.empty());
}

TEST_CASE("Where there is nothing but a damaged copy, looking for the latest names it") {
  World world;
  damage(world.source);
  world.failing();
  const auto latest = core::latest_snapshot_of(world.source, world.destination,
                                               core::Damaged::is_passed_over, world.env());
  REQUIRE_FALSE(latest);
  CHECK(latest.error().code == ErrorCode::not_found);
  CHECK_THAT(latest.error().message, Catch::Contains(world.copy_of("2026-11-23").string()));
}

TEST_CASE("A copy is kept of a database that was cut short, or whose schema is garbage") {
  World world;
  if (GENERATE(true, false)) {
    fs::resize_file(world.source, fs::file_size(world.source) / 2 / 4096 * 4096);
  } else {
    test::run_sql(world.source,
                  "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX $%' "
                  "WHERE name = 'idx_notes_type'");
  }
  const std::string live = test::read_file(world.source);
  const core::Error error = world.failing();
  INFO(error.message);
  CHECK(error.code == ErrorCode::damaged);
  CHECK(test::read_file(world.copy_of("2026-11-23")) == live);
  CHECK(files_below(world.live) == Names{"global.db"});
}

TEST_CASE("A damaged copy takes nobody else's place") {
  World world;
  const fs::path other = world.live / "global-damaged.db";
  test::make_notes_database(other, {"delete", 4096, 20});
  auto request = world.request();
  request.source = other;
  const auto theirs = world.take(request);
  REQUIRE(theirs);
  const std::string before = test::read_file(theirs->snapshot);
  damage(world.source);
  const core::Error error = world.failing();
  CHECK(error.code == ErrorCode::damaged);
  CHECK_THAT(error.message, Catch::Contains("Nor could the damaged copy be kept"));
  CHECK(test::read_file(theirs->snapshot) == before);
  CHECK(files_below(world.destination).size() == 2);
  // Nor does one on another day keep that database from being backed up.
  world.clock.advance(std::chrono::hours{24});
  world.failing();
  world.clock.advance(std::chrono::hours{24});
  CHECK(world.take(request));
}

TEST_CASE("A damaged snapshot is restored only with a flag and a yes, as it is") {
  World world;
  damage(world.source);
  const std::string live = test::read_file(world.source);
  world.failing();
  core::RestoreRequest request;
  request.snapshot = world.copy_of("2026-11-23");
  request.target = world.live / "back.db";
  const auto refused = world.restore(request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::damaged);
  CHECK_THAT(refused.error().hint, Catch::Contains("accept_damage"));
  request.accept_damage = true;
  const auto asked = world.restore(request);
  REQUIRE_FALSE(asked);
  CHECK(asked.error().code == ErrorCode::needs_confirmation);
  CHECK_FALSE(fs::exists(request.target));
  request.confirmed = true;
  request.reindex = true;
  const auto both = world.restore(request);
  REQUIRE_FALSE(both);
  CHECK(both.error().code == ErrorCode::invalid_argument);
  request.reindex = false;
  const auto restored = world.restore(request);
  INFO((restored ? "" : restored.error().message));
  REQUIRE(restored);
  CHECK(test::read_file(request.target) == live);
  REQUIRE_FALSE(restored->warnings.empty());
  CHECK_THAT(restored->warnings[0],
             Catch::Contains("failed its check (") && Catch::Contains(".recover"));
}

TEST_CASE("Where the copy was stopped or could not be read, none is kept") {
  World world;
  test::write_file(world.source, std::string(8192, 'x'));
  CHECK(world.failing().code == ErrorCode::not_a_database);
  CHECK(files_below(world.destination).empty());
}

}  // namespace
