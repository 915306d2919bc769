#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "tests/tools/tool_house.h"
#include "tools/encode.h"

namespace fs = core::fs;
using server::Json;
using test::ToolHouse;

namespace {

std::vector<std::string> dates_of(const Json& result) {
  std::vector<std::string> dates;
  for (const auto& entry : result.at("snapshots")) dates.push_back(entry.at("date"));
  return dates;
}

// Three days of the global database, and one of a project.
void take_some(ToolHouse& house) {
  house.furnish();
  for (const char* date : {"2026-11-21", "2026-11-22", "2026-11-23"}) {
    house.good("snapshot_db", {{"destination", "~/Backups"}, {"date", date}});
  }
  house.make_database(house / "home/code/app/.orchestrator/project.db");
  house.good("snapshot_db", {{"source", "~/code/app/.orchestrator/project.db"},
                             {"destination", "~/Backups"},
                             {"label", "app"},
                             {"date", "2026-11-20"}});
}

}  // namespace

TEST_CASE("list_snapshots shows newest first, with source, age and verification") {
  ToolHouse house;
  take_some(house);
  house.clock.advance(std::chrono::hours{3});
  const Json result = house.good("list_snapshots", {{"destination", "~/Backups"}});
  CHECK(result.at("total") == 4);
  CHECK(dates_of(result) ==
        std::vector<std::string>{"2026-11-23", "2026-11-22", "2026-11-21", "2026-11-20"});
  const auto& first = result.at("snapshots").at(0);
  CHECK(first.at("source") == core::text_of(house.global));
  CHECK(first.at("verified") == "quick");
  CHECK(first.at("hostname") == "testhost");
  CHECK(first.at("age_hours") == Approx(3));
  CHECK(result.at("snapshots").at(3).at("label") == "app");
  CHECK(first.at("rows") == 81);
  CHECK_THAT(house.last_text, Catch::Contains("4 of 4 snapshots"));
  CHECK_THAT(house.last_text, Catch::Contains("2026-11-23 12:00Z  3 h  81  "));
}

TEST_CASE("list_snapshots names the newest snapshot from before a loss") {
  ToolHouse house;
  take_some(house);
  const Json arguments{{"destination", "~/Backups"}};
  CHECK_THAT(house.good("list_snapshots", arguments).dump(), !Catch::Contains("before_loss"));
  test::run_sql(house.global,
                "DELETE FROM links; DELETE FROM notes; DELETE FROM ledger_in; "
                "DELETE FROM ledger_out; DELETE FROM counter");
  house.clock.advance(std::chrono::hours{24});
  house.good("snapshot_db", {{"destination", "~/Backups"}, {"date", "2026-11-24"}});
  const Json result = house.good("list_snapshots", arguments);
  CHECK_FALSE(result.at("snapshots").at(0).contains("before_loss"));
  CHECK_THAT(result.at("snapshots").at(1).at("before_loss").get<std::string>(),
             Catch::EndsWith(", the latest one 0"));
  CHECK_FALSE(result.at("snapshots").at(2).contains("before_loss"));
  CHECK_THAT(house.last_text, Catch::Contains("The newest from before a loss: " +
                                              result.at("snapshots").at(1).value("path", "")));
}

TEST_CASE("list_snapshots filters by source, label, stem and day") {
  ToolHouse house;
  take_some(house);
  const auto total = [&](Json arguments) {
    arguments["destination"] = "~/Backups";
    return house.good("list_snapshots", arguments).at("total").get<int>();
  };
  CHECK(total({{"source", core::text_of(house.global)}}) == 3);
  CHECK(total({{"label", "app"}}) == 1);
  CHECK(total({{"stem", "global"}}) == 3);
  CHECK(total({{"from", "2026-11-21"}, {"to", "2026-11-22"}}) == 2);
  CHECK(total({{"hostname", "otherhost"}}) == 0);
}

TEST_CASE("list_snapshots knows the snapshots of a database that is gone") {
  ToolHouse house;
  take_some(house);
  fs::remove(house.global);
  const Json result =
      house.good("list_snapshots",
                 {{"destination", "~/Backups"}, {"source", "~/.claude/orchestrator/global.db"}});
  CHECK(result.at("total") == 3);
}

TEST_CASE("list_snapshots pages by cursor, and refuses a foreign one") {
  ToolHouse house;
  take_some(house);
  const Json first = house.good("list_snapshots", {{"destination", "~/Backups"}, {"limit", 3}});
  CHECK(first.at("snapshots").size() == 3);
  CHECK(first.at("total") == 4);
  CHECK_THAT(house.last_text, Catch::Contains("More: --cursor "));
  const Json second =
      house.good("list_snapshots",
                 {{"destination", "~/Backups"}, {"limit", 3}, {"cursor", first.at("next_cursor")}});
  CHECK(dates_of(second) == std::vector<std::string>{"2026-11-20"});
  CHECK_FALSE(second.contains("next_cursor"));
  CHECK_THAT(house.refused("list_snapshots", {{"destination", "~/Backups"}, {"cursor", "page 2"}}),
             Catch::StartsWith("invalid_argument: "));
}

TEST_CASE("list_snapshots marks what has no manifest or a broken one") {
  ToolHouse house;
  take_some(house);
  fs::remove(house.backups / "testhost/global-2026-11-23.db.manifest.json");
  test::write_file(house.backups / "testhost/global-2026-11-22.db.manifest.json", "{");
  const Json result = house.good("list_snapshots", {{"destination", "~/Backups"}});
  CHECK(result.at("snapshots").at(0).at("verified") == "no manifest");
  CHECK(result.at("snapshots").at(1).contains("problem"));
}

