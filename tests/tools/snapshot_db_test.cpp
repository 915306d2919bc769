#include "core/base/paths.h"
#include "tests/tools/tool_house.h"
#include "tools/snapshot_resources.h"

namespace fs = core::fs;
using server::Json;
using test::ToolHouse;

TEST_CASE("snapshot_db takes the global database where no source is given") {
  ToolHouse house;
  house.furnish();
  const Json result = house.good("snapshot_db", {{"destination", "~/Backups"}});
  const auto path = house.backups / "testhost/global-2026-11-23.db";
  CHECK(result.at("snapshot") == core::text_of(path));
  CHECK(result.at("source") == core::text_of(house.global));
  CHECK(result.at("verdict") == "verified");
  CHECK(result.at("rows").at("notes") == 20);
  CHECK(result.at("replaced") == false);
  CHECK(result.at("warnings").empty());
  CHECK(test::query_integer(path, "SELECT count(*) FROM notes") == 20);
  CHECK(house.last_text.starts_with("Wrote " + core::text_of(path)));
  const auto changed = house.tool("snapshot_db").changed_resources(result);
  CHECK(changed == std::vector<std::string>{
                       tools::snapshot_uri(core::text_of(path)),
                       tools::snapshot_uri(core::text_of(path) + ".manifest.json"),
                       "backup://snapshots/-/global/2026-11-23",
                   });
  CHECK_FALSE(house.context.phases.empty());
}

TEST_CASE("snapshot_db finds its destination in the environment") {
  ToolHouse house;
  house.furnish();
  house.places.variables["CLAUDE_ORCHESTRATOR_BACKUP_ROOT"] = core::text_of(house.backups);
  const Json result = house.good("snapshot_db", Json::object());
  CHECK(result.at("snapshot").get<std::string>().starts_with(core::text_of(house.backups)));
}

TEST_CASE("A plugin's setting names the destination where the environment does not") {
  ToolHouse house;
  house.furnish();
  const fs::path second = house / "home/Second";
  fs::create_directories(second);
  house.places.variables["CLAUDE_ORCHESTRATOR_BACKUP_ROOT"] = "";
  house.places.variables["BACKUP_PLUGIN_DB_DESTINATION"] = core::text_of(house.backups);
  const auto taken_in = [&](const fs::path& folder) {
    const Json result = house.good("snapshot_db", Json::object());
    return result.at("snapshot").get<std::string>().starts_with(core::text_of(folder));
  };
  CHECK(taken_in(house.backups));
  house.places.variables["CLAUDE_ORCHESTRATOR_BACKUP_ROOT"] = core::text_of(second);
  CHECK(taken_in(second));
  house.places.variables["CLAUDE_ORCHESTRATOR_BACKUP_ROOT"] = "";
  house.places.variables["BACKUP_PLUGIN_DB_DESTINATION"] = "";  // a setting that nobody made
  CHECK(house.asked("snapshot_db", Json::object()).key == "destination");
}

TEST_CASE("snapshot_db asks for a destination, and uses the answer") {
  ToolHouse house;
  house.furnish();
  const auto question = house.asked("snapshot_db", Json::object());
  CHECK(question.key == "destination");
  CHECK(question.method == "elicitation/create");
  house.answer("destination", {{"destination", "~/Backups"}});
  house.good("snapshot_db", Json::object());
  CHECK(fs::exists(house.backups / "testhost/global-2026-11-23.db"));
}

TEST_CASE("snapshot_db does nothing when the user declines to name a destination") {
  ToolHouse house;
  house.furnish();
  house.context.client.form_elicitation = true;
  house.context.answers["destination"] = {{"action", "decline"}};
  CHECK_THAT(house.refused("snapshot_db", Json::object()), Catch::StartsWith("cancelled: "));
  CHECK(test::names_in(house.backups).empty());
}

TEST_CASE("Where nobody can be asked, snapshot_db names the missing argument") {
  ToolHouse house;
  house.furnish();
  CHECK_THAT(house.refused("snapshot_db", Json::object()), Catch::Contains("destination"));
}

TEST_CASE("snapshot_db tells subscribers of what its retention removed") {
  ToolHouse house;
  house.furnish();
  house.good("snapshot_db", {{"destination", "~/Backups"}, {"date", "2026-11-20"}});
  const Json result = house.good(
      "snapshot_db", {{"destination", "~/Backups"}, {"keep_last", 1}, {"confirm", true}});
  REQUIRE(result.at("expired").size() == 1);
  const auto changed = house.tool("snapshot_db").changed_resources(result);
  const auto gone = result.at("expired").at(0).at("path").get<std::string>();
  CHECK(std::count(changed.begin(), changed.end(), tools::snapshot_uri(gone)) == 1);
  CHECK(changed.size() == 5);
}

