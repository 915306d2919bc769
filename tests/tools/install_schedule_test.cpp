#include "core/base/paths.h"
#include "core/schedule/due.h"
#include "core/schedule/job.h"
#include "support/paths.h"
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
                 {"keep_hourly", 24},
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
  CHECK(job->snapshot.retention.keep_hourly == 24);
  CHECK(job->snapshot.retention.keep_daily == 7);
  CHECK(job->snapshot.retention.keep_weekly == 4);
  CHECK(job->snapshot.retention.keep_monthly == 12);
  CHECK(job->snapshot.verify == core::VerifyLevel::full);
  CHECK(job->on_failure == "tell me");
  CHECK(job->ping_url == "https://hc.example/1");
}

TEST_CASE("install_schedule by the hour says so, and its snapshot carries the time") {
  ScheduleHouse house;
  const Json result = house.install(
      {{"every", "hour"}, {"between", "08:00-20:00"}, {"keep_hourly", 24}, {"keep_daily", 14}});
  CHECK(result.at("when") == "every hour, 08:00-20:00");
  CHECK(house.last_text.find(", every hour, 08:00-20:00, next 2026-11-23T12:07:00Z\n") !=
        std::string::npos);
  CHECK(result.at("next_run") == "2026-11-23T12:07:00Z");
  CHECK(result.at("keeps").get<std::string>().find("About 36 snapshots of ") == 0);
  const std::string path = test::slashed(result.at("run").at("snapshot"));
  CHECK(path.ends_with("/global-2026-11-23T1107.db"));
  // The hour's resource, and that of the day, whose last one it is.
  CHECK(house.tool("install_schedule").changed_resources(result).size() == 4);
  CHECK(house.schedulers.crontab->find("7,22,37,52 * * * * ") != std::string::npos);

  const Json plan = house.install({{"name", "global"}, {"every", "4h"}, {"dry_run", true}});
  CHECK(plan.at("changed") == Json{"every: 4h (was hour)"});
  CHECK(house.last_text.find("When: every 4 hours, 08:00-20:00\n") != std::string::npos);
  const Json whole = house.install({{"name", "global"}, {"between", ""}});
  CHECK(whole.at("when") == "every hour");
  CHECK(whole.at("changed") == Json{"between: none (was 08:00-20:00)"});
  const Json daily = house.install({{"name", "global"}, {"every", "day"}, {"between", ""}});
  CHECK(daily.at("when") == "daily at 04:07");
  CHECK(test::slashed(daily.at("run").at("snapshot")).ends_with("/global-2026-11-23.db"));
  CHECK(house.good("list_snapshots", {{"destination", "~/Backups"}}).at("total") == 2);
}

TEST_CASE("install_schedule refuses hours that it does not know, and says which there are") {
  ScheduleHouse house;
  const auto refused = [&](Json changes) {
    Json arguments{{"destination", "~/Backups"}, {"scheduler", "cron"}};
    arguments.update(changes);
    return house.refused("install_schedule", arguments);
  };
  CHECK(refused({{"every", "week"}}).find("day, hour, or a number of hours: 2h to 12h") !=
        std::string::npos);
  CHECK(refused({{"every", "hour"}, {"between", "8-20"}})
            .find("HH:MM-HH:MM, for example 08:00-20:00") != std::string::npos);
  CHECK(refused({{"between", "08:00-20:00"}}).find("runs daily") != std::string::npos);
  CHECK(refused({{"every", "hour"}, {"between", "08:10-08:50"}}).find("No run falls into") !=
        std::string::npos);
  CHECK_FALSE(house.schedulers.crontab);
}

