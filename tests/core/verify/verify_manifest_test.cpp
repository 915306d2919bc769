// A snapshot and a manifest that does not tell of it: it cannot be read, or is of another one.
#include <stdexcept>

#include "core/catalog/history.h"
#include "core/catalog/names.h"
#include "core/restore/restore.h"
#include "core/verify/verify_run.h"
#include "support/catch.h"
#include "support/forwarding_files.h"
#include "support/snapshots.h"
#include "support/test_database.h"

namespace {

namespace fs = std::filesystem;
using core::VerifyCheck;
using core::VerifyReport;
using test::SnapshotWorld;

class UnreadableManifests final : public test::ForwardingFiles {
 public:
  Expected<std::string> read(const Path& path, std::uint64_t max_bytes) const override {
    if (!path.string().ends_with(core::kManifestEnding))
      return ForwardingFiles::read(path, max_bytes);
    return core::fail(core::ErrorCode::io, "cannot read " + path.string() + ": Input/output error",
                      "Check the disk.");
  }
};

struct Published {
  SnapshotWorld world;
  core::SnapshotResult taken;
  core::NoProgress progress;

  Published() {
    test::make_notes_database(world.source);
    auto result = world.take();
    if (!result) FAIL(result.error().message);
    taken = *result;
  }
  void check_is_inconclusive(const core::Env& env, const std::string& hint) {
    const auto run = core::verify_and_record({.snapshot = taken.snapshot}, env, progress, {});
    REQUIRE(run);
    CHECK(run->report.verdict == VerifyReport::Verdict::inconclusive);
    const VerifyCheck& digest = run->report.checks[2];
    CHECK(digest.name == "digest");
    CHECK(digest.outcome == VerifyCheck::Outcome::skipped);
    CHECK(digest.reason.find(taken.manifest_path.string()) != std::string::npos);
    CHECK(digest.reason.find(hint) != std::string::npos);
    const auto runs = core::list_runs({}, env);
    REQUIRE(runs);
    CHECK(runs->front().error_code.empty());
  }
  void check_restores() {
    core::RestoreRequest request;
    request.snapshot = taken.snapshot;
    request.target = world / "restored.db";
    const auto restored = core::restore_snapshot(request, world.env(), progress, {});
    INFO((restored ? "" : restored.error().message));
    REQUIRE(restored);
    CHECK_FALSE(restored->warnings.empty());
    CHECK(test::query_integer(request.target, "SELECT count(*) FROM notes") == 20);
  }
};

}  // namespace

TEST_CASE("A manifest that cannot be read makes a snapshot no damaged one") {
  Published snapshot;
  struct Case {
    std::string text, hint;
  };
  const auto& [text, hint] = GENERATE(Case{"", "until it is complete"},
                                      Case{"{\"format_version\": 1}", "until it is complete"},
                                      Case{"{\"format_version\": 2}", "Update backup-plugin-db."},
                                      Case{std::string(5 << 20, ' '), "bytes"});
  test::write_file(snapshot.taken.manifest_path, text);
  snapshot.check_is_inconclusive(snapshot.world.env(), hint);
  snapshot.check_restores();
}

TEST_CASE("A manifest that the disk does not give makes a snapshot no damaged one") {
  Published snapshot;
  UnreadableManifests files;
  const core::Env real = snapshot.world.env();
  snapshot.check_is_inconclusive({real.clock, files, real.commands, real.places},
                                 "Check the disk.");
}

TEST_CASE("A snapshot without a readable manifest is damaged when its pages are") {
  Published snapshot;
  test::write_file(snapshot.taken.manifest_path, "");
  const auto root = test::query_integer(
      snapshot.taken.snapshot, "SELECT rootpage FROM sqlite_schema WHERE name = 'ledger_in'");
  test::patch_file(snapshot.taken.snapshot, static_cast<std::uint64_t>(root - 1) * 4096,
                   std::string(64, '\x07'));
  const auto report = core::verify_snapshot({.snapshot = snapshot.taken.snapshot},
                                            snapshot.world.env(), snapshot.progress, {});
  REQUIRE(report);
  CHECK(report->verdict == VerifyReport::Verdict::damaged);
}

namespace {

// Replaces the snapshot just after its manifest was read, as a run of the same day may.
class ReplacedWhileRead final : public test::ForwardingFiles {
 public:
  ReplacedWhileRead(SnapshotWorld& world, int times) : world_(world), left_(times) {}
  Expected<std::string> read(const Path& path, std::uint64_t max_bytes) const override {
    auto text = ForwardingFiles::read(path, max_bytes);
    if (path.string().ends_with(core::kManifestEnding) && left_ > 0) {
      --left_;
      test::run_sql(world_.source, test::commit_sql(100 + static_cast<std::uint64_t>(left_)));
      world_.clock.advance(std::chrono::minutes{1});
      if (!world_.take()) throw std::runtime_error("cannot take the snapshot");
    }
    return text;
  }

 private:
  SnapshotWorld& world_;
  mutable int left_;
};

core::Expected<VerifyReport> verify_while_replaced(int times) {
  Published scene;
  ReplacedWhileRead files(scene.world, times);
  const core::Env real = scene.world.env();
  const core::Env env{real.clock, files, real.commands, real.places};
  return core::verify_snapshot({.snapshot = scene.taken.snapshot}, env, scene.progress, {});
}

}  // namespace

TEST_CASE("A snapshot that is replaced while it is verified is looked at again") {
  const auto report = verify_while_replaced(1);
  REQUIRE(report);
  CHECK(report->verdict == VerifyReport::Verdict::verified);
  CHECK(report->manifest->rows.at("notes") == 21);
}

TEST_CASE("A snapshot that is replaced again and again is called busy, not damaged") {
  const auto report = verify_while_replaced(100);
  REQUIRE_FALSE(report);
  CHECK(report.error().code == core::ErrorCode::busy);
  CHECK_FALSE(report.error().hint.empty());
}
