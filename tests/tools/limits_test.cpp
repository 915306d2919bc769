// What a server that is limited to folders lets its client see and do.
#include "core/base/paths.h"
#include "core/schedule/job.h"
#include "support/paths.h"
#include "tests/tools/schedule_house.h"

namespace fs = core::fs;
using server::Json;
using test::ScheduleHouse;
using test::ToolHouse;

namespace {

// A schedule whose source or destination lies outside the home.
void install_outside(ScheduleHouse& house, const std::string& name) {
  core::BackupJob job;
  job.name = name;
  job.scheduler = core::SchedulerKind::cron;
  job.snapshot.source = test::absolute("/elsewhere/secret.db");
  job.snapshot.destination = house.backups;
  REQUIRE(core::write_job(job, house.places, house.env().files));
}

}  // namespace

TEST_CASE("A schedule outside the folders is not run, taken over, removed or named") {
  ScheduleHouse house({"home"});
  house.install({{"name", "mine"}});
  install_outside(house, "hidden");
  house.make_database(house / "home/mine.db");
  const auto runs = house.schedulers.runs.size();
  const std::string crontab = *house.schedulers.crontab;
  for (const char* tool : {"run_schedule", "remove_schedule"}) {
    for (const char* name : {"hidden", "absent"}) {
      const std::string text = house.refused(tool, {{"name", name}});
      CHECK_THAT(text, Catch::StartsWith("not_found: "));
      CHECK_THAT(text, Catch::Contains("Schedules are: mine."));
      CHECK_THAT(text, !Catch::Contains("elsewhere"));
    }
  }
  for (const Json& settings :
       {Json{{"name", "hidden"}},
        Json{{"name", "hidden"}, {"source", "~/mine.db"}, {"destination", "~/Backups"}}}) {
    const std::string text = house.refused("install_schedule", settings);
    CHECK_THAT(text, Catch::StartsWith("conflict: "));
    CHECK_THAT(text, !Catch::Contains("elsewhere"));
  }
  CHECK(core::read_job("hidden", house.places, house.env().files)->snapshot.source ==
        test::absolute("/elsewhere/secret.db"));
  CHECK(house.schedulers.runs.size() == runs);
  CHECK(*house.schedulers.crontab == crontab);
  CHECK(house.good("list_schedules", Json::object()).at("schedules").size() == 1);
}

TEST_CASE("A schedule whose job cannot be read is nobody's for a limited server") {
  ScheduleHouse house({"home"});
  house.install({{"name", "mine"}});
  const auto file = core::job_path("mine", house.places);
  SECTION("damaged") {
    test::write_file(file, "{");
  }
  SECTION("gone, its entry stays") {
    fs::remove(file);
  }
  CHECK(house.good("list_schedules", Json::object()).at("schedules").empty());
  CHECK_THAT(house.refused("remove_schedule", {{"name", "mine"}}), Catch::StartsWith("not_found"));
  CHECK_THAT(house.refused("install_schedule", {{"name", "mine"},
                                                {"source", "~/.claude/orchestrator/global.db"},
                                                {"destination", "~/Backups"}}),
             Catch::StartsWith("conflict: "));
  CHECK(house.schedulers.crontab);
}

TEST_CASE("A limited server makes no calls for its client unless it is told to") {
  for (const char* key : {"ping_url", "on_failure"}) {
    ScheduleHouse house({"home"});
    const Json wish{{"destination", "~/Backups"}, {"scheduler", "cron"}, {key, "http://a.example"}};
    const std::string text = house.refused("install_schedule", wish);
    CHECK_THAT(text, Catch::StartsWith("permission_denied: "));
    CHECK_THAT(text, Catch::Contains("--allow-calls"));
    ScheduleHouse told({"home"}, true);
    told.good("install_schedule", wish);
  }
}

