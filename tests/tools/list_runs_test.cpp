#include "tools/list_runs.h"

#include <sstream>

#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "tests/tools/tool_house.h"

namespace fs = core::fs;
using server::Json;
using test::ToolHouse;

namespace {

// A snapshot, its check, and a snapshot that failed, of which the last is the newest.
void live_a_little(ToolHouse& house) {
  house.furnish();
  const Json taken = house.good("snapshot_db", {{"destination", "~/Backups"}});
  house.clock.advance(std::chrono::hours{1});
  house.good("verify_snapshot", {{"snapshot", taken.at("snapshot")}});
  house.clock.advance(std::chrono::hours{1});
  core::RunRecord failed;
  failed.kind = core::kSnapshotRun;
  failed.schedule = "nightly";
  failed.source = core::text_of(house.global);
  failed.destination = core::text_of(house / "usb");
  failed.started_at = failed.finished_at = house.clock.now();
  failed.error_code = "not_found";
  failed.error = "The destination is not there.";
  REQUIRE(core::record_run(failed, house.world));
}

std::vector<std::string> kinds_of(const Json& result) {
  std::vector<std::string> kinds;
  for (const auto& run : result.at("runs")) kinds.push_back(run.at("kind"));
  return kinds;
}

}  // namespace

TEST_CASE("list_runs tells what happened, newest first, with what failed and why") {
  ToolHouse house;
  live_a_little(house);
  const Json result = house.good("list_runs", Json::object());
  CHECK(kinds_of(result) == std::vector<std::string>{"snapshot", "verify", "snapshot"});
  const Json& failed = result.at("runs").at(0);
  CHECK(failed.at("ok") == false);
  CHECK(failed.at("code") == "not_found");
  CHECK(failed.at("error") == "The destination is not there.");
  CHECK(failed.at("schedule") == "nightly");
  CHECK(failed.at("started_at") == "2026-11-23T14:00:00Z");
  CHECK(result.at("runs").at(2).at("bytes").get<int>() > 0);
  CHECK_FALSE(result.contains("next_cursor"));
  CHECK_THAT(house.last_text, Catch::Contains("not_found  nightly"));
}

TEST_CASE("A list of runs fits the terminal") {
  ToolHouse house;
  live_a_little(house);
  Json result = house.good("list_runs", Json::object());
  for (Json& run : result.at("runs")) run["source"] = "~/code/app/.orchestrator/project.db";
  result.at("runs").at(0).erase("error");  // a sentence, which the shell folds
  std::istringstream lines(tools::list_runs_text(result, 60));
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(line.size() <= 60);
  }
}

TEST_CASE("list_runs chooses by database, kind, schedule and failure") {
  ToolHouse house;
  live_a_little(house);
  const auto count = [&](const Json& arguments) {
    return house.good("list_runs", arguments).at("runs").size();
  };
  CHECK(count({{"source", core::text_of(house.global)}}) == 3);
  CHECK(count({{"source", "~/other.db"}}) == 0);
  CHECK(count({{"kind", "verify"}}) == 1);
  CHECK(count({{"name", "nightly"}}) == 1);
  CHECK(count({{"failed", true}}) == 1);
  CHECK(count({{"failed", true}, {"kind", "verify"}}) == 0);
}

TEST_CASE("list_runs goes on page by page, and no run is told twice when others come meanwhile") {
  ToolHouse house;
  live_a_little(house);
  const Json first = house.good("list_runs", {{"limit", 2}});
  CHECK(first.at("runs").size() == 2);
  house.good("verify_snapshot", {{"destination", "~/Backups"}});
  const Json second = house.good("list_runs", {{"limit", 2}, {"cursor", first.at("next_cursor")}});
  CHECK(kinds_of(second) == std::vector<std::string>{"snapshot"});
  CHECK_FALSE(second.contains("next_cursor"));
  CHECK_THAT(house.refused("list_runs", {{"cursor", "newest"}}),
             Catch::StartsWith("invalid_argument: "));
}

TEST_CASE("list_runs marks runs that found nothing changed, or that the database had shrunk") {
  ToolHouse house;
  core::RunRecord run;
  run.kind = core::kSnapshotRun;
  run.source = core::text_of(house.global);
  run.snapshot = "/x.db";
  run.ok = true;
  REQUIRE(core::record_run(run, house.world));
  run.bytes = 4096;
  run.warnings = {core::Warning("It has lost most of its rows.", core::WarningKind::shrunk)};
  REQUIRE(core::record_run(run, house.world));
  const Json runs = house.good("list_runs", Json::object()).at("runs");
  CHECK(runs.at(0).at("shrunk") == true);
  CHECK_FALSE(runs.at(0).contains("unchanged"));
  CHECK(runs.at(0).at("warnings") == Json::array({"It has lost most of its rows."}));
  CHECK(runs.at(1).at("unchanged") == true);
}

TEST_CASE("list_runs tells a server that is limited to folders of nothing outside them") {
  ToolHouse house({"home/.claude", "home/Backups"});
  live_a_little(house);
  const Json result = house.good("list_runs", Json::object());
  CHECK(kinds_of(result) == std::vector<std::string>{"verify", "snapshot"});
  CHECK_THAT(house.refused("list_runs", {{"source", "/etc/x.db"}}),
             Catch::StartsWith("permission_denied: "));
}

TEST_CASE("list_runs is empty where nothing has happened, and leaves no history behind") {
  ToolHouse house;
  CHECK(house.good("list_runs", Json::object()).at("runs").empty());
  CHECK(house.last_text == "No runs.\n");
  CHECK_FALSE(fs::exists(house.places.state / "history.db"));
}
