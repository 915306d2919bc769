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