TEST_CASE("install_schedule gives two projects' databases names of their own") {
  ScheduleHouse house;
  const auto install = [&](const std::string& project) {
    const auto source = house / ("home/" + project + "/.orchestrator/project.db");
    house.make_database(source);
    return house.install({{"source", core::text_of(source)}, {"label", project}}).at("name");
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
  // What the schedules are, for another machine.
  CHECK(test::names_in(house.backups).find("schedules-testhost") == 0);
  CHECK(test::names_in(house.backups).find(".db") == std::string::npos);
}

namespace {

// A schedule without rules, and snapshots of three days.
struct HouseWithSnapshots : ScheduleHouse {
  HouseWithSnapshots() {
    install();
    take("2026-11-20");
    take("2026-11-21");
  }
  void take(const std::string& date) {
    good("snapshot_db", {{"destination", "~/Backups"}, {"date", date}});
  }
  test::fs::path of(const std::string& date) const {
    return backups / "testhost" / ("global-" + date + ".db");
  }
  bool all_are_there() const {
    return test::fs::exists(of("2026-11-20")) && test::fs::exists(of("2026-11-21")) &&
           test::fs::exists(of("2026-11-23"));
  }
  bool has_rules() {
    return !core::read_job("global", places, env().files)->snapshot.retention.empty();
  }
};

const Json kOneStays{{"name", "global"}, {"keep_last", 1}};

}  // namespace

TEST_CASE("install_schedule removes nothing by new rules that nobody has seen and agreed to") {
  HouseWithSnapshots house;
  Json words = kOneStays;
  words["dry_run"] = true;
  CHECK(house.good("install_schedule", words).at("expired").size() == 2);
  CHECK(house.last_text.find("Would remove " + house.of("2026-11-20").string()) !=
        std::string::npos);

  const std::string refused = house.refused("install_schedule", kOneStays);
  CHECK(refused.find("needs_confirmation: ") == 0);
  CHECK(refused.find("would remove in its first run 2 snapshots") != std::string::npos);
  CHECK(refused.find(house.of("2026-11-20").string()) != std::string::npos);
  CHECK(refused.find(house.of("2026-11-21").string()) != std::string::npos);
  CHECK(house.all_are_there());
  CHECK_FALSE(house.has_rules());

  Json agreed = kOneStays;
  agreed["confirm"] = true;
  const Json result = house.good("install_schedule", agreed);
  REQUIRE(result.at("expired").size() == 2);
  CHECK(house.last_text.find("Removed " + house.of("2026-11-20").string()) != std::string::npos);
  CHECK_FALSE(test::fs::exists(house.of("2026-11-20")));
  CHECK_FALSE(test::fs::exists(house.of("2026-11-21")));
  CHECK(test::fs::exists(house.of("2026-11-23")));
  CHECK(house.tool("install_schedule").changed_resources(result).size() == 7);
}

TEST_CASE("install_schedule asks a user who can be asked before new rules remove anything") {
  HouseWithSnapshots house;
  house.context.client.form_elicitation = true;
  CHECK(house.asked("install_schedule", kOneStays).key == "confirm");
  house.answer("confirm", {{"confirm", false}});
  CHECK(house.refused("install_schedule", kOneStays).find("cancelled: ") == 0);
  CHECK(house.all_are_there());
  CHECK_FALSE(house.has_rules());
  house.answer("confirm", {{"confirm", true}});
  CHECK(house.good("install_schedule", kOneStays).at("expired").size() == 2);
}

TEST_CASE("install_schedule asks also where a new schedule's rules meet snapshots that are there") {
  HouseWithSnapshots house;
  house.good("remove_schedule", {{"name", "global"}, {"confirm", true}});
  Json arguments = kOneStays;
  arguments.update({{"destination", "~/Backups"}, {"scheduler", "cron"}, {"run_now", false}});
  CHECK(house.refused("install_schedule", arguments).find("needs_confirmation: ") == 0);
  CHECK(house.all_are_there());
}

TEST_CASE("install_schedule asks nothing where the rules are as they were, or remove nothing") {
  HouseWithSnapshots house;
  house.good("install_schedule", {{"name", "global"}, {"keep_last", 3}});
  house.take("2026-11-19");
  const Json again = house.good("install_schedule", {{"name", "global"}, {"time", "12:30"}});
  CHECK(again.at("expired").size() == 1);  // as each night would
  CHECK(
      house.good("install_schedule", {{"name", "global"}, {"keep_last", 0}}).at("expired").empty());
}

TEST_CASE("install_schedule says what the rules will keep, and how much room that takes") {
  ScheduleHouse house;
  const auto keeps = [&](Json changes) {
    changes.update({{"dry_run", true}});
    return house.install(std::move(changes)).at("keeps").get<std::string>();
  };
  CHECK(keeps(Json::object()).find("Every snapshot stays, as there are no keep rules; each") == 0);
  CHECK(keeps({{"keep_daily", 30}}).find("About 30 snapshots of ") == 0);
  CHECK(keeps({{"keep_last", 1}}).find("About 1 snapshot of ") == 0);
  CHECK(house.last_text.find("Keeps: About 1 snapshot of ") != std::string::npos);
}

TEST_CASE("run_schedule lists what its retention removed") {
  HouseWithSnapshots house;
  house.good("install_schedule", {{"name", "global"}, {"keep_last", 3}});
  house.take("2026-11-19");
  const Json result = house.good("run_schedule", {{"name", "global"}});
  REQUIRE(result.at("expired").size() == 1);
  CHECK(result.at("expired")[0].at("path") == house.of("2026-11-19").string());
  CHECK_FALSE(test::fs::exists(house.of("2026-11-19")));
  CHECK(house.good("run_schedule", {{"name", "global"}}).at("expired").empty());
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
  house.answer("destination", {{"destination", core::text_of(house.backups)}});
  CHECK(house.good("install_schedule", {{"scheduler", "cron"}}).at("destination") ==
        core::text_of(house.backups));
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

namespace {

const Json kEverything{{"name", "mine"},
                       {"source", "~/notes/mine.db"},
                       {"time", "23:59"},
                       {"label", "app"},
                       {"hostname", "box"},
                       {"flat", true},
                       {"keep_daily", 7},
                       {"keep_weekly", 4},
                       {"verify", "full"},
                       {"on_failure", "tell me"},
                       {"ping_url", "https://hc.example/1"}};

std::string job_text(ScheduleHouse& house) {
  return test::read_file(core::job_path("mine", house.places));
}

}  // namespace

TEST_CASE("install_schedule with only a name leaves every setting of that schedule as it is") {
  ScheduleHouse house;
  house.make_database(house / "home/notes/mine.db");
  house.install(kEverything);
  const std::string before = job_text(house);
  house.places.variables["CLAUDE_ORCHESTRATOR_BACKUP_ROOT"] = core::text_of(house / "home");
  const Json again = house.good("install_schedule", {{"name", "mine"}});
  CHECK(job_text(house) == before);
  CHECK(again.at("updated") == true);
  CHECK(again.at("scheduler") == "cron");
  CHECK(again.at("source") == core::text_of(house / "home/notes/mine.db"));
  CHECK(again.at("destination") == core::text_of(house.backups));
  CHECK(again.at("changed").empty());
  CHECK(again.at("kept").size() == 12);
  CHECK(house.last_text.find("Kept: ") != std::string::npos);
}

TEST_CASE("install_schedule changes what is given, and shows it before and after") {
  ScheduleHouse house;
  house.make_database(house / "home/notes/mine.db");
  house.install(kEverything);
  const Json changes{{"name", "mine"}, {"time", "12:30"},  {"label", ""},
                     {"keep_last", 3}, {"on_failure", ""}, {"hostname", ""},
                     {"flat", false},  {"ping_url", ""},   {"dry_run", true}};
  const Json dry = house.good("install_schedule", changes);
  const auto changed = dry.at("changed").get<std::vector<std::string>>();
  const auto has = [&](const char* text) {
    return std::find(changed.begin(), changed.end(), text) != changed.end();
  };
  CHECK(has("time: 12:30 (was 23:59)"));
  CHECK(has("label: none (was app)"));
  CHECK(has("keep_last: 3 (was none)"));
  CHECK(has("keep_daily: none (was 7)"));
  CHECK(has("keep_weekly: none (was 4)"));
  CHECK(has("on_failure: none (was tell me)"));
  CHECK(has("flat: none (was yes)"));
  CHECK(house.last_text.find("Changed: time: 12:30 (was 23:59)\n") != std::string::npos);

  Json real = changes;
  real.erase("dry_run");
  house.good("install_schedule", real);
  const auto job = core::read_job("mine", house.places, house.env().files);
  REQUIRE(job);
  CHECK(core::format_time_of_day(job->time) == "12:30");
  CHECK(job->snapshot.label.empty());
  CHECK(job->snapshot.hostname.empty());
  CHECK_FALSE(job->snapshot.flat);
  CHECK(job->snapshot.retention.keep_last == 3);
  CHECK_FALSE(job->snapshot.retention.keep_daily);
  CHECK(job->on_failure.empty());
  CHECK(job->ping_url.empty());
  CHECK(job->snapshot.verify == core::VerifyLevel::full);

  house.good("install_schedule", {{"name", "mine"}, {"keep_last", 0}});
  CHECK(core::read_job("mine", house.places, house.env().files)->snapshot.retention.empty());
}

TEST_CASE("install_schedule tells of a ping_url only its scheme and host") {
  ScheduleHouse house;
  const std::string former = "https://me:key-0@hc.example:8443/key-1?rid=key-2";
  house.install({{"name", "mine"}, {"ping_url", former}, {"on_failure", "tell me"}});
  const Json kept = house.good("install_schedule", {{"name", "mine"}, {"dry_run", true}});
  CHECK(kept.at("kept").dump().find("\"ping_url: https://hc.example:8443/…\"") !=
        std::string::npos);
  CHECK(kept.at("kept").dump().find("\"on_failure: tell me\"") != std::string::npos);
  CHECK((kept.dump() + house.last_text).find("key-") == std::string::npos);

  const Json changed = house.good(
      "install_schedule", {{"name", "mine"}, {"ping_url", "https://hc.example:8443?key-3"}});
  CHECK(changed.at("changed") ==
        Json::array({"ping_url: https://hc.example:8443/… (was https://hc.example:8443/…)"}));
  CHECK(core::read_job("mine", house.places, house.env().files)->ping_url ==
        "https://hc.example:8443?key-3");
}

TEST_CASE("install_schedule on a server limited to folders does not tell the command it keeps") {
  ScheduleHouse house({"home"});
  house.install({{"name", "mine"}});
  auto job = core::read_job("mine", house.places, house.env().files);
  REQUIRE(job);
  job->on_failure = "tell me";
  REQUIRE(core::write_job(*job, house.places, house.env().files));
  const Json dry = house.good("install_schedule", {{"name", "mine"}, {"dry_run", true}});
  CHECK(dry.dump().find("tell me") == std::string::npos);
  const Json cleared = house.good("install_schedule", {{"name", "mine"}, {"on_failure", ""}});
  CHECK(cleared.dump().find("tell me") == std::string::npos);
}

TEST_CASE("install_schedule does not guess what a job file held that cannot be read") {
  ScheduleHouse house;
  house.make_database(house / "home/notes/mine.db");
  house.install(kEverything);
  for (const bool gone : {false, true}) {
    CAPTURE(gone);
    const std::string crontab = *house.schedulers.crontab;
    const auto path = core::job_path("mine", house.places);
    if (gone) {
      test::fs::remove(path);
    } else {
      test::write_file(path, "{");
    }
    const std::string text =
        house.refused("install_schedule", {{"name", "mine"}, {"destination", "~/Backups"}});
    CHECK(text.find("invalid_argument") == 0);
    CHECK(text.find("Give source") != std::string::npos);
    CHECK(house.schedulers.crontab == crontab);
    const Json mended =
        house.good("install_schedule",
                   {{"name", "mine"}, {"source", "~/notes/mine.db"}, {"destination", "~/Backups"}});
    CHECK(mended.at("source") == core::text_of(house / "home/notes/mine.db"));
    CHECK(mended.at("warnings").dump().find("nothing of its former settings") != std::string::npos);
  }
}

TEST_CASE("install_schedule without a name does not replace a job file that cannot be read") {
  ScheduleHouse house;
  house.install();
  test::write_file(core::job_path("global", house.places), "{");
  const std::string text = house.refused(
      "install_schedule", {{"source", core::text_of(house.global)}, {"destination", "~/Backups"}});
  CHECK(text.find("invalid_argument") == 0);
  CHECK(text.find("and name") != std::string::npos);
}

TEST_CASE("install_schedule warns when the database that a schedule backed up loses it") {
  ScheduleHouse house;
  house.make_database(house / "home/notes/mine.db");
  house.install({{"name", "mine"}});
  const Json moved =
      house.good("install_schedule", {{"name", "mine"}, {"source", "~/notes/mine.db"}});
  CHECK(moved.at("warnings").dump().find("No schedule backs up " + test::in_json(house.global)) !=
        std::string::npos);
}

TEST_CASE("install_schedule on a server limited to folders keeps no path outside of them") {
  ScheduleHouse house({"home"});
  house.install({{"name", "mine"}});
  auto job = core::read_job("mine", house.places, house.env().files);
  REQUIRE(job);
  job->snapshot.source = test::absolute("/elsewhere/global.db");
  REQUIRE(core::write_job(*job, house.places, house.env().files));
  CHECK(house.refused("install_schedule", {{"name", "mine"}}).find("conflict: ") == 0);
}

TEST_CASE("A change of all schedules changes what is given, and nothing else of each") {
  ScheduleHouse house;
  house.install({{"keep_daily", 7}});
  const auto other = house.make_database(house / "home/code/app/.orchestrator/project.db");
  house.install({{"source", core::text_of(other)}, {"keep_daily", 30}});
  const Json tried =
      house.good("install_schedule", {{"name", "all"}, {"time", "03:03"}, {"dry_run", true}});
  CHECK(tried.at("schedules").size() == 2);
  CHECK(house.good("list_schedules", Json::object()).at("schedules").at(0).at("time") == "04:07");

  const Json result = house.good("install_schedule", {{"name", "all"}, {"time", "03:03"}});
  REQUIRE(result.at("schedules").size() == 2);
  const auto listed = house.good("list_schedules", Json::object()).at("schedules");
  for (const auto& schedule : listed) CHECK(schedule.at("time") == "03:03");
  CHECK(listed.at(0).at("keep_daily") == 30);
  CHECK(listed.at(1).at("keep_daily") == 7);
  CHECK_FALSE(house.tool("install_schedule").bad_news(result));
}

TEST_CASE("A change of all schedules asks first, once, what new rules remove of any of them") {
  HouseWithSnapshots house;
  const auto other = house.make_database(house / "home/code/app/.orchestrator/project.db");
  house.install({{"source", core::text_of(other)}, {"label", "app"}});
  const Json call{{"name", "all"}, {"keep_last", 1}};
  CHECK_THAT(house.refused("install_schedule", call),
             Catch::StartsWith("needs_confirmation: ") && Catch::Contains("2 snapshots"));
  CHECK(house.all_are_there());
  CHECK_FALSE(house.has_rules());
  Json agreed = call;
  agreed["confirm"] = true;
  CHECK(house.good("install_schedule", agreed).at("schedules").size() == 2);
  CHECK(house.has_rules());
}

TEST_CASE("What cannot be the same for all schedules is refused, and nothing is changed") {
  ScheduleHouse house;
  house.install();
  for (const char* key : {"source", "folder", "label"}) {
    CHECK_THAT(house.refused("install_schedule", {{"name", "all"}, {key, "x"}}),
               Catch::StartsWith("invalid_argument: ") && Catch::Contains(key));
  }
  // Where one would be refused, none is changed.
  const auto other = house.make_database(house / "home/code/app/.orchestrator/project.db");
  house.install({{"source", core::text_of(other)}});
  test::fs::remove(other);
  CHECK_THAT(house.refused("install_schedule", {{"name", "all"}, {"time", "03:03"}}),
             Catch::Contains("Nothing was changed, because of 'app-project'"));
  const Json list = house.good("list_schedules", Json::object());
  for (const auto& schedule : list.at("schedules")) {
    CHECK(schedule.at("time") == "04:07");
  }
}
