#include "core/base/paths.h"
#include "core/schedule/job.h"
#include "tests/tools/schedule_house.h"

using server::Json;
using test::ScheduleHouse;

TEST_CASE("remove_schedule removes the entry and says what stays") {
  ScheduleHouse house;
  house.schedulers.crontab = "# mine\n";
  const std::string snapshot = house.install().at("run").at("snapshot");
  const Json removed = house.good("remove_schedule", {{"name", "global"}, {"confirm", true}});
  CHECK(house.schedulers.crontab == "# mine\n");
  CHECK(test::fs::exists(snapshot));
  CHECK(removed.at("snapshots_stay_in") == core::text_of(house.backups));
  CHECK(house.last_text.find("Its snapshots stay in ") != std::string::npos);
  CHECK(
      house.refused("remove_schedule", {{"name", "global"}, {"confirm", true}}).find("not_found") ==
      0);
}

TEST_CASE("remove_schedule asks where the client can be asked, and takes no for an answer") {
  ScheduleHouse house;
  house.install();
  CHECK(house.asked("remove_schedule", {{"name", "global"}}).key == "confirm");
  house.answer("confirm", {{"confirm", false}});
  CHECK(house.refused("remove_schedule", {{"name", "global"}}).find("cancelled") == 0);
  house.context.answers["confirm"] = {{"action", "decline"}};
  CHECK(house.refused("remove_schedule", {{"name", "global"}}).find("cancelled") == 0);
  CHECK(house.schedulers.crontab);
  house.answer("confirm", {{"confirm", true}});
  house.good("remove_schedule", {{"name", "global"}});
  CHECK_FALSE(house.schedulers.crontab);
}

TEST_CASE("remove_schedule does not ask again what the user has agreed to") {
  ScheduleHouse house;
  house.install();
  house.context.client.form_elicitation = true;
  house.good("remove_schedule", {{"name", "global"}, {"confirm", true}});
}

TEST_CASE("remove_schedule removes nothing unasked where nobody can be asked") {
  ScheduleHouse house;
  house.install();
  CHECK(house.refused("remove_schedule", {{"name", "global"}}).find("needs_confirmation") == 0);
  CHECK(house.schedulers.crontab);
}

TEST_CASE("remove_schedule asks nobody about a schedule that is not there") {
  ScheduleHouse house;
  house.install();
  CHECK_THAT(house.refused("remove_schedule", {{"name", "globbl"}}),
             Catch::StartsWith("not_found: There is no schedule named 'globbl'.") &&
                 Catch::Contains("Schedules are: global."));
  house.context.client.form_elicitation = true;
  CHECK_THAT(house.refused("remove_schedule", {{"name", "globbl"}}),
             Catch::StartsWith("not_found: "));
  // An entry without its job is one all the same.
  test::fs::remove(core::job_path("global", house.places));
  CHECK(house.asked("remove_schedule", {{"name", "global"}}).key == "confirm");
}

TEST_CASE("remove_schedule removes all schedules in one call") {
  ScheduleHouse house;
  house.install();
  house.install({{"name", "second"}, {"label", "second"}});
  const auto asked = house.refused("remove_schedule", {{"all", true}});
  CHECK(asked.find("2 schedules (global, second)") != std::string::npos);
  const Json removed = house.good("remove_schedule", {{"all", true}, {"confirm", true}});
  CHECK(removed.at("name") == "global, second");
  CHECK(removed.at("snapshots_stay_in") == core::text_of(house.backups));
  CHECK_FALSE(house.schedulers.crontab);
  CHECK(house.refused("remove_schedule", {{"all", true}}).find("not_found") == 0);
}

TEST_CASE("remove_schedule takes a name or all, not both and not neither") {
  ScheduleHouse house;
  CHECK(house.refused("remove_schedule", Json::object()).find("invalid_argument") == 0);
  CHECK(house.refused("remove_schedule", {{"name", "global"}, {"all", true}})
            .find("invalid_argument") == 0);
}

TEST_CASE("A name alone that no schedule has is a slip, and the names that there are are told") {
  ScheduleHouse house;
  CHECK(house.asked("install_schedule", {{"name", "mine"}}).key == "destination");  // the first
  house.install();
  const Json slip{{"name", "globl"}, {"time", "12:30"}};
  for (const bool asks : {true, false}) {
    house.context.client.form_elicitation = asks;
    CHECK_THAT(house.refused("install_schedule", slip),
               Catch::StartsWith("not_found: There is no schedule named 'globl'.") &&
                   Catch::Contains("Schedules are: global. A new one needs its source"));
  }
  house.places.variables["CLAUDE_ORCHESTRATOR_BACKUP_ROOT"] = core::text_of(house.backups);
  CHECK_THAT(house.refused("install_schedule", slip), Catch::StartsWith("not_found: "));
  CHECK(house.good("list_schedules", Json::object()).at("schedules").size() == 1);
}
