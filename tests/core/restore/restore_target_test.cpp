// What a restore in place may replace, and on whose word.
#include "core/restore/restore_target.h"

#include "core/catalog/manifest.h"
#include "core/catalog/names.h"
#include "support/restore_scene.h"

namespace {

namespace fs = std::filesystem;
using core::ErrorCode;
using test::notes_in;
using Scene = test::RestoreScene;

// Makes the snapshot's manifest say that it was taken of `source`.
void name_in_manifest(const Scene& scene, const fs::path& source) {
  auto manifest = core::read_manifest(scene.snapshot, core::system_files());
  REQUIRE(manifest);
  manifest->source = source.string();
  REQUIRE(core::write_manifest(scene.snapshot, *manifest, core::system_files()));
}

}  // namespace

TEST_CASE("What is no database is not replaced, whoever names it") {
  Scene scene;
  const fs::path keys = scene.world / "home/authorized_keys";
  const std::string text = GENERATE(as<std::string>{}, "ssh-ed25519 AAAA me\n", "x",
                                    std::string(10'000, 'x'), std::string(4096, '\0'));
  test::write_file(keys, text);
  core::RestoreRequest request = scene.in_place();
  request.target = keys;
  for (const bool dry_run : {true, false}) {
    request.dry_run = dry_run;
    const auto refused = scene.try_restore(request);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::not_a_database);
    CHECK_THAT(refused.error().message, Catch::Contains(keys.string()));
  }
  name_in_manifest(scene, keys);
  CHECK_FALSE(scene.try_restore(scene.in_place()));
  CHECK(test::read_file(keys) == text);
  CHECK(scene.home() == "authorized_keys live.db");

  // The way that the error names.
  fs::rename(keys, keys.string() + ".damaged");
  scene.restore(request);
  CHECK(notes_in(keys) == 20);
}

TEST_CASE("A database that has lost its beginning is replaced where its backups are known") {
  Scene scene;
  test::patch_file(scene.live, 0, std::string(100, '\0'));
  SECTION("they are") {
    CHECK(scene.restore(scene.in_place()).safety_copy);
    CHECK(notes_in(scene.live) == 20);
  }
  SECTION("they are not") {
    fs::remove(scene.world.places.state / "history.db");
    core::RestoreRequest request = scene.in_place();
    request.target = scene.live;
    CHECK(scene.error_of(request) == ErrorCode::not_a_database);
  }
}

TEST_CASE("An empty file is a database that is yet to be filled") {
  Scene scene;
  core::RestoreRequest request = scene.in_place();
  request.target = scene.world / "home/empty.db";
  test::write_file(request.target, "");
  scene.restore(request);
  CHECK(notes_in(request.target) == 20);
}

TEST_CASE("A manifest alone does not choose what is replaced") {
  Scene scene;
  const fs::path other = scene.world / "home/other.db";
  SECTION("a database") {
    test::make_notes_database(other, {.notes = 3});
  }
  SECTION("a name that is free") {}
  SECTION("a database that is backed up, under another name") {
    test::make_notes_database(other, {.notes = 3});
    core::NoProgress progress;
    core::SnapshotRequest request;
    request.source = other;
    request.destination = scene.world / "backups";
    REQUIRE(core::take_snapshot(request, scene.world.env(), progress, {}));
  }
  const bool there = fs::exists(other);
  name_in_manifest(scene, other);
  core::RestoreRequest request = scene.in_place();
  const auto refused = scene.try_restore(request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::needs_confirmation);
  CHECK_THAT(refused.error().hint, Catch::Contains(other.string()));
  CHECK(fs::exists(other) == there);
  if (there) CHECK(notes_in(other) == 3);
  request.target = other;
  request.target_recorded = true;
  CHECK(scene.error_of(request) == ErrorCode::needs_confirmation);
  request.target_recorded = false;
  CHECK(scene.restore(request).target == other);
  CHECK(notes_in(other) == 20);
}

TEST_CASE("A snapshot that was kept from before a loss needs no further word") {
  Scene scene;
  const fs::path kept = scene.snapshot.parent_path() / "live-before-loss-2026-11-23.db";
  fs::copy_file(scene.snapshot, kept);
  fs::copy_file(core::manifest_path_of(scene.snapshot), core::manifest_path_of(kept));
  core::RestoreRequest request = scene.in_place();
  request.snapshot = kept;
  CHECK(scene.restore(request).target == scene.live);
  // Elsewhere the same file is anybody's.
  fs::create_directory(scene.world / "elsewhere");
  request.snapshot = scene.world / "elsewhere" / kept.filename();
  fs::copy_file(kept, request.snapshot);
  fs::copy_file(core::manifest_path_of(kept), core::manifest_path_of(request.snapshot));
  CHECK(scene.error_of(request) == ErrorCode::needs_confirmation);
}
