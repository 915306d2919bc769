#include "core/prune.h"

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

}  // namespace
