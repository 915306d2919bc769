#include "tests/tools/tool_house.h"

namespace fs = core::fs;
using server::Json;
using test::ToolHouse;

namespace {

void take_days(ToolHouse& house) {
  house.furnish();
  for (const char* date : {"2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"}) {
    house.good("snapshot_db", {{"destination", "~/Backups"}, {"date", date}});
  }
}

std::vector<std::string> paths_in(const Json& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) {
    names.push_back(fs::path(entry.at("path").get<std::string>()).filename().string());
    CHECK_FALSE(entry.at("reason").get<std::string>().empty());
  }
  return names;
}

}  // namespace

TEST_CASE("prune_snapshots only shows what would go, unless it is told otherwise") {
  ToolHouse house;
  take_days(house);
  const auto before = test::names_in(house.backups / "testhost");
  const Json shown =
      house.good("prune_snapshots", {{"destination", "~/Backups"}, {"keep_last", 2}});
  CHECK(shown.at("dry_run") == true);
  CHECK(paths_in(shown.at("expired")) ==
        std::vector<std::string>{"global-2026-11-21.db", "global-2026-11-20.db"});
  CHECK(paths_in(shown.at("kept")) ==
        std::vector<std::string>{"global-2026-11-23.db", "global-2026-11-22.db"});
  CHECK(shown.at("freed_bytes").get<int>() > 0);
  CHECK(test::names_in(house.backups / "testhost") == before);
  CHECK_THAT(house.last_text, Catch::Contains("would remove"));
  CHECK(house.last_text.ends_with("Add --no-dry-run to remove them.\n"));
  CHECK(house.tool("prune_snapshots").changed_resources(shown).empty());

  const Json done = house.good(
      "prune_snapshots", {{"destination", "~/Backups"}, {"keep_last", 2}, {"dry_run", false}});
  CHECK(done.at("expired") == shown.at("expired"));
  CHECK(done.at("freed_bytes") == shown.at("freed_bytes"));
  CHECK_FALSE(fs::exists(house.backups / "testhost/global-2026-11-21.db"));
  CHECK_FALSE(fs::exists(house.backups / "testhost/global-2026-11-21.db.manifest.json"));
  CHECK(fs::exists(house.backups / "testhost/global-2026-11-22.db"));
  CHECK(house.tool("prune_snapshots").changed_resources(done).size() == 4);
}

TEST_CASE("A number of days beyond all counting keeps everything") {
  ToolHouse house;
  take_days(house);
  for (const auto days : {2'147'483'647LL, 4'294'967'297LL, 9'223'372'036'854'775'807LL}) {
    const Json shown =
        house.good("prune_snapshots", {{"destination", "~/Backups"}, {"retain_days", days}});
    CHECK(shown.at("expired").empty());
  }
}

TEST_CASE("prune_snapshots without a rule refuses and names the rules") {
  ToolHouse house;
  take_days(house);
  const auto text =
      house.refused("prune_snapshots", {{"destination", "~/Backups"}, {"dry_run", false}});
  CHECK_THAT(text, Catch::StartsWith("invalid_argument: "));
  CHECK_THAT(text, Catch::Contains("keep_daily"));
}

TEST_CASE("prune_snapshots leaves other sources, other hosts and unreadable manifests alone") {
  ToolHouse house;
  take_days(house);
  house.make_database(house / "home/code/app/.orchestrator/project.db");
  for (const char* date : {"2026-11-20", "2026-11-23"}) {
    house.good("snapshot_db", {{"source", "~/code/app/.orchestrator/project.db"},
                               {"destination", "~/Backups"},
                               {"label", "app"},
                               {"date", date}});
    house.good("snapshot_db",
               {{"destination", "~/Backups"}, {"hostname", "laptop"}, {"date", date}});
  }
  test::write_file(house.backups / "testhost/global-2026-11-20.db.manifest.json", "{");
  const Json done = house.good(
      "prune_snapshots", {{"destination", "~/Backups"}, {"keep_last", 1}, {"dry_run", false}});
  CHECK(paths_in(done.at("expired")) ==
        std::vector<std::string>{"global-2026-11-22.db", "global-2026-11-21.db"});
  CHECK(fs::exists(house.backups / "testhost/global-2026-11-20.db"));
  CHECK(fs::exists(house.backups / "testhost/app/project-2026-11-20.db"));
  CHECK(fs::exists(house.backups / "laptop/global-2026-11-20.db"));
}

TEST_CASE("prune_snapshots leaves what another machine put into a flat destination alone") {
  ToolHouse house;
  house.furnish();
  for (const char* date : {"2026-11-20", "2026-11-21", "2026-11-22"}) {
    house.good(
        "snapshot_db",
        {{"destination", "~/Backups"}, {"flat", true}, {"hostname", "laptop"}, {"date", date}});
  }
  CHECK_THAT(house.refused("prune_snapshots", {{"destination", "~/Backups"}, {"keep_last", 1}}),
             Catch::StartsWith("not_found: "));
  const Json shown = house.good(
      "prune_snapshots", {{"destination", "~/Backups"}, {"hostname", "laptop"}, {"keep_last", 1}});
  CHECK(shown.at("expired").size() == 2);
}

TEST_CASE("prune_snapshots works for a database that is gone, and for another machine's") {
  ToolHouse house;
  house.furnish();
  for (const char* date : {"2026-11-20", "2026-11-23"}) {
    house.good("snapshot_db",
               {{"destination", "~/Backups"}, {"hostname", "laptop"}, {"date", date}});
  }
  fs::remove(house.global);
  CHECK_THAT(house.refused("prune_snapshots", {{"destination", "~/Backups"}, {"keep_last", 1}}),
             Catch::StartsWith("not_found: "));
  const Json shown = house.good(
      "prune_snapshots", {{"destination", "~/Backups"}, {"hostname", "laptop"}, {"keep_last", 1}});
  CHECK(shown.at("expired").size() == 1);
}

TEST_CASE("prune_snapshots warns when the newest snapshot has lost most of its rows") {
  ToolHouse house;
  take_days(house);
  for (const char* table : {"links", "notes", "ledger_in", "ledger_out"}) {
    test::run_sql(house.global, std::string("DELETE FROM ") + table);
  }
  house.clock.advance(std::chrono::hours{24});
  house.good("snapshot_db", {{"destination", "~/Backups"}});
  const Json shown =
      house.good("prune_snapshots", {{"destination", "~/Backups"}, {"keep_last", 1}});
  CHECK(shown.at("warnings").size() == 1);
}

TEST_CASE("prune_snapshots touches nothing outside the allowed folders") {
  ToolHouse house({"home/.claude"});
  fs::create_directories(house.backups);
  CHECK_THAT(house.refused("prune_snapshots", {{"destination", "~/Backups"}, {"keep_last", 1}}),
             Catch::StartsWith("permission_denied: "));
}
