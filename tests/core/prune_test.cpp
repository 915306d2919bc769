#include "core/prune.h"

#include "core/verify_run.h"
#include "support/catch.h"
#include "support/snapshots.h"
#include "support/test_database.h"

namespace {

namespace fs = std::filesystem;

TEST_CASE("a database that is gone is pruned by a path that leads through a link, too") {
  test::SnapshotWorld world;
  test::make_notes_database(world.source);
  for (const char* date : {"2026-11-20", "2026-11-21", "2026-11-22"}) {
    auto request = world.request();
    request.date = core::parse_date(date);
    REQUIRE(world.take(request));
  }
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

TEST_CASE("a snapshot that a check found damaged does not let the last good one go") {
  test::SnapshotWorld world;
  test::make_notes_database(world.source);
  for (const char* date : {"2026-11-20", "2026-11-21", "2026-11-22"}) {
    auto request = world.request();
    request.date = core::parse_date(date);
    REQUIRE(world.take(request));
  }
  const fs::path newest = world.host_folder() / "global-2026-11-22.db";
  const std::string good = test::read_file(newest);
  const auto check = [&](const std::string& content, core::VerifyReport::Verdict verdict) {
    test::write_file(newest, content);
    core::VerifyRequest request;
    request.snapshot = newest;
    core::NoProgress progress;
    const auto run = core::verify_and_record(request, world.env(), progress, {});
    REQUIRE(run);
    REQUIRE(run->report.verdict == verdict);
  };
  const auto reasons = [&] {
    core::PruneRequest request;
    request.source = world.source;
    request.destination = world.destination;
    request.policy.keep_last = 1;
    request.dry_run = true;
    const auto pruned = core::prune_snapshots(request, world.env(), {});
    REQUIRE(pruned);
    std::vector<std::string> texts;
    for (const auto& decision : pruned->decisions) texts.push_back(decision.reason);
    return texts;
  };
  using Reasons = std::vector<std::string>;
  const std::string gone = "no rule keeps it";

  std::string rotten = good;
  rotten[rotten.size() / 2] ^= 1;
  check(rotten, core::VerifyReport::Verdict::damaged);
  CHECK(reasons() == Reasons{"last 1 of 1", "the newest verified", gone});
  // The nightly run itself spares it, too.
  auto nightly = world.request();
  nightly.verify = core::VerifyLevel::none;
  nightly.retention.keep_last = 1;
  const auto night = world.take(nightly);
  REQUIRE(night);
  CHECK(night->removed.size() == 2);
  CHECK(fs::exists(world.host_folder() / "global-2026-11-21.db"));
}

TEST_CASE("a snapshot that passes a later check counts again") {
  test::SnapshotWorld world;
  test::make_notes_database(world.source);
  REQUIRE(world.take());
  auto series = core::list_series(world.host_folder(), "global", world.env().files);
  REQUIRE(series);
  REQUIRE(series->size() == 1);
  const fs::path path = series->front().path;
  const std::string good = test::read_file(path);
  std::string rotten = good;
  rotten[rotten.size() / 2] ^= 1;
  for (const bool damaged : {true, false}) {
    test::write_file(path, damaged ? rotten : good);
    core::VerifyRequest request;
    request.snapshot = path;
    core::NoProgress progress;
    REQUIRE(core::verify_and_record(request, world.env(), progress, {}));
    REQUIRE(core::mark_damaged(*series, world.source.string(), world.env()));
    CHECK(series->front().verified() != damaged);
  }
}

}  // namespace
