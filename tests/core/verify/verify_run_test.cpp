#include "core/verify/verify_run.h"

#include "core/catalog/history.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/test_database.h"

namespace {

struct VerifiedFile {
  test::FakeEnv world;
  std::filesystem::path path = world / "global-2026-11-23.db";
  core::NoProgress progress;

  VerifiedFile() { test::make_notes_database(path, {.journal_mode = "delete"}); }
  core::Expected<core::VerifyRun> verify() {
    core::VerifyRequest request;
    request.snapshot = path;
    return core::verify_and_record(request, world.env(), progress, {});
  }
  core::RunRecord last_run() {
    const auto runs = core::list_runs({}, world.env());
    REQUIRE(runs);
    REQUIRE(runs->size() == 1);
    return runs->front();
  }
};

}  // namespace

TEST_CASE("A verification that found damage is recorded as a failed run with its finding") {
  VerifiedFile file;
  test::patch_file(file.path, 4096 + 100, std::string(2000, '\x7f'));
  const auto run = file.verify();
  REQUIRE(run);
  CHECK(run->report.verdict == core::VerifyReport::Verdict::damaged);
  const auto recorded = file.last_run();
  CHECK(recorded.kind == "verify");
  CHECK_FALSE(recorded.ok);
  CHECK(recorded.error_code == "damaged");
  CHECK(recorded.snapshot == file.path.string());
  CHECK_FALSE(recorded.error.empty());
}

TEST_CASE("A verification of a file that is not there is recorded, too") {
  VerifiedFile file;
  std::filesystem::remove(file.path);
  CHECK_FALSE(file.verify());
  const auto recorded = file.last_run();
  CHECK_FALSE(recorded.ok);
  CHECK(recorded.error_code == "not_found");
}

TEST_CASE("A verification that cannot be recorded still answers, with a warning") {
  VerifiedFile file;
  std::filesystem::remove_all(file.world.places.state);
  test::write_file(file.world.places.state, "a file where the folder should be");
  const auto run = file.verify();
  REQUIRE(run);
  CHECK_FALSE(run->report.checks.empty());
  CHECK(run->warnings.at(0).find("could not be recorded") != std::string::npos);
}
