#include "core/status/survival.h"

#include <fstream>

#include "core/status/totals.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/paths.h"

namespace fs = std::filesystem;
using core::Medium;
using core::Survives;

namespace {

core::Snapshot snapshot_in(const fs::path& folder, const char* stem, bool verified = true) {
  core::Snapshot snapshot;
  snapshot.path = folder / (std::string(stem) + "-2026-11-23.db");
  snapshot.stem = stem;
  core::Manifest manifest;
  if (verified) manifest.verified = core::VerifyLevel::quick;
  snapshot.manifest = manifest;
  return snapshot;
}

core::SeriesTotal total_of(const fs::path& folder, const char* stem, std::uint64_t snapshots,
                           const char* oldest) {
  return {folder, stem, snapshots, snapshots * 1'000, *core::parse_date(oldest)};
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
  fs::create_directories(house / "home/Dropbox");
  core::Media media(core::system_files());
  const Medium folder = media.of(house / "home");
  CHECK(folder.volume != 0);
  CHECK(media.of(house / "home/not/there.db").volume == folder.volume);
  CHECK_FALSE(folder.off_machine);
  CHECK(media.of(house / "home/Dropbox").off_machine);
  CHECK(media.of(house / "home/Dropbox/not/there").off_machine);
}

TEST_CASE("A database's snapshots are counted by their series, and the safest of them tells") {
  const fs::path beside = test::absolute("/near"), away = test::absolute("/away");
  const Medium home{1, false, {"sda"}}, other{2, false, {"sdb"}};
  const std::vector<core::ListedDestination> destinations{
      {beside,
       home,
       {total_of(beside, "global", 30, "2026-10-01"), total_of(beside, "x", 7, "2020-01-01")}},
      {away, other, {total_of(away, "global", 5, "2026-09-01")}}};
  const core::SeriesIndex index(destinations);
  const core::Snapshot first = snapshot_in(beside, "global"),
                       second = snapshot_in(beside, "global");
  const core::Snapshot third = snapshot_in(away, "global");

  auto totals = index.totals_of(home, {&first, &second});
  CHECK(totals.snapshots == 30);
  CHECK(totals.bytes == 30'000);
  CHECK(totals.oldest == core::parse_date("2026-10-01"));
  CHECK(totals.survives == Survives::deleted_file);

  totals = index.totals_of(home, {&first, &third});
  CHECK(totals.snapshots == 35);
  CHECK(totals.oldest == core::parse_date("2026-09-01"));
  CHECK(totals.survives == Survives::broken_disk);

  // What never passed a check is counted, and promises nothing.
  const core::Snapshot unchecked = snapshot_in(away, "global", /*verified=*/false);
  totals = index.totals_of(home, {&unchecked});
  CHECK(totals.snapshots == 5);
  CHECK(totals.survives == Survives::nothing);
}
