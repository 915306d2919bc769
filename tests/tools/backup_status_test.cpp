#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/schedule/job.h"
#include "core/schedule/run_job.h"
#include "support/paths.h"
#include "tests/tools/schedule_house.h"

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
  run.source = core::text_of(house.global);
  run.destination = core::text_of(house.backups);
  if (ok) run.snapshot = core::text_of(house.backups / "laptop/global-2026-11-23.db");
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

// A project whose database was backed up once, by hand.
struct ProjectHouse : ToolHouse {
  ProjectHouse() {
    fs::create_directories(backups);
    good("snapshot_db", {{"source", core::text_of(database)}, {"destination", "~/Backups"}});
  }
  const fs::path project = *this / "home/code/app";
  const fs::path database = make_database(project / ".orchestrator/project.db");
};

}  // namespace

TEST_CASE("backup_status says that a database has no schedule, and exits accordingly") {
  ToolHouse house;
  house.furnish();
  const Json result = house.good("backup_status", Json::object());
  CHECK(result.at("status") == "attention");
  const auto& entry = result.at("databases").at(0);
  CHECK(entry.at("source") == core::text_of(house.global));
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

TEST_CASE("backup_status tells the days on which a schedule missed a backup, and a brief one not") {
  test::ScheduleHouse house;
  house.install();
  house.clock.advance(std::chrono::hours{72});
  const auto missed = [&](const Json& arguments) {
    return house.good("backup_status", arguments).at("databases").at(0).value("missed", Json());
  };
  CHECK(missed(Json::object()) == Json::array({"2026-11-24/2026-11-26"}));
  CHECK(missed({{"brief", true}}).is_null());
  house.good("snapshot_db", {{"destination", "~/Backups"}});
  CHECK(missed(Json::object()) == Json::array({"2026-11-24/2026-11-25"}));
}

TEST_CASE("A brief status is silent while all is well and while there is nothing to back up") {
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

TEST_CASE("A brief status is one line when a database is uncovered, overdue or failing") {
  ToolHouse house;
  house.furnish();
  const auto one_line = [&](const std::string& status) {
    CHECK(brief(house).at("status") == status);
    CHECK(std::count(house.last_text.begin(), house.last_text.end(), '\n') == 1);
    CHECK(house.last_text.ends_with("\n"));
    CHECK_THAT(house.last_text, Catch::Contains(core::text_of(house.global)));
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
    "A brief status touches no destination, so that one that hangs cannot hold up a session") {
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
  const Json settings{{"projects", {{core::text_of(house / "home/code/app"), Json::object()}}}};
  test::write_file(house / "home/.claude.json", settings.dump());
  const Json result = house.good("backup_status", Json::object());
  CHECK(result.at("databases").size() == 1);
  CHECK_THAT(result.at("summary").get<std::string>(),
             Catch::Contains("needs attention. " + core::text_of(app)));
  CHECK_THAT(house.last_text, !Catch::Contains(core::text_of(house.global)));
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

namespace {

// The problems of the one database with this source, in one text; empty when it is not there.
std::string problems_of(const Json& result, const fs::path& source) {
  for (const auto& entry : result.at("databases")) {
    if (entry.at("source") != core::text_of(source)) continue;
    std::string text;
    for (const auto& problem : entry.at("problems")) text += problem.get<std::string>() + "\n";
    return text;
  }
  return "";
}

}  // namespace

TEST_CASE("backup_status names a database that is gone, and the restore that it prints works") {
  ToolHouse house;
  house.furnish();
  const Json taken = house.good("snapshot_db", {{"destination", "~/Backups"}});
  const auto snapshot = taken.at("snapshot").get<std::string>();
  const bool emptied = GENERATE(false, true);
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(core::text_of(house.global) + suffix);
  if (emptied) test::write_file(house.global, "");
  for (const bool quick : {false, true}) {
    const Json result = house.good("backup_status", {{"brief", quick}});
    CHECK(result.at("status") == "attention");
    REQUIRE(result.at("databases").size() == 1);
    CHECK_THAT(problems_of(result, house.global),
               Catch::StartsWith(emptied ? "It is empty (0 bytes). " : "It is gone. ") &&
                   Catch::Contains("restore_snapshot {\"snapshot\": \"" + test::in_json(snapshot) +
                                   "\", \"in_place\": true}"));
    CHECK_THAT(house.last_text, Catch::Contains(core::text_of(house.global)));
  }
  house.good("restore_snapshot", {{"snapshot", snapshot}, {"in_place", true}, {"confirm", true}});
  CHECK(fs::file_size(house.global) > 0);
  const Json after = house.good("backup_status", Json::object());
  CHECK_THAT(problems_of(after, house.global), !Catch::Contains("restore_snapshot"));
}

TEST_CASE("What brings a lost database back is the snapshot from before its rows were lost") {
  ToolHouse house;
  house.furnish();
  test::run_sql(house.global,
                "DELETE FROM links; CREATE TABLE log(x); INSERT INTO log WITH RECURSIVE n(i) AS "
                "(VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n");
  const auto take = [&] {
    house.clock.advance(std::chrono::hours{24});
    return house.good("snapshot_db", {{"destination", "~/Backups"}});
  };
  const auto full = take().at("snapshot").get<std::string>();
  test::run_sql(house.global, "DELETE FROM notes");
  CHECK(take().at("shrink_alarm") == true);
  const auto emptied = take().at("snapshot").get<std::string>();
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(core::text_of(house.global) + suffix);
  for (const bool quick : {false, true}) {
    const Json result = house.good("backup_status", {{"brief", quick}});
    CHECK_THAT(problems_of(result, house.global),
               Catch::Contains("restore_snapshot {\"snapshot\": \"" + test::in_json(full) + "\""));
  }
  // Whoever takes the newest all the same is told.
  const Json preview = house.good("restore_snapshot",
                                  {{"snapshot", emptied}, {"in_place", true}, {"dry_run", true}});
  CHECK_THAT(preview.at("warnings").dump(),
             Catch::Contains("0 rows in notes") && Catch::Contains(test::in_json(full)));
}

TEST_CASE("A database that went long ago, or with its snapshots, is not brought up again") {
  ToolHouse house;
  house.furnish();
  const Json taken = house.good("snapshot_db", {{"destination", "~/Backups"}});
  fs::remove(house.global);
  house.clock.advance(std::chrono::hours{24 * 31});
  CHECK(brief(house).at("databases").empty());
  CHECK(house.last_text.empty());
  CHECK(house.good("backup_status", Json::object()).at("databases").size() == 1);
  house.clock.advance(std::chrono::hours{24 * 60});
  CHECK(house.good("backup_status", Json::object()).at("databases").empty());
  house.clock.advance(std::chrono::hours{-24 * 90});
  CHECK(house.good("backup_status", Json::object()).at("databases").size() == 1);
  fs::remove(taken.at("snapshot").get<std::string>());
  CHECK(house.good("backup_status", Json::object()).at("databases").empty());
}

TEST_CASE("A project that was removed whole is told by the status, not by each session") {
  ProjectHouse house;
  const fs::path &project = house.project, &database = house.database;
  const auto tell = [&] { return problems_of(brief(house), database); };
  fs::remove_all(project / ".orchestrator");  // as `git clean` does
  CHECK_THAT(tell(), Catch::StartsWith("It is gone") &&
                         Catch::Contains("make " + core::text_of(project / ".orchestrator")));
  fs::remove_all(project);
  CHECK(tell().empty());
  CHECK_THAT(problems_of(house.good("backup_status", Json::object()), database),
             Catch::StartsWith("It is gone"));
}

TEST_CASE("A project that was removed or renamed is told no more once it is ignored") {
  ProjectHouse house;
  const fs::path &project = house.project, &database = house.database;
  fs::rename(project, house / "home/moved");
  const auto told = problems_of(house.good("backup_status", Json::object()), database);
  CHECK_THAT(told, Catch::Contains(
                       "ignore_database {\"path\": " + Json(core::text_of(database)).dump() + "}"));
  SECTION("by its path") {
    house.good("ignore_database", {{"path", core::text_of(database)}});
  }
  SECTION("by its folder") {
    house.good("ignore_database", {{"path", core::text_of(project)}});
  }
  CHECK(problems_of(house.good("backup_status", Json::object()), database).empty());
  CHECK_THAT(house.refused("ignore_database", {{"path", "~/code/other"}}),
             Catch::StartsWith("not_found: "));
}

TEST_CASE("Removing the schedule of a database that is gone stops the telling at each session") {
  ToolHouse house;
  house.furnish();
  add_job(house);
  add_run(house, true);
  fs::remove(house.global);
  CHECK_THAT(problems_of(brief(house), house.global),
             Catch::StartsWith("It is gone") && Catch::Contains("remove the schedule"));
  fs::remove(core::job_path("global", house.places));
  CHECK(brief(house).at("databases").empty());
}

TEST_CASE("A scheduled database that is gone is one, though a link led to it") {
  ToolHouse house;
  const auto database = house.make_database(house / "disk/notes.db");
  house.furnish();
  fs::create_directory_symlink(house / "disk", house / "home/link");
  house.good("snapshot_db", {{"source", core::text_of(database)}, {"destination", "~/Backups"}});
  core::BackupJob job;
  job.name = "notes";
  job.scheduler = core::SchedulerKind::cron;
  job.scheduled_since = house.clock.instant;
  job.snapshot.source = house / "home/link/notes.db";
  job.snapshot.destination = house.backups;
  auto& files = core::system_files();
  fs::create_directories(core::job_path(job.name, house.places).parent_path());
  REQUIRE(core::write_job(job, house.places, files));
  fs::remove(database);
  const Json result = house.good("backup_status", Json::object());
  CHECK(result.at("databases").size() == 2);
  CHECK_THAT(problems_of(result, database), Catch::Contains("restore_snapshot {\"snapshot\""));
}

TEST_CASE("Each line of a warning is told with the database's path before it") {
  ToolHouse house;
  house.furnish();
  add_job(house);
  core::RunRecord run;
  run.kind = "snapshot";
  run.schedule = "global";
  run.source = core::text_of(house.global);
  run.destination = core::text_of(house.backups);
  run.started_at = run.finished_at = house.clock.instant;
  run.ok = true;
  const core::Warning shrunk("The database has lost most of its content: 3 rows.",
                             core::WarningKind::shrunk);
  run.warnings = {std::string("The earlier one was kept."), shrunk};
  REQUIRE(core::record_run(run, house.world));
  house.good("backup_status", Json::object());
  const auto told = core::text_of(house.global) + ": The last run warned: ";
  CHECK_THAT(house.last_text, Catch::Contains("\n" + told + shrunk.text + "\n") &&
                                  Catch::Contains("\n" + told + "The earlier one was kept.\n"));
}

TEST_CASE("What a history of an earlier version warned of raises the same status") {
  test::ScheduleHouse house;
  house.install();
  const auto has_kinds = GENERATE(true, false);
  core::RunRecord run = core::list_runs({.limit = 1}, house.world)->at(0);
  run.id = 0;
  const std::string lost = "The database has lost most of its content: 3 rows now, 400 in /x.db.";
  const std::string silent = "ping_url was not reached: curl: (6) Could not resolve host.";
  if (has_kinds) {
    run.warnings = {core::Warning(lost, core::WarningKind::shrunk),
                    core::Warning(silent, core::WarningKind::ping)};
  }
  REQUIRE(core::record_run(run, house.world));
  if (!has_kinds) {
    test::run_sql(house.places.state / "history.db", "UPDATE runs SET warnings = '" + lost + "\n" +
                                                         silent +
                                                         "' WHERE id = (SELECT max(id) FROM runs)");
  }
  const Json result = house.good("backup_status", Json::object());
  CHECK(result.at("status") == "attention");
  const std::string problems = result.at("databases").at(0).at("problems").dump();
  CHECK_THAT(result.at("summary").get<std::string>(), Catch::Contains("warned: " + lost));
  CHECK_THAT(problems, Catch::Contains("In its last run, " + silent));
  const Json schedules = house.good("list_schedules", Json::object());
  CHECK(schedules.at("schedules").at(0).at("problems").size() == 1);
}

TEST_CASE("A schedule whose job file cannot be used is failing, also in a brief status") {
  test::ScheduleHouse house;
  house.install();
  CHECK(house.good("backup_status", Json::object()).at("status") == "ok");
  const auto failing = [&](bool is_brief) {
    const Json result = house.good("backup_status", {{"brief", is_brief}});
    CHECK(result.at("status") == "failing");
    CHECK_THAT(result.at("summary").get<std::string>(), Catch::Contains("notes"));
    CHECK_THAT(house.last_text, Catch::Contains("notes: The job file of schedule 'notes'"));
    CHECK(house.tool("backup_status").bad_news(result) == ErrorCode::damaged);
  };
  test::write_file(core::job_path("notes", house.places), "{");
  failing(true);
  failing(false);
  fs::remove(house.global);  // no database at all is no reason to be silent
  fs::remove(core::job_path("global", house.places));
  failing(true);
}

TEST_CASE("A schedule that runs without its job file is failing, also in a brief status") {
  test::ScheduleHouse house;
  house.install({{"name", "notes"}});
  house.install();
  fs::remove(core::job_path("notes", house.places));
  CHECK(house.good("backup_status", Json::object()).at("status") == "failing");
  CHECK_THAT(house.last_text, Catch::Contains("notes: It has an entry in cron but no job file."));
  house.clock.advance(std::chrono::hours{1});
  core::NoProgress no_progress;
  CHECK_FALSE(core::run_job("notes", {true, true}, house.env(), no_progress, {}));
  CHECK(brief(house).at("status") == "failing");
  CHECK_THAT(house.last_text, Catch::Contains("notes"));
  house.good("remove_schedule", {{"name", "notes"}, {"confirm", true}});
  house.clock.advance(std::chrono::hours{27});
  add_run(house, true);
  CHECK(brief(house).at("status") == "ok");
}

TEST_CASE("backup_status compares the rows with the last snapshot where that is asked for") {
  ToolHouse house;
  house.furnish();
  house.good("snapshot_db", {{"destination", "~/Backups"}});
  CHECK_THAT(house.good("backup_status", Json::object()).dump(), !Catch::Contains("only_then"));
  const Json same = house.good("backup_status", {{"rows", true}}).at("databases").at(0).at("rows");
  CHECK(same.at("gone") == 0);
  CHECK(same.at("tables").empty());
  CHECK_THAT(house.last_text, Catch::Contains("its rows are those of its last snapshot"));
  test::run_sql(house.global, "DELETE FROM notes");
  const Json rows = house.good("backup_status", {{"rows", true}}).at("databases").at(0).at("rows");
  CHECK(rows.at("gone").get<int>() >= 20);
  CHECK_THAT(house.last_text, Catch::Contains("notes has 20 rows less"));
  CHECK_THAT(house.last_text, Catch::Contains("lost --source " + core::text_of(house.global)));
  CHECK_THAT(house.last_text,
             Catch::Contains("restore-rows --source " + core::text_of(house.global)));
}

TEST_CASE("backup_status says what the snapshots would survive: in a synced folder, the machine") {
  ToolHouse house;
  house.furnish();
  const auto synced = house / "home/Dropbox/Backups";
  fs::create_directories(synced);
  house.good("snapshot_db", {{"destination", core::text_of(synced)}});
  const Json entry = house.good("backup_status", Json::object()).at("databases").at(0);
  CHECK(entry.at("survives") == "lost machine");
  CHECK(entry.at("snapshots") == 1);
  CHECK(house.last_text.find("on its own disk") == std::string::npos);
}

TEST_CASE("backup_status names the destination of what was backed up by hand, and the room there") {
  ToolHouse house;
  house.furnish();
  house.good("snapshot_db", {{"destination", "~/Backups"}});
  const Json entry = house.good("backup_status", Json::object()).at("databases").at(0);
  CHECK(entry.at("covered") == false);
  CHECK(entry.at("destination") == core::text_of(house.backups));
  CHECK(entry.at("free_bytes").get<std::uint64_t>() > 0);
}

TEST_CASE("A limited backup_status names no destination outside its folders") {
  ToolHouse house({"home/.claude"});
  house.furnish();
  core::RunRecord run;
  run.kind = core::kSnapshotRun;
  run.source = core::text_of(house.global);
  run.destination = core::text_of(house.backups);
  run.snapshot = core::text_of(house.backups / "x.db");
  run.started_at = run.finished_at = house.clock.now();
  run.ok = true;
  REQUIRE(core::record_run(run, house.world));
  const Json result = house.good("backup_status", Json::object());
  CHECK_FALSE(result.at("databases").at(0).contains("destination"));
  CHECK_FALSE(result.at("databases").at(0).contains("free_bytes"));
}

TEST_CASE("Of a disk that is unplugged the status tells that, and what to do, and no more") {
  ToolHouse house;
  house.furnish();
  house.good("snapshot_db", {{"destination", "~/Backups"}});
  add_job(house);
  fs::rename(house.backups, house / "home/unplugged");
  const auto told = problems_of(house.good("backup_status", Json::object()), house.global);
  CHECK_THAT(told, !Catch::Contains("passed a check"));
  for (const auto& [tool, arguments] : std::vector<std::pair<std::string, Json>>{
           {"restore_snapshot", {{"destination", "~/Backups"}, {"target", "~/x.db"}}},
           {"list_snapshots", {{"destination", "~/Backups"}}},
           {"find_lost_rows", {{"destination", "~/Backups"}}},
           {"restore_snapshot",
            {{"drill", true},
             {"destination", "~/Backups"},
             {"source", core::text_of(house.global)}}}}) {
    const auto refused = house.refused(tool, arguments);
    CHECK_THAT(refused, Catch::StartsWith("not_found: ") && !Catch::Contains("typing error") &&
                            Catch::Contains("Attach the disk it lies on"));
  }
}
