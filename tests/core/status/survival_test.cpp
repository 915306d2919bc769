#include "core/status/survival.h"

#include "core/status/totals.h"
#include "support/catch.h"
#include "support/fake_env.h"

namespace fs = std::filesystem;
using core::Medium;
using core::Survives;

namespace {

core::Snapshot snapshot_of(std::size_t series, bool verified = true) {
  core::Snapshot snapshot;
  snapshot.series = series;
  core::Manifest manifest;
  if (verified) manifest.verified = core::VerifyLevel::quick;
  snapshot.manifest = manifest;
  return snapshot;
}

core::SeriesTotal total_of(std::uint64_t snapshots, const char* oldest) {
  return {snapshots, snapshots * 1'000, *core::parse_date(oldest)};
}

}  // namespace

TEST_CASE("Snapshots on the disk of their database survive a deleted file alone") {
  const Medium home{1, false, {"sda"}};
  CHECK(core::survives(home, home) == Survives::deleted_file);
  // Two partitions, two volumes of one disk, or of an array that shares one with it.
  CHECK(core::survives(home, Medium{2, false, {"sda"}}) == Survives::deleted_file);
  CHECK(core::survives(home, Medium{2, false, {"sda", "sdb"}}) == Survives::deleted_file);
}

TEST_CASE("Snapshots on another disk survive a broken one, where both are known") {
  const Medium home{1, false, {"sda"}};
  CHECK(core::survives(home, Medium{2, false, {"sdb"}}) == Survives::broken_disk);
  CHECK(core::survives(home, Medium{2, false, {}}) == Survives::deleted_file);
  CHECK(core::survives(Medium{1, false, {}}, Medium{2, false, {"sdb"}}) == Survives::deleted_file);
}

TEST_CASE("Snapshots on a server or in a synced folder survive the machine") {
  const Medium home{1, false, {"sda"}};
  CHECK(core::survives(home, Medium{9, true, {}}) == Survives::lost_machine);
  // A database on that server is lost with it.
  CHECK(core::survives(Medium{9, true, {}}, Medium{9, true, {}}) == Survives::deleted_file);
}

TEST_CASE("Where a path is not there yet, its nearest folder tells on which volume it would lie") {
  test::FakeEnv house;
  fs::create_directories(house / "home");
  core::Media media(core::system_files());
  const Medium folder = media.of(house / "home");
  CHECK(folder.volume != 0);
  CHECK(media.of(house / "home/not/there.db").volume == folder.volume);
  CHECK_FALSE(folder.off_machine);
}

TEST_CASE("A database's snapshots are counted by their series, and the safest of them tells") {
  const Medium home{1, false, {"sda"}}, other{2, false, {"sdb"}};
  const std::vector<core::ListedSeries> series{{total_of(30, "2026-10-01"), home},
                                               {total_of(7, "2020-01-01"), home},
                                               {total_of(5, "2026-09-01"), other}};
  const core::Snapshot first = snapshot_of(0), second = snapshot_of(0), third = snapshot_of(2);

  auto totals = core::totals_of(home, {&first, &second}, series);
  CHECK(totals.snapshots == 30);
  CHECK(totals.bytes == 30'000);
  CHECK(totals.oldest == core::parse_date("2026-10-01"));
  CHECK(totals.survives == Survives::deleted_file);

  totals = core::totals_of(home, {&first, &third}, series);
  CHECK(totals.snapshots == 35);
  CHECK(totals.oldest == core::parse_date("2026-09-01"));
  CHECK(totals.survives == Survives::broken_disk);

  // What never passed a check is counted, and promises nothing.
  const core::Snapshot unchecked = snapshot_of(2, /*verified=*/false);
  totals = core::totals_of(home, {&unchecked}, series);
  CHECK(totals.snapshots == 5);
  CHECK(totals.survives == Survives::nothing);
  // What was in no listing, as a run's word for a snapshot, counts nothing.
  const core::Snapshot unlisted = snapshot_of(core::kNoSeries);
  CHECK(core::totals_of(home, {&unlisted}, series).snapshots == 0);
}