TEST_CASE("A limited server tells how a database stands whose schedule reaches outside, no more") {
  ScheduleHouse house({"home"});
  house.install();
  auto job = core::read_job("global", house.places, house.env().files);
  REQUIRE(job);
  job->snapshot.destination = test::absolute("/elsewhere");
  REQUIRE(core::write_job(*job, house.places, house.env().files));
  const Json status = house.good("backup_status", Json::object());
  CHECK(status.at("databases").at(0).at("covered") == true);
  CHECK_THAT(status.dump(), !Catch::Contains("elsewhere"));
  CHECK(house.good("discover_databases", Json::object()).at("databases").at(0).at("schedules") ==
        Json::array());
}

TEST_CASE("A limited server makes new files under names of databases only") {
  ToolHouse house({"home"});
  house.furnish();
  const fs::path source = house.make_database(house / "home/data/cards.deck");
  const std::string snapshot =
      house.good("snapshot_db", {{"source", core::text_of(source)}, {"destination", "~/Backups"}})
          .at("snapshot");
  fs::create_directories(house / "home/.ssh");
  test::write_file(house / "home/empty", "");
  for (const char* target : {"~/.ssh/rc", "~/.ssh/authorized_keys", "~/.bashrc", "~/x", "~/x.sh",
                             "~/.profile", "~/a.desktop", "~/empty"}) {
    for (const bool in_place : {false, true}) {
      CAPTURE(target, in_place);
      CHECK_THAT(house.refused("restore_snapshot", {{"snapshot", snapshot},
                                                    {"target", target},
                                                    {"in_place", in_place},
                                                    {"confirm", true}}),
                 Catch::StartsWith("permission_denied: "));
    }
  }
  for (const char* target : {"~/a.db", "~/a.sqlite", "~/b.deck"}) {
    house.good("restore_snapshot", {{"snapshot", snapshot}, {"target", target}});
  }
  ToolHouse free;
  free.furnish();
  const std::string other = free.good("snapshot_db", {{"destination", "~/Backups"}}).at("snapshot");
  free.good("restore_snapshot", {{"snapshot", other}, {"target", "~/x"}});
}

TEST_CASE("Over a server without limits, too, only a database is replaced") {
  ToolHouse house;
  house.furnish();
  const std::string snapshot =
      house.good("snapshot_db", {{"destination", "~/Backups"}}).at("snapshot");
  test::write_file(house / "home/.profile", "export A=1\n");
  const Json wish{{"snapshot", snapshot}, {"target", "~/.profile"}, {"in_place", true}};
  CHECK_THAT(house.refused("restore_snapshot", wish), Catch::StartsWith("not_a_database: "));
  house.context.client.form_elicitation = true;
  CHECK_THAT(house.refused("restore_snapshot", wish), Catch::StartsWith("not_a_database: "));
}

TEST_CASE("Who says yes to the path in the question has named it") {
  ToolHouse house;
  house.furnish();
  const std::string snapshot =
      house.good("snapshot_db", {{"destination", "~/Backups"}}).at("snapshot");
  fs::remove(house.places.state / "history.db");
  test::run_sql(house.global, "DELETE FROM notes");
  const Json wish{{"snapshot", snapshot}, {"in_place", true}};
  Json confirmed = wish;
  confirmed["confirm"] = true;
  const std::string text = house.refused("restore_snapshot", confirmed);
  CHECK_THAT(text, Catch::StartsWith("needs_confirmation: "));
  CHECK_THAT(text, Catch::Contains(core::text_of(house.global)));
  // Naming the source is naming the target.
  Json named = confirmed;
  named["source"] = core::text_of(house.global);
  named["dry_run"] = true;
  house.good("restore_snapshot", named);
  CHECK_THAT(house.asked("restore_snapshot", wish).params.dump(),
             Catch::Contains(test::in_json(house.global)));
  house.answer("confirm", {{"confirm", true}});
  house.good("restore_snapshot", wish);
  CHECK(test::query_integer(house.global, "SELECT count(*) FROM notes") == 20);
}
