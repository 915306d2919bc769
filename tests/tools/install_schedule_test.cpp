#include "core/schedule.h"
#include "tests/tools/schedule_house.h"

using server::Json;
using test::ScheduleHouse;

TEST_CASE("install_schedule derives a name, proves the schedule, and says when it runs next") {
  ScheduleHouse house;
  const Json result = house.install();
  CHECK(result.at("name") == "global");
  CHECK(result.at("scheduler") == "cron");
  CHECK(result.at("time") == "04:07");
  CHECK(result.at("updated") == false);
  CHECK(result.at("next_run") == "2026-11-24T04:07:00Z");
  CHECK(result.at("run").at("verdict") == "verified");
  CHECK(test::fs::exists(result.at("run").at("snapshot").get<std::string>()));
  CHECK(house.last_text.find("Ran through its scheduler") != std::string::npos);
  CHECK(house.tool("install_schedule").changed_resources(result).size() == 3);
}

TEST_CASE("install_schedule keeps every argument of snapshot_db in the job") {
  ScheduleHouse house;
  house.install({{"name", "mine"},
                 {"time", "23:59"},
                 {"label", "app"},
                 {"hostname", "box"},
                 {"flat", false},
                 {"retain_days", 30},
                 {"keep_last", 3},
                 {"keep_daily", 7},
                 {"keep_weekly", 4},
                 {"keep_monthly", 12},
                 {"verify", "full"},
                 {"on_failure", "tell me"},
                 {"ping_url", "https://hc.example/1"}});
  const auto job = core::read_job("mine", house.places, house.env().files);
  REQUIRE(job);
  CHECK(job->time == std::chrono::minutes(23 * 60 + 59));
  CHECK(job->snapshot.source == house.global);
  CHECK(job->snapshot.destination == house.backups);
  CHECK(job->snapshot.label == "app");
  CHECK(job->snapshot.hostname == "box");
  CHECK(job->snapshot.retention.retain_days == 30);
  CHECK(job->snapshot.retention.keep_last == 3);
  CHECK(job->snapshot.retention.keep_daily == 7);
  CHECK(job->snapshot.retention.keep_weekly == 4);
  CHECK(job->snapshot.retention.keep_monthly == 12);
  CHECK(job->snapshot.verify == core::VerifyLevel::full);
  CHECK(job->on_failure == "tell me");
  CHECK(job->ping_url == "https://hc.example/1");
}

TEST_CASE("install_schedule gives two projects' databases names of their own") {
  ScheduleHouse house;
  const auto install = [&](const std::string& project) {
    const auto source = house / ("home/" + project + "/.orchestrator/project.db");
    house.make_database(source);
    return house.install({{"source", source.string()}, {"label", project}}).at("name");
  };
  CHECK(install("One App") == "one-app-project");
  CHECK(install("two") == "two-project");
  CHECK(house.install().at("name") == "global");
  CHECK(house.good("list_schedules", Json::object()).at("schedules").size() == 3);
}

TEST_CASE("install_schedule without a run or only in words touches no snapshot") {
  ScheduleHouse house;
  const Json dry = house.install({{"dry_run", true}});
  CHECK(dry.at("files").at(0).at("text").get<std::string>().find("\"name\": \"global\"") !=
        std::string::npos);
  CHECK(house.last_text.find("Would do, in this order:") != std::string::npos);
  CHECK_FALSE(house.schedulers.crontab);
  CHECK_FALSE(house.install({{"run_now", false}}).contains("run"));
  CHECK(house.schedulers.crontab);
  CHECK(test::names_in(house.backups).empty());
}

TEST_CASE("install_schedule refuses what it cannot promise, in words that help") {
  ScheduleHouse house;
  const auto refused = [&](Json changes) {
    Json arguments{{"destination", "~/Backups"}, {"scheduler", "cron"}};
    arguments.update(changes);
    const std::string text = house.refused("install_schedule", arguments);
    CHECK_FALSE(house.schedulers.crontab);
    return text;
  };
  CHECK(refused({{"name", "My App"}}).find("Try 'my-app'") != std::string::npos);
  CHECK(refused({{"name", ""}}).find("invalid_argument") == 0);
  CHECK(refused({{"source", "~/none.db"}}).find("not_found") == 0);
  CHECK(refused({{"destination", "~/nowhere"}}).find("not_found") == 0);
  CHECK(refused({{"on_failure", "a\nb"}}).find("line break") != std::string::npos);
  CHECK(refused({{"ping_url", "file:///etc/passwd"}}).find("http") != std::string::npos);
  CHECK(refused({{"scheduler", "launchd"}}).find("unsupported") == 0);
  CHECK(refused({{"scheduler", "systemd"}}).find("unsupported") == 0);
  house.schedulers.crontab_complaint = "not allowed to use this program\n";
  CHECK(refused({{"scheduler", "auto"}}).find("Tried systemd: ") != std::string::npos);
}

TEST_CASE("install_schedule asks for a destination where there is none") {
  ScheduleHouse house;
  CHECK(house.asked("install_schedule", {{"scheduler", "cron"}}).key == "destination");
  house.answer("destination", {{"destination", house.backups.string()}});
  CHECK(house.good("install_schedule", {{"scheduler", "cron"}}).at("destination") ==
        house.backups.string());
}

TEST_CASE("install_schedule on a server limited to folders takes no commands") {
  ScheduleHouse house({"home"});
  CHECK(house
            .refused(
                "install_schedule",
                {{"destination", "~/Backups"}, {"scheduler", "cron"}, {"on_failure", "rm -rf ~"}})
            .find("permission_denied") == 0);
  CHECK(house.install().at("name") == "global");
}
