#include "core/snapshot/prune.h"

#include "core/catalog/history.h"
#include "core/verify/verify_run.h"
#include "support/catch.h"
#include "support/snapshots.h"
#include "support/test_database.h"

namespace {

namespace fs = std::filesystem;

void take_three(test::SnapshotWorld& world) {
  test::make_notes_database(world.source);
  for (const char* date : {"2026-11-20", "2026-11-21", "2026-11-22"}) {
    auto request = world.request();
    request.date = core::parse_date(date);
    REQUIRE(world.take(request));
  }
}

std::string with_a_flipped_bit(std::string bytes) {
  bytes[bytes.size() / 2] ^= 1;
  return bytes;
}

// What the check, which history remembers, says of the file.
core::VerifyReport::Verdict check(const fs::path& snapshot, test::SnapshotWorld& world) {
  core::VerifyRequest request;
  request.snapshot = snapshot;
  core::NoProgress progress;
  const auto run = core::verify_and_record(request, world.env(), progress, {});
  REQUIRE(run);
  return run->report.verdict;
}

TEST_CASE("A database that is gone is pruned by a path that leads through a link, too") {
  test::SnapshotWorld world;
  take_three(world);
  fs::remove(world.source);
  fs::create_directory_symlink(world.live, world / "link");
  core::PruneRequest request;
  request.source = world / "link/global.db";
  request.destination = world.destination;
  request.policy.keep_last = 1;
  request.dry_run = false;
  const auto pruned = core::prune_snapshots(request, world.env(), {});
  REQUIRE(pruned);
  CHECK(pruned->source == world.source.string());
  CHECK(test::files_below(world.destination) ==
        std::vector<std::string>{"testhost/global-2026-11-22.db",
                                 "testhost/global-2026-11-22.db.manifest.json"});
}

TEST_CASE("A snapshot that a check found damaged does not let the last good one go") {
  test::SnapshotWorld world;
  take_three(world);
  const fs::path newest = world.host_folder() / "global-2026-11-22.db";
  test::write_file(newest, with_a_flipped_bit(test::read_file(newest)));
  REQUIRE(check(newest, world) == core::VerifyReport::Verdict::damaged);
  core::PruneRequest request;
  request.source = world.source;
  request.destination = world.destination;
  request.policy.keep_last = 1;
  request.dry_run = true;
  const auto pruned = core::prune_snapshots(request, world.env(), {});
  REQUIRE(pruned);
  std::vector<std::string> reasons;
  for (const auto& decision : pruned->decisions) reasons.push_back(decision.reason);
  CHECK(reasons == std::vector<std::string>{"last 1 of 1; it was found damaged and takes no place",
                                            "last 1 of 1", "no rule keeps it"});
  // The nightly run itself spares it, too.
  auto nightly = world.request();
  nightly.verify = core::VerifyLevel::none;
  nightly.retention.keep_last = 1;
  const auto night = world.take(nightly);
  REQUIRE(night);
  CHECK(night->removed.size() == 2);
  CHECK(fs::exists(world.host_folder() / "global-2026-11-21.db"));
}

TEST_CASE("A snapshot that passes a later check counts again") {
  test::SnapshotWorld world;
  test::make_notes_database(world.source);
  REQUIRE(world.take());
  auto series = core::list_series(world.host_folder(), "global", world.env().files);
  REQUIRE(series);
  REQUIRE(series->size() == 1);
  const fs::path path = series->front().path;
  const std::string good = test::read_file(path);
  for (const bool damaged : {true, false}) {
    test::write_file(path, damaged ? with_a_flipped_bit(good) : good);
    REQUIRE(check(path, world) == (damaged ? core::VerifyReport::Verdict::damaged
                                           : core::VerifyReport::Verdict::verified));
    REQUIRE(core::mark_damaged(*series, world.source.string(), world.env()));
    CHECK(series->front().verified() != damaged);
  }
}

TEST_CASE("Pruning after a loss says what it does, not what a snapshot's run did") {
  test::SnapshotWorld world;
  test::DatabaseOptions options;
  options.notes = 100;
  test::make_notes_database(world.source, options);
  auto request = world.request();
  request.date = core::parse_date("2026-11-21");
  REQUIRE(world.take(request));
  test::run_sql(world.source, "DELETE FROM notes; DELETE FROM ledger_in; DELETE FROM ledger_out;");
  request.date = core::parse_date("2026-11-22");
  const auto emptied = world.take(request);
  REQUIRE(emptied);
  REQUIRE(emptied->shrink_alarm);
  CHECK_THAT(emptied->warnings.at(0).text,
             Catch::EndsWith("no older one was removed in this run."));
  core::PruneRequest prune;
  prune.source = world.source;
  prune.destination = world.destination;
  prune.policy.keep_last = 1;
  for (const bool dry_run : {true, false}) {
    prune.dry_run = dry_run;
    const auto pruned = core::prune_snapshots(prune, world.env(), {});
    REQUIRE(pruned);
    REQUIRE(pruned->warnings.size() == 1);
    CHECK_THAT(pruned->warnings[0],
               Catch::StartsWith("The database has lost most of its content") &&
                   Catch::EndsWith("The fuller one stays, whatever the rules say.") &&
                   !Catch::Contains("this run"));
    CHECK(fs::exists(world.host_folder() / "global-2026-11-21.db"));
  }
}

}  // namespace
