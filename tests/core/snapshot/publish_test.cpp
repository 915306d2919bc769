// Publishing where another run, whose state folder is not ours, publishes the same name.
#include "core/snapshot/publish.h"

#include <functional>

#include "core/catalog/names.h"
#include "core/platform/folder_lock.h"
#include "core/platform/sha256.h"
#include "support/catch.h"
#include "support/forwarding_files.h"
#include "support/snapshots.h"
#include "support/test_database.h"

namespace {

namespace fs = std::filesystem;
using core::Manifest;
using test::SnapshotWorld;
using namespace std::chrono_literals;

// Does something as soon as the snapshot has its place, as a rival on a file system without locks.
class Rival final : public test::ForwardingFiles {
 public:
  std::function<void(const Path&)> act;

  Expected<> rename(const Path& from, const Path& to) override {
    auto renamed = ForwardingFiles::rename(from, to);
    if (renamed && act) act(to);
    return renamed;
  }
};

// Publishes between the list of the snapshots' folder and whatever is asked after it.
class Latecomer final : public test::ForwardingFiles {
 public:
  fs::path folder;
  mutable int unseen_in = 1;  // this one of the lists from now on

  Expected<std::vector<core::DirEntry>> list(const Path& listed,
                                             std::size_t max_entries) const override {
    auto entries = ForwardingFiles::list(listed, max_entries);
    if (entries && listed == folder && --unseen_in == 0) entries->clear();
    return entries;
  }
};

core::Expected<core::SnapshotResult> take_beside(SnapshotWorld& world, core::FileSystem& rival) {
  const core::Env env{world.clock, rival, world.commands, world.places};
  core::NoProgress progress;
  return core::take_snapshot(world.request(), env, progress, {});
}

Manifest of_rival(const core::SnapshotResult& like) {
  Manifest manifest = like.manifest;
  manifest.sha256 = core::sha256_of("the rival's");
  return manifest;
}

}  // namespace

TEST_CASE("A manifest of a rival that comes to lie beside our snapshot is replaced by ours") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  const auto first = world.take();
  REQUIRE(first);
  Rival rival;
  rival.act = [&](const fs::path& snapshot) {
    REQUIRE(core::write_manifest(snapshot, of_rival(*first), core::system_files()));
  };
  const auto taken = take_beside(world, rival);
  REQUIRE(taken);
  const auto manifest = core::read_manifest(taken->snapshot, core::system_files());
  REQUIRE(manifest);
  CHECK(manifest->sha256 == core::sha256_of(test::read_file(taken->snapshot)));
}

TEST_CASE("Our manifest does not stay beside the file of a rival") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  Rival rival;
  rival.act = [&](const fs::path& snapshot) {
    const std::string theirs = test::read_file(snapshot);
    test::write_file(world / "theirs", theirs + theirs);
    fs::rename(world / "theirs", snapshot);
  };
  const auto taken = take_beside(world, rival);
  REQUIRE(taken);
  CHECK_FALSE(fs::exists(core::manifest_path_of(taken->snapshot)));
  CHECK(taken->warnings.size() == 1);
}

TEST_CASE("A snapshot waits for the folder, and replaces what another user published meanwhile") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  REQUIRE(world.take());
  auto request = world.request();
  request.lock_timeout = 100ms;
  {
    const auto lock = core::FolderLock::acquire(world.host_folder(), 0ms, world.env(), {});
    REQUIRE(lock);
    const auto refused = world.take(request);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == core::ErrorCode::busy);
  }
  CHECK(test::files_below(world.destination).size() == 2);
  REQUIRE(world.take(request));
}

TEST_CASE("What a rival publishes while we look around is no other spelling of its name") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  REQUIRE(world.take());
  Latecomer files;
  files.folder = world.host_folder();
  for (int list = 1; list <= 5; ++list) {  // a run lists the folder several times
    CAPTURE(list);
    files.unseen_in = list;
    const auto taken = take_beside(world, files);
    INFO((taken ? "" : taken.error().message));
    CHECK(taken);
  }
}
