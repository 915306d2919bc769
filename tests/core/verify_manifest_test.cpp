// A snapshot whose manifest cannot be read: nothing is known against the snapshot itself.
#include <cerrno>

#include "core/history.h"
#include "core/restore.h"
#include "core/verify_run.h"
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

struct Unread {
  SnapshotWorld world;
  core::SnapshotResult taken;
  core::NoProgress progress;

  Unread() {
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

TEST_CASE("a manifest that cannot be read makes a snapshot no damaged one") {
  Unread unread;
  struct Case {
    std::string text, hint;
  };
  const auto& [text, hint] = GENERATE(Case{"", "until it is complete"},
                                      Case{"{\"format_version\": 1}", "until it is complete"},
                                      Case{"{\"format_version\": 2}", "Update backup-plugin-db."},
                                      Case{std::string(5 << 20, ' '), "bytes"});
  test::write_file(unread.taken.manifest_path, text);
  unread.check_is_inconclusive(unread.world.env(), hint);
  unread.check_restores();
}

TEST_CASE("a manifest that the disk does not give makes a snapshot no damaged one") {
  Unread unread;
  UnreadableManifests files;
  const core::Env real = unread.world.env();
  unread.check_is_inconclusive({real.clock, files, real.commands, real.places}, "Check the disk.");
}

TEST_CASE("a snapshot without a readable manifest is damaged when its pages are") {
  Unread unread;
  test::write_file(unread.taken.manifest_path, "");
  const auto root = test::query_integer(
      unread.taken.snapshot, "SELECT rootpage FROM sqlite_schema WHERE name = 'ledger_in'");
  test::patch_file(unread.taken.snapshot, static_cast<std::uint64_t>(root - 1) * 4096,
                   std::string(64, '\x07'));
  const auto report = core::verify_snapshot({.snapshot = unread.taken.snapshot}, unread.world.env(),
                                            unread.progress, {});
  REQUIRE(report);
  CHECK(report->verdict == VerifyReport::Verdict::damaged);
}
