#include "core/history.h"
#include "core/schedule.h"
#include "tests/tools/tool_house.h"

namespace fs = core::fs;
using core::ErrorCode;
using server::Json;
using test::ToolHouse;

namespace {

// A job file as install_schedule leaves it; the scheduler itself is not asked by a brief status.
void add_job(ToolHouse& house) {
  core::BackupJob job;
  job.name = "global";
  job.scheduler = core::SchedulerKind::cron;
  job.scheduled_since = house.clock.instant;
  job.snapshot.source = house.global;
  job.snapshot.destination = house.backups;
  auto& files = core::system_files();
  fs::create_directories(core::job_path(job.name, house.places).parent_path());
  REQUIRE(core::write_job(job, house.places, files));
}

void add_run(ToolHouse& house, bool ok) {
  core::RunRecord run;
  run.kind = "snapshot";
  run.schedule = "global";
  run.source = house.global.string();
  run.destination = house.backups.string();
  run.started_at = run.finished_at = house.clock.instant;
  run.ok = ok;
  if (!ok) {
    run.error_code = "no_space";
    run.error = "The disk is full.";
  }
  REQUIRE(core::record_run(run, house.world));
}

Json brief(ToolHouse& house) {
  return house.good("backup_status", {{"brief", true}});
}

}  // namespace

TEST_CASE("backup_status says that a database has no schedule, and exits accordingly") {
  ToolHouse house;
  house.furnish();
  const Json result = house.good("backup_status", Json::object());
  CHECK(result.at("status") == "attention");
  const auto& entry = result.at("databases").at(0);
  CHECK(entry.at("source") == house.global.string());
  CHECK(entry.at("covered") == false);
  CHECK_FALSE(entry.at("problems").empty());
  CHECK(house.tool("backup_status").bad_news(result) == ErrorCode::not_found);
  CHECK(house.last_text.starts_with("Backups: attention."));
}

TEST_CASE("backup_status knows a snapshot that was taken by hand") {
  ToolHouse house;
  house.furnish();
  house.good("snapshot_db", {{"destination", "~/Backups"}});
  house.clock.advance(std::chrono::hours{5});
  const Json result = house.good("backup_status", Json::object());
  const auto& entry = result.at("databases").at(0);
  CHECK(entry.at("last_success") == "2026-11-23T12:00:00Z");
  CHECK(entry.at("verified_hours_ago") == Approx(5));
}

TEST_CASE("a brief status is silent while all is well and while there is nothing to back up") {
  ToolHouse house;
  brief(house);
  CHECK(house.last_text.empty());
  house.furnish();
  add_job(house);
  add_run(house, true);
  const Json result = brief(house);
  CHECK(result.at("status") == "ok");
  CHECK(house.last_text.empty());
  CHECK(house.commands.commands.empty());
}

TEST_CASE("a brief status is one line when a database is uncovered, overdue or failing") {
  ToolHouse house;
  house.furnish();
  const auto one_line = [&](const std::string& status) {
    CHECK(brief(house).at("status") == status);
    CHECK(std::count(house.last_text.begin(), house.last_text.end(), '\n') == 1);
    CHECK(house.last_text.ends_with("\n"));
    CHECK_THAT(house.last_text, Catch::Contains(house.global.string()));
  };
  one_line("attention");
  add_job(house);
  add_run(house, true);
  house.clock.advance(std::chrono::hours{30});
  one_line("attention");
  add_run(house, false);
  one_line("failing");
  CHECK_THAT(house.last_text, Catch::Contains("The disk is full."));
}

TEST_CASE(
    "a brief status touches no destination, so that one that hangs cannot hold up a session") {
  ToolHouse house;
  house.furnish();
  add_job(house);
  add_run(house, true);
  fs::remove_all(house.backups);
  CHECK(brief(house).at("status") == "ok");
}

TEST_CASE("backup_status judges and names nothing outside the allowed folders") {
  ToolHouse house({"home/code"});
  house.furnish();
  const auto app = house.make_database(house / "home/code/app/.orchestrator/project.db");
  const Json settings{{"projects", {{(house / "home/code/app").string(), Json::object()}}}};
  test::write_file(house / "home/.claude.json", settings.dump());
  const Json result = house.good("backup_status", Json::object());
  CHECK(result.at("databases").size() == 1);
  CHECK_THAT(result.at("summary").get<std::string>(),
             Catch::Contains("needs attention. " + app.string()));
  CHECK_THAT(house.last_text, !Catch::Contains(house.global.string()));
}

TEST_CASE("backup_status sees that the last snapshot has gone from its destination") {
  ToolHouse house;
  house.furnish();
  const Json taken = house.good("snapshot_db", {{"destination", "~/Backups"}});
  fs::remove(taken.at("snapshot").get<std::string>());
  const Json entry = house.good("backup_status", Json::object()).at("databases").at(0);
  CHECK_FALSE(entry.contains("last_success"));
  CHECK_THAT(entry.at("problems").dump(), Catch::Contains("is gone"));
  // A disk that is away is no snapshot lost.
  fs::rename(house.backups, house / "away");
  const Json away = house.good("backup_status", Json::object()).at("databases").at(0);
  CHECK_THAT(away.at("problems").dump(), !Catch::Contains("is gone"));
}
