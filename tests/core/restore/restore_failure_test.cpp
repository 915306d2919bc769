// restore_snapshot when the world fails it: a disk that refuses, a late opener.
#include "core/discovery/discover.h"
#include "core/restore/restore_leftovers.h"
#include "support/faulty_files.h"
#include "support/restore_scene.h"
#include "support/writer_process.h"

namespace {

namespace fs = std::filesystem;
using core::ErrorCode;
using test::check_tidy;
using test::FaultyFiles;
using test::notes_in;
using test::WriterOptions;
using test::WriterProcess;
using Scene = test::RestoreScene;
using Fault = FaultyFiles::Fault;

constexpr int kMaxSteps = 100;

TEST_CASE("A restore that fails at any step leaves the old database alone, or is a success") {
  const std::string mode = GENERATE("wal", "delete");
  int errors = 0, successes = 0;
  for (int step = 1; step <= kMaxSteps; ++step) {
    Scene scene(mode);
    FaultyFiles files(step, Fault::fails);
    const auto restored = scene.restore_with(files, scene.in_place());
    if (files.passed()) break;
    CAPTURE(mode, step, restored ? "restored" : restored.error().message, scene.home());
    REQUIRE(step < kMaxSteps);
    ++(restored ? successes : errors);
    if (restored) {
      CHECK(notes_in(scene.live) == 20);
      CHECK(notes_in(*restored->safety_copy) == 30);
      CHECK(core::system_files().info(scene.live)->names == 1);
    } else {
      CHECK(restored.error().code == ErrorCode::io);
      CHECK(notes_in(scene.live) == 30);
      CHECK(scene.home() == "live.db");
    }
    CHECK(test::query_text(scene.live, "PRAGMA journal_mode") == mode);
    CHECK(test::query_text(scene.live, "PRAGMA integrity_check") == "ok");
  }
  CHECK(errors > 3);
  CHECK(successes > 0);
}

TEST_CASE("A restore of a lost database that fails leaves its side files, or is a success") {
  for (int step = 1; step <= kMaxSteps; ++step) {
    Scene scene;
    fs::remove(scene.live);
    test::write_file(scene.live.string() + "-wal", "old wal");
    test::write_file(scene.live.string() + "-shm", "old shm");
    FaultyFiles files(step, Fault::fails);
    const auto restored = scene.restore_with(files, scene.in_place());
    if (files.passed()) break;
    CAPTURE(step, restored ? "restored" : restored.error().message, scene.home());
    REQUIRE(step < kMaxSteps);
    if (restored) {
      CHECK(notes_in(scene.live) == 20);
      CHECK(scene.home().find("live.before-restore-20261123T120000Z.db-wal") != std::string::npos);
    } else {
      CHECK(scene.home() == "live.db-shm live.db-wal");
      CHECK(test::read_file(scene.live.string() + "-wal") == "old wal");
    }
  }
}

TEST_CASE("A database that comes up while a lost one is restored is not replaced") {
  class ComesUp final : public test::ForwardingFiles {
   public:
    explicit ComesUp(fs::path live) : live_(std::move(live)) {}
    Expected<> rename_new(const Path& from, const Path& to) override {
      if (to == live_) test::make_notes_database(live_, {.notes = 3});
      return ForwardingFiles::rename_new(from, to);
    }

   private:
    fs::path live_;
  };
  Scene scene;
  fs::remove(scene.live);
  test::write_file(scene.live.string() + "-wal", "old wal");
  ComesUp files(scene.live);
  const auto restored = scene.restore_with(files, scene.in_place());
  REQUIRE_FALSE(restored);
  CHECK(restored.error().code == ErrorCode::conflict);
  CHECK(notes_in(scene.live) == 3);
  const std::string aside = "live.before-restore-20261123T120000Z.db-wal";
  CHECK(scene.home() == aside + " live.db");
  CHECK(restored.error().message.find(aside) != std::string::npos);
}

TEST_CASE("A new file that cannot be synced to its folder is there all the same, with a warning") {
  for (int step = 1; step <= kMaxSteps; ++step) {
    Scene scene;
    FaultyFiles files(step, Fault::fails);
    const fs::path target = scene.world / "home/restored.db";
    const auto restored = scene.restore_with(files, {.snapshot = scene.snapshot, .target = target});
    if (files.passed()) break;
    CAPTURE(step, scene.home());
    REQUIRE(step < kMaxSteps);
    CHECK(restored.has_value() == fs::exists(target));
    CHECK(scene.home() == (restored ? "live.db restored.db" : "live.db"));
  }
}

TEST_CASE("Temporaries that a killed restore left are removed, those at work and others' are not") {
  Scene scene;
  const std::string digits = ".0123456789abcdef.tmp";
  const std::string safety = "live.before-restore-20261122T090000Z.db";
  const std::vector<std::string> dead = {".~live.db" + digits,
                                         ".~" + safety + ".manifest.json" + digits};
  const std::vector<std::string> foreign = {
      ".~other.db" + digits, ".~live.db.tmp", ".~live.db-wal" + digits,
      ".~other.before-restore-20261122T090000Z.db.manifest.json" + digits};
  for (const auto* names : {&dead, &foreign}) {
    for (const std::string& name : *names) test::write_file(scene.world / "home" / name, "x");
  }
  const fs::path at_work =
      scene.world / "home" / (".~" + safety + ".manifest.json.fedcba9876543210.tmp");
  auto file = core::create_locked(at_work);
  REQUIRE(file);
  scene.restore(scene.in_place());
  for (const auto& name : dead) CHECK_FALSE(fs::exists(scene.world / "home" / name));
  for (const auto& name : foreign) CHECK(fs::exists(scene.world / "home" / name));
  CHECK(fs::exists(at_work));
  file->close();
  scene.restore(scene.in_place());
  CHECK_FALSE(fs::exists(at_work));
}

TEST_CASE("A second name of the live database is told, never judged, and removed by a restore") {
  Scene scene;
  const fs::path second = scene.world / "home/live.before-restore-20261122T090000Z.db";
  core::Manifest manifest = *core::read_manifest(scene.snapshot, core::system_files());
  manifest.sha256.clear();
  REQUIRE(core::write_manifest(second, manifest, core::system_files()));
  fs::create_hard_link(scene.live, second);
  CHECK(core::second_names_of(scene.live, core::system_files()) == std::vector<fs::path>{second});

  core::NoProgress progress;
  const auto verified =
      core::verify_snapshot({.snapshot = second}, scene.world.env(), progress, {});
  REQUIRE_FALSE(verified);
  CHECK(verified.error().code == ErrorCode::conflict);
  CHECK(scene.error_of(
            {.snapshot = second, .target = scene.live, .in_place = true, .confirmed = true}) ==
        ErrorCode::invalid_argument);
  core::DiscoverRequest request;
  request.folders = {scene.world / "home"};
  request.patterns = {"*.db"};
  const auto found = core::discover_databases(request, scene.world.env(), {});
  REQUIRE(found);
  REQUIRE(found->databases.size() == 1);
  REQUIRE(found->databases[0].warnings.size() == 1);
  CHECK(found->databases[0].warnings[0].find(second.string()) != std::string::npos);

  const auto restored = scene.restore(scene.in_place());
  CHECK_FALSE(fs::exists(second));
  CHECK(*restored.safety_copy != second);
  CHECK(notes_in(*restored.safety_copy) == 30);
  check_tidy(scene);
}

// Calls back after the nth look at who has what open.
class LookingForOpeners final : public test::ForwardingFiles {
 public:
  LookingForOpeners(int number, std::function<void()> then)
      : number_(number), then_(std::move(then)) {}
  Expected<std::vector<core::DirEntry>> list(const Path& folder,
                                             std::size_t max_entries) const override {
    auto entries = ForwardingFiles::list(folder, max_entries);
    if (folder == "/proc" && ++looks_ == number_) then_();
    return entries;
  }
  int looks() const { return looks_; }