TEST_CASE("list_snapshots says that a destination is not there, and asks for one if it may") {
  ToolHouse house;
  CHECK_THAT(house.refused("list_snapshots", {{"destination", "~/Nowhere"}}),
             Catch::StartsWith("not_found: "));
  CHECK(house.asked("list_snapshots", Json::object()).key == "destination");
}

TEST_CASE("list_snapshots reads nothing outside the allowed folders") {
  ToolHouse house({"home/.claude"});
  fs::create_directories(house.backups);
  CHECK_THAT(house.refused("list_snapshots", {{"destination", "~/Backups"}}),
             Catch::StartsWith("permission_denied: "));
}

TEST_CASE("list_snapshots looks in all known destinations where none is given") {
  ToolHouse house;
  take_some(house);
  fs::create_directories(house / "home/usb");
  for (const char* date : {"2026-11-18", "2026-11-19"}) {
    house.good("snapshot_db", {{"destination", "~/usb"}, {"date", date}});
  }
  const Json all = house.good("list_snapshots", Json::object());
  CHECK(all.at("total") == 6);
  CHECK(all.at("snapshots").size() == 6);
  // The destination of the latest run is the first.
  CHECK(dates_of(all).front() == "2026-11-19");
  CHECK(house.good("list_snapshots", {{"source", core::text_of(house.global)}}).at("total") == 5);

  std::vector<std::string> paged;
  Json page = house.good("list_snapshots", {{"limit", 1}});
  for (int pages = 1; pages < 10; ++pages) {
    CHECK(page.at("total") == 6);
    paged.push_back(page.at("snapshots").at(0).at("path"));
    if (!page.contains("next_cursor")) break;
    page = house.good("list_snapshots", {{"limit", 1}, {"cursor", page.at("next_cursor")}});
  }
  std::vector<std::string> whole;
  for (const auto& entry : all.at("snapshots")) whole.push_back(entry.at("path"));
  CHECK(paged == whole);
  CHECK_THAT(house.refused("list_snapshots", {{"cursor", "9:"}}),
             Catch::StartsWith("invalid_argument: "));
}

TEST_CASE(
    "list_snapshots tells when the destination of the environment is not among those listed") {
  ToolHouse house;
  take_some(house);
  house.places.variables["CLAUDE_ORCHESTRATOR_BACKUP_ROOT"] = core::text_of(house / "usb");
  const Json result = house.good("list_snapshots", Json::object());
  CHECK(result.at("total") == 4);
  CHECK_THAT(house.last_text, Catch::Contains(core::text_of(house / "usb") +
                                              " is not there. What is listed lies in"));
  fs::create_directories(house / "usb");
  CHECK(house.good("list_snapshots", Json::object()).at("warnings").empty());
}

TEST_CASE("list_snapshots of all destinations keeps to the allowed folders") {
  ToolHouse house({"home/.claude", "home/Backups"});
  house.furnish();
  house.good("snapshot_db", {{"destination", "~/Backups"}});
  core::RunRecord elsewhere;
  elsewhere.kind = core::kSnapshotRun;
  elsewhere.destination = core::text_of(house / "home/usb");
  elsewhere.ok = true;
  fs::create_directories(house / "home/usb");
  REQUIRE(core::record_run(elsewhere, house.world));
  CHECK(house.good("list_snapshots", Json::object()).at("total") == 1);
}

TEST_CASE("list_snapshots marks what is kept for a reason of its own") {
  ToolHouse house;
  take_some(house);
  test::run_sql(house.global, "DELETE FROM links; DELETE FROM notes");
  house.good("snapshot_db", {{"destination", "~/Backups"}});  // in the place of one with all rows
  const Json result = house.good("list_snapshots", {{"destination", "~/Backups"}});
  std::size_t kept = 0;
  for (const auto& entry : result.at("snapshots")) {
    if (!entry.contains("kept")) continue;
    ++kept;
    CHECK(entry.at("kept") == "before loss");
    CHECK_THAT(entry.at("path").get<std::string>(), Catch::Contains("-before-loss-"));
  }
  CHECK(kept == 1);
}

TEST_CASE("list_snapshots is empty where there are none") {
  ToolHouse house;
  fs::create_directories(house.backups);
  const Json result = house.good("list_snapshots", {{"destination", "~/Backups"}});
  CHECK(result.at("snapshots").empty());
  CHECK(house.last_text == "No snapshots.\n");
}

TEST_CASE("A table that does not fit puts its last columns on lines of their own") {
  const std::vector<std::vector<std::string>> rows{{"TAKEN", "AGE", "NEXT RUN", "PATH"},
                                                   {"today", "3 h", "tomorrow", "~/a/b.db"},
                                                   {"yesterday", "30 h", "-", "~/a/c.db"}};
  CHECK(tools::format_table(rows, 80) == tools::format_table(rows));
  CHECK(tools::format_table(rows, 26) ==
        "TAKEN      AGE   NEXT RUN\n"
        "today      3 h   tomorrow\n"
        "    ~/a/b.db\n"
        "yesterday  30 h  -\n"
        "    ~/a/c.db\n");
  CHECK(tools::format_table(rows, 17) ==
        "TAKEN      AGE\n"
        "today      3 h\n"
        "    next run tomorrow\n"
        "    ~/a/b.db\n"
        "yesterday  30 h\n"
        "    ~/a/c.db\n");
  CHECK(tools::format_table(rows, 40) != tools::format_table(rows, 24));
}
