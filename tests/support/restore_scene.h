// A live database and its snapshot, for tests that restore.
#pragma once

#include <string>

#include "core/catalog/manifest.h"
#include "core/catalog/names.h"
#include "core/restore/restore.h"
#include "core/snapshot/snapshot.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/test_database.h"

namespace test {

// A live database of 20 notes, its snapshot, and then 10 notes more.
struct RestoreScene {
  FakeEnv world;
  fs::path live = world / "home/live.db";
  fs::path snapshot;

  explicit RestoreScene(const std::string& journal_mode = "wal") {
    make_notes_database(live, {.journal_mode = journal_mode});
    fs::create_directory(world / "backups");
    core::NoProgress progress;
    core::SnapshotRequest request;
    request.source = live;
    request.destination = world / "backups";
    auto taken = core::take_snapshot(request, world.env(), progress, {});
    if (!taken) FAIL(taken.error().message);
    snapshot = taken->snapshot;
    for (std::uint64_t i = 20; i < 30; ++i) run_sql(live, commit_sql(i));
  }

  core::Expected<core::RestoreResult> try_restore(const core::RestoreRequest& request,
                                                  std::stop_token stop = {}) {
    core::NoProgress progress;
    return core::restore_snapshot(request, world.env(), progress, std::move(stop));
  }
  core::Expected<core::RestoreResult> restore_with(core::FileSystem& files,
                                                   const core::RestoreRequest& request) {
    const core::Env env{world.clock, files, world.commands, world.places};
    core::NoProgress progress;
    return core::restore_snapshot(request, env, progress, {});
  }
  core::RestoreResult restore(const core::RestoreRequest& request) {
    auto restored = try_restore(request);
    if (!restored) FAIL(restored.error().message);
    return *restored;
  }
  core::RestoreRequest in_place() const {
    return {.snapshot = snapshot, .in_place = true, .confirmed = true};
  }
  core::ErrorCode error_of(const core::RestoreRequest& request) {
    const auto restored = try_restore(request);
    REQUIRE_FALSE(restored);
    return restored.error().code;
  }
  std::string home() const { return names_in(world / "home"); }
};

// The live database is whole, old or new, and in one file of one name.
inline void check_whole(const RestoreScene& scene) {
  CHECK(test::query_text(scene.live, "PRAGMA integrity_check") == "ok");
  CHECK(test::invariant_holds(scene.live));
  const auto notes = notes_in(scene.live);
  CHECK((notes == 20 || notes == 30));
}

// Beside the live database there are whole safety copies, each with its manifest, and nothing else.
inline void check_tidy(const RestoreScene& scene) {
  CAPTURE(scene.home());
  CHECK(core::system_files().info(scene.live)->names == 1);
  for (const auto& entry : fs::directory_iterator(scene.world / "home")) {
    const fs::path& path = entry.path();
    if (path == scene.live || path.extension() == ".json") continue;
    CHECK(core::is_safety_copy(path.filename().string()));
    if (path.string().ends_with(".db-journal")) {
      CHECK(fs::is_empty(path));
      continue;
    }
    CHECK(core::system_files().info(path)->names == 1);
    CHECK(core::read_manifest(path, core::system_files()));
    CHECK(test::invariant_holds(path));
  }
  for (const auto& entry : fs::directory_iterator(scene.world / "home")) {
    if (entry.path().extension() != ".json") continue;
    const std::string name = entry.path().string();
    CHECK(fs::exists(name.substr(0, name.size() - std::string(".manifest.json").size())));
  }
}

}  // namespace test
