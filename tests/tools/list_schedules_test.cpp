#include "core/base/paths.h"
#include "tests/tools/schedule_house.h"

using server::Json;
using test::ScheduleHouse;

TEST_CASE("list_schedules with nothing installed says how to begin") {
  ScheduleHouse house;
  CHECK(house.good("list_schedules", Json::object()).at("schedules").empty());
  CHECK(house.last_text.find("`backup-plugin-db install-schedule`") != std::string::npos);
}

TEST_CASE("list_schedules tells runs and problems, in the result and in words") {
  ScheduleHouse house;
  house.install();
  const Json healthy = house.good("list_schedules", Json::object()).at("schedules").at(0);
  CHECK(healthy.at("name") == "global");
  CHECK(healthy.at("scheduler") == "cron");
  CHECK(healthy.at("source") == core::text_of(house.global));
  CHECK(healthy.at("destination") == core::text_of(house.backups));
  CHECK(healthy.at("last_result") == "ok");
  CHECK(healthy.at("last_success") == healthy.at("last_run"));
  CHECK(healthy.at("next_run") == "2026-11-24T04:07:00Z");
  CHECK(healthy.at("problems").empty());

  test::fs::rename(house.backups, house / "home/away");
  house.refused("run_schedule", {{"name", "global"}});
  const Json failing = house.good("list_schedules", Json::object()).at("schedules").at(0);
  CHECK(failing.at("last_result") == "failed");
  CHECK(failing.at("last_error").get<std::string>().find("Backups") != std::string::npos);
  CHECK(failing.at("problems").size() == 2);
  CHECK(house.last_text.find("Problem: global: The destination ") != std::string::npos);
}

TEST_CASE("list_schedules shows the settings that a schedule has, and leaves out the others") {
  ScheduleHouse house;
  house.install({{"name", "mine"},
                 {"label", "app"},
                 {"keep_daily", 7},
                 {"verify", "full"},
                 {"on_failure", "tell me"},
                 {"ping_url", "https://hc.example/1"}});
  const Json listed = house.good("list_schedules", Json::object()).at("schedules").at(0);
  CHECK(listed.at("label") == "app");
  CHECK(listed.at("keep_daily") == 7);
  CHECK_FALSE(listed.contains("keep_weekly"));
  CHECK_FALSE(listed.contains("hostname"));
  CHECK(listed.at("verify") == "full");
  CHECK(listed.at("on_failure") == "tell me");
  CHECK(listed.at("ping_url") == "https://hc.example/…");
  CHECK(
      house.last_text.find("Settings: mine: label app, keep_daily 7, verify full, on_failure tell "
                           "me, ping_url https://hc.example/…\n") != std::string::npos);
}

TEST_CASE("list_schedules shows the hours of a schedule, and its next one") {
  ScheduleHouse house;
  house.install({{"name", "mine"}, {"every", "2h"}, {"between", "08:00-20:00"}});
  const Json listed = house.good("list_schedules", Json::object()).at("schedules").at(0);
  CHECK(listed.at("every") == "2h");
  CHECK(listed.at("between") == "08:00-20:00");
  CHECK(listed.at("next_run") == "2026-11-23T12:07:00Z");
  CHECK(house.last_text.find("Settings: mine: every 2h, between 08:00-20:00, verify quick\n") !=
        std::string::npos);
}

TEST_CASE("list_schedules on a server limited to folders tells nothing of what lies outside") {
  ScheduleHouse house({"home"});
  house.install({{"name", "mine"}});
  house.install({{"name", "other"}});
  auto job = core::read_job("mine", house.places, house.env().files);
  REQUIRE(job);
  job->on_failure = "tell me";
  REQUIRE(core::write_job(*job, house.places, house.env().files));
  job->name = "other";
  SECTION("the source") {
    job->snapshot.source = "/elsewhere/global.db";
  }
  SECTION("the destination") {
    job->snapshot.destination = "/elsewhere";
  }
  REQUIRE(core::write_job(*job, house.places, house.env().files));
  const Json listed = house.good("list_schedules", Json::object());
  REQUIRE(listed.at("schedules").size() == 1);
  CHECK(listed.at("schedules").at(0).at("name") == "mine");
  CHECK_FALSE(listed.at("schedules").at(0).contains("on_failure"));
  CHECK(listed.dump().find("elsewhere") == std::string::npos);
}
