// Whose a snapshot is: machines that share a destination, are renamed, or lose their id.
#include "core/catalog/machine.h"

#include <algorithm>

#include "core/catalog/history.h"
#include "core/restore/choose_snapshot.h"
#include "core/snapshot/prune.h"
#include "core/status/status_facts.h"
#include "support/catch.h"
#include "support/restore_scene.h"
#include "support/snapshots.h"
#include "support/test_database.h"

using core::Manifest;
using core::Whose;
using test::SnapshotWorld;

namespace fs = std::filesystem;

namespace {

bool any_contains(const std::vector<std::string>& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const auto& text) { return text.find(part) != std::string::npos; });
}

bool any_contains(const std::vector<core::Warning>& warnings, const std::string& part) {
  return any_contains(core::texts_of(warnings), part);
}

// Another installation: a state folder of its own.
core::Places other_machine(const core::Places& places, const std::string& host) {
  core::Places other = places;
  other.state = places.state.string() + "-of-" + host;
  other.host = host;
  return other;
}

struct SharedWorld : SnapshotWorld {
  core::Places ours = places;

  SharedWorld() { test::make_notes_database(source, {.notes = 200}); }
  core::SnapshotResult snapshot() {
    clock.advance(std::chrono::hours{24});
    auto taken = take();
    if (!taken) FAIL(taken.error().message);
    return *taken;
  }
  core::SnapshotResult snapshot_on(const std::string& host) {
    places = other_machine(ours, host);
    auto taken = snapshot();
    places = ours;
    return taken;
  }
  core::LatestSnapshot latest() {
    auto found =
        core::latest_snapshot_of(source, destination, core::Damaged::is_passed_over, env());
    if (!found) FAIL(found.error().message);
    return *found;
  }
  void lose_notes() { test::run_sql(source, "DELETE FROM notes WHERE id > 10"); }
};

Manifest made_by(const std::string& host, const std::string& machine) {
  Manifest manifest;
  manifest.host = host;
  manifest.machine = machine;
  return manifest;
}

}  // namespace

TEST_CASE("The id of an installation is made once and stays") {
  test::FakeEnv world;
  CHECK(core::known_machine_id(world.env()).empty());
  const std::string id = core::machine_id(world.env());
  CHECK(id.size() == 32);
  CHECK(core::machine_id(world.env()) == id);
  CHECK(core::known_machine_id(world.env()) == id);
  CHECK(core::system_files().info(world / "state/machine-id")->mode == 0600);
  CHECK(test::names_in(world / "state") == "machine-id");
}

TEST_CASE("A damaged id comes back from our own snapshots, else it is made anew") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  const fs::path file = world / "state/machine-id";
  const auto taken = world.take();
  REQUIRE(taken);
  const std::string id = core::known_machine_id(world.env());
  CHECK(taken->manifest.machine == id);
  for (const char* damage : {"", "short", "ZZ", "\n"}) {
    test::write_file(file, damage);
    CHECK(core::known_machine_id(world.env()).empty());
    CHECK(core::machine_id(world.env()) == id);
  }
  fs::remove(file);
  fs::remove(world / "state/history.db");
  const std::string anew = core::machine_id(world.env());
  CHECK(anew.size() == 32);
  CHECK(anew != id);
}

TEST_CASE("A state folder that cannot be written gives no id and no error") {
  test::FakeEnv world;
  test::write_file(world / "file", "x");
  world.places.state = world / "file/state";
  CHECK(core::machine_id(world.env()).empty());
}

TEST_CASE("Ids decide whose a snapshot is, host names only where there is none") {
  const std::string a(32, 'a'), b(32, 'b');
  CHECK(core::whose_is(made_by("h", a), "h", a) == Whose::ours);
  CHECK(core::whose_is(made_by("h", a), "new", a) == Whose::ours_renamed);
  CHECK(core::whose_is(made_by("h", a), "h", b) == Whose::others);
  CHECK(core::whose_is(made_by("h", ""), "h", b) == Whose::ours);
  CHECK(core::whose_is(made_by("h", ""), "new", b) == Whose::others);
  CHECK(core::whose_is(made_by("h", a), "h", "") == Whose::ours);
  CHECK(core::tell_whose(made_by("h", a), "h", a).empty());
  CHECK(core::tell_whose(made_by("old", a), "new", a).find("host name old") != std::string::npos);
  CHECK(core::tell_whose(made_by("desk", b), "lap", a).find("host desk") != std::string::npos);
}

TEST_CASE(
    "The latest snapshot in a shared destination is this machine's, though another's is newer") {
  SharedWorld world;
  const auto mine = world.snapshot();
  world.snapshot_on("desktop");
  const auto latest = world.latest();
  CHECK(latest.path == mine.snapshot);
  CHECK(latest.whose.empty());
  CHECK_FALSE(latest.ask);
}

TEST_CASE("Where this machine has no snapshot, the latest says whose it is") {
  SharedWorld world;
  core::machine_id(world.env());
  const auto theirs = world.snapshot_on("desktop");
  const auto latest = world.latest();
  CHECK(latest.path == theirs.snapshot);
  CHECK(latest.ask);
  CHECK(latest.whose.find("desktop") != std::string::npos);
}

