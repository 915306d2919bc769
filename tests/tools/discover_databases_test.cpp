#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "support/paths.h"
#include "tests/tools/tool_house.h"

namespace fs = core::fs;
using server::Json;
using test::ToolHouse;

namespace {

std::vector<std::string> paths_of(const Json& result) {
  std::vector<std::string> paths;
  for (const auto& entry : result.at("databases")) paths.push_back(entry.at("path"));
  return paths;
}

const Json& entry_of(const Json& result, const fs::path& path) {
  for (const auto& entry : result.at("databases")) {
    if (entry.at("path") == core::text_of(path)) return entry;
  }
  throw std::runtime_error("not found: " + core::text_of(path));
}

}  // namespace

TEST_CASE("discover_databases finds the global, the known projects' and the named folders'") {
  ToolHouse house;
  house.furnish();
  const auto known = house.make_database(house / "home/work/app/.orchestrator/project.db");
  const auto named = house.make_database(house / "home/code/shop/.orchestrator/project.db");
  const auto other = house.make_database(house / "home/code/data/notes.sqlite");
  const auto app = core::text_of(house / "home/work/app");
  test::write_file(house / "home/.claude.json", Json{{"projects", {{app, Json::object()}}}}.dump());
  const Json few = house.good("discover_databases", Json::object());
  CHECK(paths_of(few) ==
        std::vector<std::string>{core::text_of(house.global), core::text_of(known)});
  const Json all =
      house.good("discover_databases", {{"folder", {"~/code"}}, {"pattern", {"*.sqlite"}}});
  CHECK(all.at("databases").size() == 4);
  CHECK(all.at("uncovered") == 4);
  CHECK(all.at("complete") == true);
  const auto& entry = entry_of(all, house.global);
  CHECK(entry.at("kind") == "global");
  CHECK(entry.at("journal_mode") == "wal");
  CHECK(entry.at("rows").get<int>() >= 20);
  CHECK(entry.at("schedules").empty());
  CHECK(entry_of(all, named).at("kind") == "project");
  CHECK(entry_of(all, other).at("kind") == "other");
  CHECK_THAT(house.last_text, Catch::Contains("4 found, 4 without a schedule"));
}

TEST_CASE("discover_databases says when a database's last verified snapshot was taken") {
  ToolHouse house;
  house.furnish();
  house.good("snapshot_db", {{"destination", "~/Backups"}});
  house.clock.advance(std::chrono::hours{5});
  house.good("verify_snapshot", {{"destination", "~/Backups"}});
  const Json result = house.good("discover_databases", Json::object());
  CHECK(entry_of(result, house.global).at("last_verified") == "2026-11-23T12:00:00Z");
}

TEST_CASE(
    "discover_databases shows nothing outside the allowed folders, and refuses to search there") {
  ToolHouse house({"home/code"});
  house.furnish();
  const auto allowed = house.make_database(house / "home/code/shop/.orchestrator/project.db");
  const Json result = house.good("discover_databases", {{"folder", {"~/code"}}});
  CHECK(paths_of(result) == std::vector<std::string>{core::text_of(allowed)});
  CHECK_THAT(house.refused("discover_databases", {{"folder", {"~/elsewhere"}}}),
             Catch::StartsWith("permission_denied: "));
}

TEST_CASE("discover_databases without a find says what to do") {
  ToolHouse house;
  const Json result = house.good("discover_databases", Json::object());
  CHECK(result.at("databases").empty());
  CHECK_THAT(house.last_text, Catch::Contains("--folder"));
}

TEST_CASE("discover_databases tells of a database that is gone and has a snapshot") {
  ToolHouse house;
  house.furnish();
  house.good("snapshot_db", {{"destination", "~/Backups"}});
  fs::remove(house.global);
  const Json result = house.good("discover_databases", Json::object());
  CHECK(result.at("databases").empty());
  CHECK_THAT(house.last_text, Catch::Contains("Warning: " + core::text_of(house.global) +
                                              ": It is gone. Its last good snapshot is of"));
}

TEST_CASE("discover_databases tells of no lost database outside the allowed folders") {
  for (const bool shut : {false, true}) {
    ToolHouse house(shut ? std::vector<std::string>{"home/code"} : std::vector<std::string>{});
    fs::create_directories(house / "home/code");
    core::RunRecord run;
    run.kind = "snapshot";
    run.source = core::text_of(house.global);
    run.destination = core::text_of(house / "away");
    run.snapshot = core::text_of(house / "away/laptop/global-2026-11-22.db");
    run.started_at = run.finished_at = house.clock.instant;
    run.ok = true;
    REQUIRE(core::record_run(run, house.world));
    const std::string told = house.good("discover_databases", Json::object()).dump();
    // In the arguments of a call, which stand in a text.
    const std::string snapshot = test::in_json(test::in_json(run.snapshot));
    CHECK((told.find(snapshot) == std::string::npos) == shut);
    CHECK((told.find(test::in_json(run.source)) == std::string::npos) == shut);
  }
}

TEST_CASE("discover_databases takes no empty folder for the current one") {
  ToolHouse house;
  CHECK_THAT(house.refused("discover_databases", {{"folder", Json::array({""})}}),
             Catch::StartsWith("invalid_argument: "));
}
