#include "core/base/paths.h"
#include "support/catch.h"
#include "tests/tools/schedule_house.h"

namespace fs = core::fs;
using server::Json;
using test::ToolHouse;

TEST_CASE("An ignored database is in no question of the status, until it is taken back") {
  ToolHouse house;
  house.furnish();
  CHECK(house.good("backup_status", Json::object()).at("status") == "attention");

  const Json result = house.good("ignore_database", {{"path", core::text_of(house.global)}});
  CHECK(result.at("ignored") == Json::array({core::text_of(house.global)}));
  CHECK_THAT(house.last_text, Catch::StartsWith("Ignored from now on: "));
  Json status = house.good("backup_status", Json::object());
  CHECK(status.at("status") == "ok");
  CHECK(status.at("databases").at(0).at("ignored") == true);
  CHECK(status.at("databases").at(0).at("problems").empty());
  CHECK(status.at("summary") == "All databases that were found are ignored.");
  CHECK(house.good("backup_status", {{"brief", true}}).at("status") == "ok");
  const Json found = house.good("discover_databases", Json::object());
  CHECK(found.at("uncovered") == 0);
  CHECK(found.at("databases").at(0).at("ignored") == true);
  CHECK_THAT(house.last_text, Catch::Contains("ignored"));

  house.good("ignore_database", {{"path", core::text_of(house.global)}, {"ignored", false}});
  status = house.good("backup_status", Json::object());
  CHECK(status.at("status") == "attention");
}

TEST_CASE("A database of an ignored folder that was backed up by hand is listed as ignored") {
  ToolHouse house;
  house.furnish();
  const fs::path other = house.make_database(house / "home/data/notes.db");
  house.good("snapshot_db",
             {{"source", core::text_of(other)}, {"destination", core::text_of(house.backups)}});
  const auto entry_of = [&](const Json& status) {
    for (const auto& entry : status.at("databases")) {
      if (entry.at("source") == core::text_of(other)) return entry;
    }
    return Json();
  };
  // By hand only: it is known, and what would come back is told.
  const Json known = entry_of(house.good("backup_status", Json::object()));
  REQUIRE(known.is_object());
  CHECK(known.at("status") == "attention");
  CHECK(known.at("covered") == false);
  CHECK(known.at("snapshots") == 1);
  CHECK(known.at("oldest") == "2026-11-23");
  CHECK(known.at("survives") == "deleted file");
  CHECK(known.at("full_check_days_ago") == 0);
  CHECK_THAT(house.last_text, Catch::Contains("1 since 2026-11-23, "));
  CHECK_THAT(house.last_text, Catch::Contains("A destination on another disk"));

  house.good("ignore_database", {{"path", core::text_of(house / "home/data")}});
  CHECK(entry_of(house.good("backup_status", Json::object())).at("ignored") == true);
}

TEST_CASE("ignore_database says that a schedule of the database's own goes on") {
  ToolHouse house;
  house.furnish();
  core::BackupJob job;
  job.name = "global";
  job.scheduler = core::SchedulerKind::cron;
  job.snapshot.source = house.global;
  job.snapshot.destination = house.backups;
  REQUIRE(core::write_job(job, house.places, core::system_files()));
  const Json result =
      house.good("ignore_database", {{"path", core::text_of(house.global.parent_path())}});
  REQUIRE(result.at("warnings").size() == 1);
  CHECK_THAT(house.last_text, Catch::Contains("The schedule 'global' goes on"));
}

TEST_CASE("ignore_database says which database is not there") {
  ToolHouse house;
  CHECK_THAT(house.refused("ignore_database", {{"path", "~/nothing.db"}}),
             Catch::StartsWith("not_found: ") && Catch::Contains("nothing.db"));
}

TEST_CASE("ignore_database looks at nothing outside the allowed folders") {
  ToolHouse house({"home/elsewhere"});
  house.furnish();
  CHECK_THAT(house.refused("ignore_database", {{"path", core::text_of(house.global)}}),
             Catch::StartsWith("permission_denied: "));
}
