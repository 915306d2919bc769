#include "core/base/paths.h"
#include "tests/tools/schedule_house.h"

using server::Json;
using test::ScheduleHouse;

TEST_CASE("run_schedule runs through the scheduler and names the verified snapshot") {
  ScheduleHouse house;
  house.install();
  const Json run = house.good("run_schedule", {{"name", "global"}});
  CHECK(run.at("verdict") == "verified");
  CHECK(test::fs::exists(run.at("snapshot").get<std::string>()));
  CHECK(house.schedulers.runs.size() == 2);
  CHECK(house.tool("run_schedule").changed_resources(run).size() == 3);
}

TEST_CASE("run_schedule of a failing job gives the run's own error") {
  ScheduleHouse house;
  house.install();
  test::fs::remove(house.global);
  CHECK(house.refused("run_schedule", {{"name", "global"}}).find("not_found: ") == 0);
}

TEST_CASE("run_schedule of an unknown name lists the known ones") {
  ScheduleHouse house;
  house.install();
  CHECK(house.refused("run_schedule", {{"name", "other"}}).find("Schedules are: global.") !=
        std::string::npos);
}

TEST_CASE("run_schedule of all runs each, and one that fails keeps no other from its run") {
  ScheduleHouse house;
  house.install();
  const auto other = house.make_database(house / "home/code/app/.orchestrator/project.db");
  house.install({{"source", core::text_of(other)}});
  test::fs::remove(house.global);
  const Json result = house.good("run_schedule", {{"name", "all"}});
  const auto& runs = result.at("schedules");
  REQUIRE(runs.size() == 2);
  CHECK(runs.at(0).at("name") == "app-project");
  CHECK(runs.at(0).at("verdict") == "verified");
  CHECK(runs.at(1).at("name") == "global");
  CHECK(runs.at(1).contains("error"));
  CHECK_THAT(house.last_text, Catch::StartsWith("global: failed: "));
  CHECK(house.tool("run_schedule").bad_news(result) == core::ErrorCode::damaged);
  CHECK(house.tool("run_schedule").changed_resources(result).size() == 3);
}

TEST_CASE("run_schedule of all says that there is none") {
  ScheduleHouse house;
  CHECK_THAT(house.refused("run_schedule", {{"name", "all"}}),
             Catch::StartsWith("not_found: ") && Catch::Contains("No schedule is installed"));
}