TEST_CASE("snapshot_db with dry_run writes nothing") {
  ToolHouse house;
  house.furnish();
  const Json result = house.good("snapshot_db", {{"destination", "~/Backups"}, {"dry_run", true}});
  CHECK(result.at("dry_run") == true);
  CHECK(test::names_in(house.backups).empty());
  CHECK(house.last_text.starts_with("Would write "));
  CHECK(house.tool("snapshot_db").changed_resources(result).empty());
}

TEST_CASE("snapshot_db keeps databases of one name apart by label, and proposes one") {
  ToolHouse house;
  house.furnish();
  const auto first = house.make_database(house / "home/code/app/.orchestrator/project.db");
  const auto second = house.make_database(house / "home/code/shop/.orchestrator/project.db");
  house.good("snapshot_db", {{"source", core::text_of(first)}, {"destination", "~/Backups"}});
  const auto text = house.refused(
      "snapshot_db", {{"source", core::text_of(second)}, {"destination", "~/Backups"}});
  CHECK_THAT(text, Catch::StartsWith("conflict: "));
  CHECK_THAT(text, Catch::Contains("label"));
  const Json result = house.good(
      "snapshot_db",
      {{"source", core::text_of(second)}, {"destination", "~/Backups"}, {"label", "shop"}});
  CHECK(result.at("snapshot") ==
        core::text_of(house.backups / "testhost/shop/project-2026-11-23.db"));
}

TEST_CASE("snapshot_db replaces the snapshot of the same day and lets old ones go by the rules") {
  ToolHouse house;
  house.furnish();
  for (const char* date : {"2026-11-20", "2026-11-21", "2026-11-23"}) {
    house.good("snapshot_db", {{"destination", "~/Backups"}, {"date", date}});
  }
  const Json result = house.good(
      "snapshot_db", {{"destination", "~/Backups"}, {"keep_last", 2}, {"confirm", true}});
  CHECK(result.at("replaced") == true);
  REQUIRE(result.at("expired").size() == 1);
  const auto gone = result.at("expired").at(0);
  CHECK(gone.at("path") == core::text_of(house.backups / "testhost/global-2026-11-20.db"));
  CHECK_FALSE(gone.at("reason").get<std::string>().empty());
  CHECK_FALSE(fs::exists(gone.at("path").get<std::string>()));
  CHECK(result.at("kept") == 2);
  CHECK_THAT(house.last_text, Catch::Contains("Removed " + gone.at("path").get<std::string>()));
}

TEST_CASE("snapshot_db refuses a day that does not exist, and says how a day is written") {
  ToolHouse house;
  house.furnish();
  for (const char* date : {"2026-02-30", "2026-2-3", "today", ""}) {
    CHECK_THAT(house.refused("snapshot_db", {{"destination", "~/Backups"}, {"date", date}}),
               Catch::StartsWith("invalid_argument: ") && Catch::Contains(date) &&
                   Catch::Contains("YYYY-MM-DD"));
  }
  CHECK_FALSE(fs::exists(house.backups / "testhost"));
}

TEST_CASE("snapshot_db says what is wrong with a source, and creates nothing") {
  ToolHouse house;
  house.furnish();
  fs::create_directories(house / "home/files");
  test::write_file(house / "home/files/empty.db", "");
  test::write_file(house / "home/files/text.db", std::string(5000, 'x'));
  const auto refused = [&](const std::string& source) {
    return house.refused("snapshot_db", {{"source", source}, {"destination", "~/Backups"}});
  };
  CHECK_THAT(refused("~/files/missing.db"),
             Catch::StartsWith("not_found: ") && Catch::Contains("restore_snapshot"));
  CHECK_THAT(refused("~/files/empty.db"),
             Catch::StartsWith("not_a_database: ") && Catch::Contains("restore_snapshot"));
  const Json nowhere{{"source", "~/files/missing.db"}, {"destination", "~/nowhere"}};
  CHECK_THAT(house.refused("snapshot_db", nowhere), !Catch::Contains("restore_snapshot"));
  CHECK_THAT(refused("~/files/text.db"), Catch::StartsWith("not_a_database: "));
  CHECK_THAT(refused("~"), Catch::Contains("Next step: "));
  CHECK_THAT(refused("~/line\nbreak.db"), Catch::StartsWith("invalid_argument: "));
  CHECK(test::names_in(house.backups).empty());
  CHECK_FALSE(fs::exists(house / "home/files/missing.db"));
}

