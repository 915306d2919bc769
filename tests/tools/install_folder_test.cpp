// install_schedule, run_schedule and list_schedules with a folder in place of a source.
#include <map>

#include "core/base/paths.h"
#include "support/paths.h"
#include "support/test_database.h"
#include "tests/tools/schedule_house.h"
#include "tools/list_schedules.h"

namespace fs = std::filesystem;
using server::Json;
using test::ScheduleHouse;

namespace {

struct CodeHouse : ScheduleHouse {
  explicit CodeHouse(const std::vector<std::string>& allowed = {}) : ScheduleHouse(allowed) {
    for (const char* project : {"app", "web site", "broken"}) add(project);
    test::write_file(database("broken"), std::string(8192, 'x'));
  }
  fs::path database(const std::string& project) const {
    return places.home / "code" / project / ".orchestrator/project.db";
  }
  void add(const std::string& project) {
    fs::create_directories(database(project).parent_path());
    test::make_notes_database(database(project));
  }
  Json install_folder(Json changes = Json::object()) {
    Json arguments{{"folder", "~/code"}};
    arguments.update(changes);
    return install(arguments);
  }
};

}  // namespace

TEST_CASE("install_schedule with a folder covers all databases below it in one call") {
  CodeHouse house;
  const Json result = house.install_folder();
  CHECK(result.at("name") == "code");
  CHECK(result.at("folder") == core::text_of(house.places.home / "code"));
  CHECK_FALSE(result.contains("source"));
  const Json& done = result.at("run").at("databases");
  REQUIRE(done.size() == 3);
  int failed = 0;
  for (const auto& entry : done) {
    if (!entry.contains("error")) CHECK(entry.at("verdict") == "verified");
    failed += entry.contains("error") ? 1 : 0;
  }
  CHECK(failed == 1);
  const std::string text = test::slashed(house.tool("install_schedule").to_text(result));
  INFO(text);
  CHECK(text.find("the databases below ") != std::string::npos);
  CHECK(text.find("2 of 3 databases backed up") != std::string::npos);
  CHECK(text.find("broken/.orchestrator/project.db failed: ") != std::string::npos);
  CHECK(house.tool("install_schedule").changed_resources(result).size() >= 6);
}

TEST_CASE("A preview of a folder's schedule shows each database with its label") {
  CodeHouse house;
  const Json result = house.install_folder({{"dry_run", true}});
  std::map<std::string, std::string> labels;
  for (const auto& entry : result.at("databases")) {
    labels[entry.at("source")] = entry.at("label");
  }
  REQUIRE(labels.size() == 3);
  CHECK(labels.at(fs::canonical(house.database("app")).string()) == "app");
  CHECK(labels.at(fs::canonical(house.database("web site")).string()).starts_with("web-site-"));
  CHECK_FALSE(fs::exists(house.places.config / "jobs/code.json"));
  const std::string text = house.tool("install_schedule").to_text(result);
  CHECK(text.find("web-site-") != std::string::npos);
}

TEST_CASE(
    "A folder that was moved is scheduled again, and the preview shows the labels that it gets") {
  CodeHouse house;
  house.install_folder();
  fs::rename(house.places.home / "code", house.places.home / "src");
  const Json moved{{"folder", "~/src"}, {"name", "code"}};
  Json preview = moved;
  preview["dry_run"] = true;
  std::vector<std::string> labels;
  const Json previewed = house.install_folder(preview);
  for (const auto& entry : previewed.at("databases")) {
    if (!entry.contains("error")) labels.push_back(entry.at("label"));
  }
  REQUIRE(labels.size() == 2);
  CHECK(labels[0].starts_with("app-"));
  CHECK(labels[0].size() == 10);
  CHECK(labels[1].starts_with("web-site-"));
  CHECK(labels[1].size() == 22);
  house.install_folder(moved);
  for (const auto& label : labels) {
    CHECK(house.good("list_snapshots", {{"destination", "~/Backups"}, {"label", label}})
              .at("snapshots")
              .size() == 1);
  }
}