 private:
  int number_;
  std::function<void()> then_;
  mutable int looks_ = 0;
};

TEST_CASE("A program that opens the database after the first looks is seen before it is replaced") {
  Scene scene("delete");
  std::unique_ptr<WriterProcess> late;
  LookingForOpeners files(2, [&] {
    late = std::make_unique<WriterProcess>(scene.live,
                                           WriterOptions{.mode = WriterOptions::Mode::idle});
  });
  const auto restored = scene.restore_with(files, scene.in_place());
  REQUIRE(late);
  REQUIRE_FALSE(restored);
  CHECK(restored.error().code == ErrorCode::busy);
  CHECK_THAT(restored.error().message, Catch::Contains(late->as_told()));
  CHECK(late->stop().exit_code == 0);
  CHECK(notes_in(scene.live) == 30);
  CHECK(scene.home() == "live.db");
}

TEST_CASE("A file system without hard links keeps the old database by renaming it") {
  class NoLinks final : public test::ForwardingFiles {
   public:
    Expected<> link(const Path&, const Path&) override {
      return core::fail(ErrorCode::unsupported, "no hard links here");
    }
  };
  const std::string mode = GENERATE("wal", "delete");
  Scene scene(mode);
  NoLinks files;
  const auto restored = scene.restore_with(files, scene.in_place());
  REQUIRE(restored);
  CHECK(notes_in(scene.live) == 20);
  CHECK(notes_in(*restored->safety_copy) == 30);
  CHECK(core::read_manifest(*restored->safety_copy, core::system_files())->journal_mode == mode);
  check_tidy(scene);
}

TEST_CASE("A snapshot that a run replaces during its restore is not called damaged") {
  // Between the check and the copy there is the look at the room left.
  class Replacing final : public test::ForwardingFiles {
   public:
    explicit Replacing(Scene& scene) : scene_(scene) {}
    Expected<std::uint64_t> free_bytes(const Path& folder) const override {
      core::NoProgress progress;
      core::SnapshotRequest request;
      request.source = scene_.live;
      request.destination = scene_.world / "backups";
      if (!core::take_snapshot(request, scene_.world.env(), progress, {})) {
        throw std::runtime_error("cannot take the snapshot");
      }
      return ForwardingFiles::free_bytes(folder);
    }

   private:
    Scene& scene_;
  };
  Scene scene;
  Replacing files(scene);
  const auto restored = scene.restore_with(
      files, {.snapshot = scene.snapshot, .target = scene.world / "home/new.db"});
  REQUIRE_FALSE(restored);
  CHECK(restored.error().code == ErrorCode::busy);
  CHECK(restored.error().message.find("replaced by a later run") != std::string::npos);
  CHECK(scene.home() == "live.db");
}

}  // namespace