TEST_CASE("Two machines of one host name are told apart by their ids") {
  SharedWorld world;
  const auto mine = world.snapshot();
  world.places.state = world / "another-state";
  const auto theirs = world.snapshot();
  CHECK(any_contains(theirs.warnings, "not of this installation"));
  world.places = world.ours;
  const auto latest = world.latest();
  CHECK(latest.path == mine.snapshot);
  CHECK(any_contains(latest.warnings, theirs.snapshot.string()));
}

TEST_CASE("A renamed machine goes on: the alarm compares with the snapshot under the old name") {
  SharedWorld world;
  const auto before = world.snapshot();
  world.places.host = "renamed";
  world.lose_notes();
  const auto after = world.snapshot();
  CHECK(after.shrink_alarm);
  CHECK(any_contains(after.warnings, before.snapshot.string()));
  CHECK(any_contains(after.warnings, "first snapshot under the host name renamed"));
  CHECK(after.manifest.machine == before.manifest.machine);
  CHECK(world.latest().path == after.snapshot);
  const auto next = world.snapshot();
  CHECK_FALSE(any_contains(next.warnings, "first snapshot"));
}

TEST_CASE("A renamed machine's latest is that under its old name until there is a new one") {
  SharedWorld world;
  const auto before = world.snapshot();
  world.places.host = "renamed";
  const auto latest = world.latest();
  CHECK(latest.path == before.snapshot);
  CHECK_FALSE(latest.ask);
  CHECK(latest.whose.find("testhost") != std::string::npos);
}

TEST_CASE("A newer snapshot under another host name with our id is to be asked about") {
  SharedWorld world;
  world.snapshot();
  world.places.host = "copied-home";
  const auto theirs = world.snapshot();
  world.places.host = "testhost";
  const auto latest = world.latest();
  CHECK(latest.path == theirs.snapshot);
  CHECK(latest.ask);
}

TEST_CASE("A first snapshot tells of others' of the same path, and is not compared with them") {
  SharedWorld world;
  world.snapshot_on("desktop");
  world.lose_notes();
  const auto first = world.snapshot();
  CHECK_FALSE(first.shrink_alarm);
  CHECK(any_contains(first.warnings, "under desktop"));
}

TEST_CASE("Retention of a renamed machine leaves the folder of its old name alone") {
  SharedWorld world;
  const auto before = world.snapshot();
  world.snapshot();
  world.places.host = "renamed";
  auto request = world.request();
  request.retention.keep_last = 1;
  for (int day = 0; day < 3; ++day) {
    world.clock.advance(std::chrono::hours{24});
    REQUIRE(world.take(request));
  }
  CHECK(test::files_below(world.host_folder()).size() == 4);
  CHECK(fs::exists(before.snapshot));
  CHECK(test::files_below(world.destination / "renamed").size() == 2);
}

TEST_CASE("In a flat destination a renamed machine goes on with its series, another one does not") {
  SharedWorld world;
  auto request = world.request();
  request.flat = true;
  request.retention.keep_last = 2;
  REQUIRE(world.take(request));
  world.places.host = "renamed";
  // Of the same day: a copied home would otherwise put one machine's over the other's.
  CHECK(world.take(request).error().code == core::ErrorCode::conflict);
  for (int day = 0; day < 3; ++day) {
    world.clock.advance(std::chrono::hours{24});
    const auto taken = world.take(request);
    REQUIRE(taken);
  }
  // Two of its own, and that of the old name, which retention leaves alone.
  CHECK(test::files_below(world.destination).size() == 6);
  world.places = other_machine(world.ours, "desktop");
  world.clock.advance(std::chrono::hours{24});
  CHECK(world.take(request).error().code == core::ErrorCode::conflict);
}

TEST_CASE("Pruning another host's flat snapshots by name does not touch our own") {
  SharedWorld world;
  auto request = world.request();
  request.flat = true;
  REQUIRE(world.take(request));
  world.clock.advance(std::chrono::hours{24});
  REQUIRE(world.take(request));
  core::PruneRequest prune;
  prune.source = world.source;
  prune.destination = world.destination;
  prune.hostname = "desktop";
  prune.policy.keep_last = 1;
  prune.dry_run = false;
  CHECK(core::prune_snapshots(prune, world.env(), {}).error().code == core::ErrorCode::not_found);
  CHECK(test::files_below(world.destination).size() == 4);
}

TEST_CASE("The status counts a renamed machine's snapshots, and not another machine's") {
  SharedWorld world;
  const auto mine = world.snapshot();
  world.places.host = "renamed";
  const auto theirs = world.snapshot_on("desktop");
  core::StatusInput input;
  input.databases.push_back({world.source, {}});
  std::vector<std::string> warnings;
  core::gather_backups(core::FactDepth::whole, input, warnings, world.env(), {});
  REQUIRE(input.snapshots.size() == 1);
  CHECK(input.snapshots.front().path == mine.snapshot);
}

TEST_CASE("A restore in place of another machine's snapshot names its host") {
  test::RestoreScene scene;
  const core::Places other = other_machine(scene.world.places, "laptop");
  scene.world.places = other;
  core::machine_id(scene.world.env());
  auto in_place = scene.in_place();
  in_place.target = scene.live;
  const auto restored = scene.restore(in_place);
  CHECK(any_contains(restored.warnings, "testhost"));
  CHECK(any_contains(restored.warnings, "another machine"));
  auto copy = scene.in_place();
  copy.in_place = false;
  copy.target = scene.world / "home/new.db";
  CHECK_FALSE(any_contains(scene.restore(copy).warnings, "testhost"));
}