TEST_CASE("run_schedule and list_schedules know the schedule of a folder") {
  CodeHouse house;
  house.install_folder();
  house.add("later");
  const Json run = house.good("run_schedule", {{"name", "code"}});
  CHECK(run.at("databases").size() == 4);
  const Json listed = house.good("list_schedules", Json::object()).at("schedules");
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].at("folder") == core::text_of(house.places.home / "code"));
  const std::string table = tools::list_schedules_text(
      Json{{"schedules", listed}, {"warnings", Json::array()}}, /*width=*/0);
  const std::string row = table.substr(table.find("\ncode ") + 1);
  CHECK_THAT(row.substr(0, row.find('\n')),
             Catch::Contains(core::text_of(house.places.home / "code") + " "));
  CHECK(house.tool("list_schedules")
            .to_text(Json{{"schedules", listed}, {"warnings", Json::array()}})
            .find(core::text_of(house.places.home / "code")) != std::string::npos);
}

TEST_CASE("A folder without a database is refused, and what could be meant is said") {
  CodeHouse house;
  fs::create_directories(house.places.home / "empty");
  const std::string refused =
      house.refused("install_schedule",
                    {{"folder", "~/empty"}, {"destination", "~/Backups"}, {"scheduler", "cron"}});
  CHECK(refused.find("not_found: ") == 0);
  CHECK(refused.find("no database below") != std::string::npos);
  CHECK_FALSE(fs::exists(house.places.config / "jobs/empty.json"));
}

TEST_CASE("A folder and a source in one call are refused, and so is a label for many databases") {
  CodeHouse house;
  for (const Json& more :
       {Json{{"source", "~/code/app/.orchestrator/project.db"}}, Json{{"label", "mine"}}}) {
    Json arguments{{"folder", "~/code"}, {"destination", "~/Backups"}, {"scheduler", "cron"}};
    arguments.update(more);
    CHECK(house.refused("install_schedule", arguments).find("invalid_argument: ") == 0);
  }
  CHECK(house.refused("install_schedule", {{"global", true}, {"destination", "~/Backups"}})
            .find("invalid_argument: ") == 0);
}

TEST_CASE("install_schedule tells of a database that a folder's schedule covers a second time") {
  CodeHouse house;
  house.install({{"source", "~/code/app/.orchestrator/project.db"}});
  const Json result = house.install_folder();
  const std::string warnings = result.at("warnings").dump();
  CHECK(warnings.find("has a schedule of its own, 'app-project'") != std::string::npos);
}

TEST_CASE(
    "A folder's new keep rules remove nothing that nobody has seen, of any of its databases") {
  CodeHouse house;
  fs::remove_all(house.places.home / "code/broken");
  for (int day = 0; day < 3; ++day) {
    house.install_folder();
    house.clock.advance(std::chrono::hours(24));
  }
  const Json arguments{{"name", "code"}, {"keep_last", 1}};
  const std::string refused = test::slashed(house.refused("install_schedule", arguments));
  CHECK(refused.find("needs_confirmation: ") == 0);
  CHECK(refused.find("/app/") != std::string::npos);
  CHECK(refused.find("/web-site-") != std::string::npos);
  Json agreed = arguments;
  agreed["confirm"] = true;
  CHECK(house.good("install_schedule", agreed).at("expired").size() >= 4);
}

TEST_CASE("A server limited to folders installs no schedule of what lies outside them") {
  CodeHouse house({"home/code", "home/Backups"});
  Json arguments{{"folder", "~"}, {"destination", "~/Backups"}, {"scheduler", "cron"}};
  CHECK(house.refused("install_schedule", arguments).find("permission_denied: ") == 0);
  arguments["folder"] = "~/code";
  arguments["global"] = true;
  CHECK(house.refused("install_schedule", arguments).find("permission_denied: ") == 0);
  arguments.erase("global");
  CHECK(house.good("install_schedule", arguments).at("run").at("databases").size() == 3);
}
