#include "core/platform/room.h"

#include <limits>

#include "support/catch.h"
#include "support/forwarding_files.h"
#include "support/snapshots.h"
#include "support/test_database.h"

namespace {

class SmallFiles final : public test::ForwardingFiles {
 public:
  std::uint64_t most = 0, free = 0;
  std::uint64_t max_file_bytes(const Path&) const override { return most; }
  Expected<std::uint64_t> free_bytes(const Path&) const override { return free; }
};

}  // namespace

TEST_CASE("FAT holds files of less than 4 GiB, other file systems tell no limit") {
  CHECK(core::max_file_bytes_of_type(0x4d44) == 4294967295);
  CHECK(core::max_file_bytes_of_type(0xef53) == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("What has no room is refused for the reason that is its own") {
  SmallFiles files;
  files.most = files.free = std::numeric_limits<std::uint64_t>::max();
  const core::NewFile file{"/x", 5'000'000'000, "the snapshot", "Free some space."};
  CHECK(check_room(file, files));
  files.most = 4294967295;
  const auto large = check_room(file, files);
  REQUIRE_FALSE(large);
  CHECK(large.error().code == core::ErrorCode::unsupported);
  CHECK_THAT(large.error().message, Catch::Contains("FAT"));
  files.most = 5'000'000'000;
  files.free = 5'000'000'000;
  const auto full = check_room(file, files);
  REQUIRE_FALSE(full);
  CHECK(full.error().code == core::ErrorCode::no_space);
  CHECK(full.error().hint == "Free some space.");
}

TEST_CASE("A snapshot that a file system cannot hold is refused before a byte is written") {
  test::SnapshotWorld world;
  test::make_notes_database(world.source);
  SmallFiles files;
  files.most = 4096;
  files.free = 1ULL << 40;
  const core::Env env{world.clock, files, world.commands, world.places};
  core::NoProgress progress;
  const auto taken = core::take_snapshot(world.request(), env, progress, {});
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == core::ErrorCode::unsupported);
  CHECK(test::files_below(world.destination).empty());
}
