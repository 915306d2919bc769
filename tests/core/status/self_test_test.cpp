// The whole way with a throw-away database, and what is left of it.
#include "core/status/self_test.h"

#include "support/catch.h"
#include "support/fake_env.h"

namespace fs = std::filesystem;
using core::SelfTest;
using core::SelfTestStep;
using test::FakeEnv;

namespace {

const SelfTestStep& step_of(const SelfTest& test, const std::string& name) {
  for (const SelfTestStep& step : test.steps) {
    if (step.name == name) return step;
  }
  FAIL("no step " << name);
  throw std::logic_error("unreachable");
}

}  // namespace

TEST_CASE("A self-test goes all the way, leaves nothing, and touches no state of the user's") {
  FakeEnv world;
  fs::create_directories(world / "work");
  const std::string before = test::names_in(world.places.state);
  const auto tested = core::self_test(world / "work", world.env(), {});
  REQUIRE(tested);
  for (const SelfTestStep& step : tested->steps) {
    INFO(step.name);
    if (step.error) FAIL_CHECK(step.error->message);
    CHECK(step.skipped.empty() == (step.name != "schedule"));
    CHECK(step.found.empty() == (step.name == "schedule"));
  }
  CHECK(step_of(*tested, "undo").found.ends_with(" rows"));
  CHECK_FALSE(tested->sqlite_version.empty());
  CHECK(test::names_in(world / "work").empty());
  CHECK(test::names_in(world.places.state) == before);
  CHECK(world.commands.commands.empty());
}

TEST_CASE("A self-test that fails skips what rests on it, says so and clears away") {
  FakeEnv world;
  fs::create_directories(world / "work");
  std::stop_source stop;
  stop.request_stop();
  const auto tested = core::self_test(world / "work", world.env(), stop.get_token());
  REQUIRE(tested);
  const SelfTestStep& snapshot = step_of(*tested, "snapshot while a program writes");
  REQUIRE(snapshot.error);
  CHECK(snapshot.error->code == core::ErrorCode::cancelled);
  CHECK(step_of(*tested, "undo").skipped == "an earlier step failed");
  CHECK(step_of(*tested, "clear away").found == "nothing is left");
  CHECK(test::names_in(world / "work").empty());
}

TEST_CASE("A self-test in a folder that is not there is refused") {
  FakeEnv world;
  const auto tested = core::self_test(world / "none", world.env(), {});
  REQUIRE_FALSE(tested);
  CHECK(tested.error().code == core::ErrorCode::not_found);
}