TEST_CASE("snapshot_db refuses paths outside the allowed folders") {
  ToolHouse house({"home/.claude", "home/Backups"});
  house.furnish();
  house.make_database(house / "elsewhere/other.db");
  fs::create_directories(house / "outside");
  const auto refused = [&](const Json& arguments) {
    const auto text = house.refused("snapshot_db", arguments);
    CHECK_THAT(text, Catch::StartsWith("permission_denied: "));
    CHECK_THAT(text, Catch::Contains("--allow"));
  };
  refused({{"source", core::text_of(house / "elsewhere/other.db")}, {"destination", "~/Backups"}});
  refused({{"destination", core::text_of(house / "outside")}});
  refused({{"destination", "~/Backups/../../outside"}});
  CHECK(test::names_in(house / "outside").empty());
  house.places.variables["CLAUDE_ORCHESTRATOR_BACKUP_ROOT"] = core::text_of(house / "outside");
  refused(Json::object());
  house.good("snapshot_db", {{"destination", "~/Backups"}});
}

TEST_CASE("snapshot_db follows no link below an allowed destination") {
  ToolHouse house({"home/.claude", "home/Backups"});
  house.furnish();
  const fs::path outside = house / "outside";
  fs::create_directories(outside);
  fs::create_directory_symlink(outside, house.backups / "host");
  CHECK_THAT(house.refused("snapshot_db", {{"destination", "~/Backups"}, {"hostname", "host"}}),
             Catch::StartsWith("conflict: "));
  CHECK_THAT(house.refused("snapshot_db", {{"destination", "~/Backups/host"}}),
             Catch::StartsWith("permission_denied: ") && Catch::Contains("--allow"));
  CHECK(test::names_in(outside).empty());
  // A source behind a link is resolved once, and allowed where it really lies.
  fs::rename(house / "home/.claude/orchestrator", house / "home/.claude/dotfiles");
  fs::create_directory_symlink("dotfiles", house / "home/.claude/orchestrator");
  house.good("snapshot_db", {{"destination", "~/Backups"}});
}

TEST_CASE("A stopped snapshot_db is cancelled and leaves nothing") {
  ToolHouse house;
  house.furnish();
  house.context.stopping.request_stop();
  CHECK_THAT(house.refused("snapshot_db", {{"destination", "~/Backups"}}),
             Catch::StartsWith("cancelled: "));
  for (const auto& entry : fs::recursive_directory_iterator(house.backups)) {
    CHECK_FALSE(entry.is_regular_file());
  }
}

TEST_CASE("snapshot_db removes by new keep rules only what was listed and agreed to") {
  ToolHouse house;
  house.furnish();
  for (const char* date : {"2026-11-20", "2026-11-21", "2026-11-22"}) {
    house.good("snapshot_db", {{"destination", "~/Backups"}, {"date", date}});
  }
  const auto names = [&] { return test::names_in(house.backups / "testhost"); };
  const auto before = names();
  Json call{{"destination", "~/Backups"}, {"keep_last", 2}};
  const auto refused = house.refused("snapshot_db", call);
  CHECK_THAT(refused, Catch::StartsWith("needs_confirmation: ") &&
                          Catch::Contains("global-2026-11-20.db") &&
                          Catch::Contains("global-2026-11-21.db") && Catch::Contains("confirm"));
  CHECK(refused.find("global-2026-11-22.db") == std::string::npos);
  CHECK(names() == before);  // nor was a snapshot taken

  house.context.client.form_elicitation = true;
  house.context.answers["confirm"] = {{"action", "accept"}, {"content", {{"confirm", false}}}};
  CHECK_THAT(house.refused("snapshot_db", call), Catch::StartsWith("cancelled: "));
  CHECK(names() == before);
  house.context.answers["confirm"] = {{"action", "accept"}, {"content", {{"confirm", true}}}};
  CHECK(house.good("snapshot_db", call).at("expired").size() == 2);

  // From now on these rules are known here: what they let go night by night is no question.
  house.context.client.form_elicitation = false;
  house.context.answers.clear();
  house.clock.advance(std::chrono::hours(24));
  CHECK(house.good("snapshot_db", call).at("expired").size() == 1);
  call["keep_last"] = 1;
  CHECK_THAT(house.refused("snapshot_db", call), Catch::StartsWith("needs_confirmation: "));
}
