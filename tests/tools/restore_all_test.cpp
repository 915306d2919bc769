#include "core/base/json.h"
#include "core/base/paths.h"
#include "tests/tools/schedule_house.h"

namespace fs = core::fs;
using server::Json;
using test::ScheduleHouse;
using test::ToolHouse;

namespace {

// Below the home; one with blanks, one with umlauts.
const std::vector<std::string> kProjects{"code/my-app", "code/A long name", "Büro/Übung"};
constexpr const char* kSecret = "https://hc.example/secret";

fs::path project_in(const ToolHouse& house, const std::string& project) {
  return house / "home" / fs::path(project) / ".orchestrator/project.db";
}

// A machine with the global database and three projects', each with its schedule.
struct OldMachine : ScheduleHouse {
  OldMachine() {
    install({{"name", "global"}, {"ping_url", kSecret}, {"on_failure", "tell secretly"}});
    int notes = 30;
    for (const auto& project : kProjects) {
      const auto source = make_database(project_in(*this, project), notes += 5);
      install({{"source", core::text_of(source)},
               {"label", "p" + std::to_string(notes)},
               {"name", "p" + std::to_string(notes)},
               {"time", "05:30"},
               {"keep_daily", 14}});
    }
  }
};

// Another one, with nothing but the destination.
struct NewMachine : ToolHouse {
  explicit NewMachine(const ScheduleHouse& old, const std::vector<std::string>& allowed = {})
      : ToolHouse(allowed) {
    fs::copy(old.backups, backups, fs::copy_options::recursive);
    clock.advance(std::chrono::hours(24));
  }
  Json restore_all(Json more = Json::object()) {
    more["destination"] = core::text_of(backups);
    return good("restore_all", more);
  }
};

}  // namespace

TEST_CASE("Two calls bring everything home to a new machine, and its schedules are offered") {
  const OldMachine old;
  NewMachine house(old);
  const Json status = house.good("backup_status", {{"destination", "~/Backups"}});
  CHECK(status.at("lacking").size() == 4);
  CHECK(status.at("warnings").dump().find("restore_all {") != std::string::npos);
  CHECK(house.last_text.find("Not on this machine:") != std::string::npos);

  const Json result = house.restore_all({{"confirm", true}});
  CHECK(result.at("restored") == 4);
  CHECK(result.at("warnings").empty());
  CHECK(test::notes_in(house.global) == 20);
  int notes = 30;
  for (const auto& project : kProjects)
    CHECK(test::notes_in(project_in(house, project)) == (notes += 5));

  REQUIRE(result.at("schedules").size() == 4);
  test::FakeSchedulers schedulers("linux", &house);
  for (const auto& offer : result.at("schedules")) {
    const auto call = offer.at("install").get<std::string>();
    REQUIRE(call.starts_with("install_schedule {"));
    Json arguments = core::json_of(call.substr(call.find('{')));
    arguments["scheduler"] = "cron";
    for (auto& argument : arguments) {  // as the registry reads them
      if (argument == "14") argument = 14;
    }
    house.good("install_schedule", arguments);
  }
  const Json list = house.good("list_schedules", Json::object());
  CHECK(list.at("schedules").size() == 4);
  CHECK(list.dump().find("05:30") != std::string::npos);
  CHECK(house.restore_all().at("schedules").empty());
}

TEST_CASE(
    "A schedule is offered under its old label, but not among the other machine's snapshots") {
  const OldMachine old;
  NewMachine house(old);
  const auto label = [&] {
    const auto call = house.restore_all({{"dry_run", true}}).at("schedules").at(1).at("install");
    const auto text = call.get<std::string>();
    return core::json_of(text.substr(text.find('{'))).at("label");
  };
  CHECK(label() == "my-app");  // the same host name, another home
  house.places.host = "another";
  CHECK(label() == "p35");
}

TEST_CASE("discover_databases lists what a destination holds that this machine lacks") {
  const OldMachine old;
  NewMachine house(old);
  CHECK(house.good("discover_databases", {{"destination", "~/Backups"}}).at("lacking").size() == 4);
  const fs::path project = core::path_of("Übung/.orchestrator/project.db");
  CHECK(house.last_text.find(core::text_of(project)) != std::string::npos);
  house.restore_all({{"confirm", true}});
  CHECK(house.good("discover_databases", {{"destination", "~/Backups"}}).at("lacking").empty());
}

TEST_CASE("Nothing is written, and no folder made, before a yes") {
  const OldMachine old;
  NewMachine house(old);
  const Json preview = house.restore_all({{"dry_run", true}});
  CHECK(preview.at("databases").size() == 4);
  CHECK(preview.at("restored") == 0);
  CHECK(house.last_text.find("Would make the folder ") != std::string::npos);
  const auto refused = house.refused("restore_all", {{"destination", "~/Backups"}});
  CHECK(refused.starts_with("needs_confirmation"));
  CHECK(refused.find("project.db") != std::string::npos);
  CHECK_FALSE(fs::exists(house / "home/code"));
  CHECK_FALSE(fs::exists(house.global));

  CHECK(house.asked("restore_all", {{"destination", "~/Backups"}}).key == "confirm");
  house.answer("confirm", {{"confirm", false}});
  CHECK(house.refused("restore_all", {{"destination", "~/Backups"}}).starts_with("cancelled"));
  CHECK_FALSE(fs::exists(house.global));
  house.answer("confirm", {{"confirm", true}});
  CHECK(house.good("restore_all", {{"destination", "~/Backups"}}).at("restored") == 4);
}

TEST_CASE("A database with a row is left alone, one without is replaced and kept") {
  const OldMachine old;
  NewMachine house(old);
  house.make_database(house.global, 3);
  const auto empty = project_in(house, kProjects[0]);
  fs::create_directories(empty.parent_path());
  test::run_sql(empty, "CREATE TABLE notes (id TEXT PRIMARY KEY)");
  const Json result = house.restore_all({{"confirm", true}});
  CHECK(result.at("restored") == 3);
  REQUIRE(result.at("left").size() == 1);
  CHECK(result.at("left").at(0).at("why").get<std::string>().find("rows. restore_snapshot {") !=
        std::string::npos);
  CHECK(test::notes_in(house.global) == 3);
  CHECK(test::notes_in(empty) == 35);
}

TEST_CASE("What a destination keeps of schedules holds no secrets") {
  const OldMachine old;
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(old.backups)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const auto text = test::read_file(entry.path());
    CHECK(text.find("hc.example") == std::string::npos);
    CHECK(text.find("secretly") == std::string::npos);
    CHECK(text.find("\"time\": \"05:30\"") != std::string::npos);
  }
  CHECK(files == 1);
}

TEST_CASE("A schedule that is removed is not kept in the destination any more") {
  OldMachine old;
  for (const char* name : {"global", "p35", "p40"}) {
    old.good("remove_schedule", {{"name", name}, {"confirm", true}});
  }
  CHECK(NewMachine(old).restore_all({{"dry_run", true}}).at("schedules").size() == 1);
  old.good("remove_schedule", {{"name", "p45"}, {"confirm", true}});
  CHECK(NewMachine(old).restore_all({{"dry_run", true}}).at("schedules").empty());
}

TEST_CASE("Without schedules in the destination the old home is told by the databases' paths") {
  const OldMachine old;
  NewMachine house(old);
  for (const auto& entry : fs::directory_iterator(house.backups)) {
    if (entry.is_regular_file()) fs::remove(entry.path());
  }
  CHECK(house.restore_all({{"confirm", true}}).at("restored") == 4);
  CHECK(fs::exists(project_in(house, kProjects[2])));
}

TEST_CASE("A database in a folder whose name begins with an x comes home as any other") {
  OldMachine old;
  const auto source = old.make_database(old / "home/xavier/x.db", 7);
  old.good("snapshot_db",
           {{"source", core::text_of(source)}, {"destination", core::text_of(old.backups)}});
  NewMachine house(old);
  CHECK(house.restore_all({{"confirm", true}}).at("restored") == 5);
  CHECK(test::notes_in(house / "home/xavier/x.db") == 7);
}

TEST_CASE("What did not lie below the home is named, with the call that restores it by itself") {
  OldMachine old;
  const auto outside = old.make_database(old / "srv/shared.db");
  old.good("snapshot_db",
           {{"source", core::text_of(outside)}, {"destination", core::text_of(old.backups)}});
  const Json result = NewMachine(old).restore_all({{"confirm", true}});
  CHECK(result.at("restored") == 4);
  REQUIRE(result.at("left").size() == 1);
  CHECK(result.at("left").at(0).at("why").get<std::string>().find("below its user's home") !=
        std::string::npos);
}

TEST_CASE("A link that leads out of the home is not followed") {
  const OldMachine old;
  NewMachine house(old);
  fs::create_directories(house / "elsewhere");
  fs::create_directory_symlink(house / "elsewhere", house / "home/code");
  const Json result = house.restore_all({{"confirm", true}});
  CHECK(result.at("restored") == 2);
  CHECK(result.at("left").size() == 2);
  CHECK(fs::is_empty(house / "elsewhere"));
}

TEST_CASE("A damaged snapshot is told before the yes, and keeps no other from coming home") {
  const OldMachine old;
  NewMachine house(old);
  for (const auto& entry : fs::recursive_directory_iterator(house.backups)) {
    if (core::text_of(entry.path().filename()).starts_with("global-") &&
        entry.path().extension() == ".db") {
      auto text = test::read_file(entry.path());
      text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
      test::write_file(entry.path(), text);
    }
  }
  CHECK(house.restore_all({{"dry_run", true}}).dump().find("failed its check") !=
        std::string::npos);
  const Json result = house.restore_all({{"confirm", true}});
  CHECK(result.at("restored") == 3);
  CHECK_FALSE(fs::exists(house / "home/.claude"));
}

TEST_CASE("Where several machines share the destination, whose databases come home is asked") {
  OldMachine old;
  old.good("snapshot_db", {{"source", core::text_of(old.global)},
                           {"destination", core::text_of(old.backups)},
                           {"hostname", "desktop"}});
  NewMachine house(old);
  for (const auto& entry : fs::recursive_directory_iterator(house.backups / "desktop")) {
    if (!core::text_of(entry.path()).ends_with(".manifest.json")) continue;
    Json manifest = core::json_of(test::read_file(entry.path()));
    manifest["machine"] = std::string(32, 'a');
    test::write_file(entry.path(), manifest.dump());
  }
  CHECK(house.refused("restore_all", {{"destination", "~/Backups"}, {"confirm", true}})
            .find("desktop, testhost") != std::string::npos);
  CHECK(house.restore_all({{"hostname", "desktop"}, {"confirm", true}}).at("restored") == 1);
}

TEST_CASE("A server limited to folders brings home only what belongs in them") {
  const OldMachine old;
  NewMachine house(old, {"home/Backups", "home/code"});
  const Json result = house.restore_all({{"confirm", true}});
  CHECK(result.at("restored") == 2);
  CHECK_FALSE(fs::exists(house.global));
}

TEST_CASE("A folder's schedule is offered on a new machine, with its further file names") {
  ScheduleHouse old;
  old.make_database(old / "home/code/app/.orchestrator/project.db");
  old.install({{"folder", "~/code"}, {"pattern", {"*.sqlite", "a b.db"}}});
  NewMachine house(old);
  const auto offers = house.restore_all({{"dry_run", true}}).at("schedules");
  REQUIRE(offers.size() == 1);
  const auto call = offers.at(0).at("install").get<std::string>();
  CHECK(call.find(R"("pattern": ["*.sqlite","a b.db"])") != std::string::npos);
}

TEST_CASE("A folder's schedule that is offered works beside the other machine's snapshots") {
  ScheduleHouse old;
  const std::string_view database = "home/code/app/.orchestrator/project.db";
  old.make_database(old / database);
  old.install({{"folder", "~/code"}});
  NewMachine house(old);  // of the same name, with another home
  const auto offers = house.restore_all({{"confirm", true}}).at("schedules");
  REQUIRE(offers.size() == 1);
  const auto call = offers.at(0).at("install").get<std::string>();
  test::FakeSchedulers schedulers("linux", &house);
  Json arguments = core::json_of(call.substr(call.find('{')));
  arguments["scheduler"] = "cron";
  const Json done = house.good("install_schedule", arguments).at("run").at("databases");
  REQUIRE(done.size() == 1);
  CHECK_FALSE(done.at(0).contains("error"));
  const Json listed = house.good("list_snapshots", {{"destination", "~/Backups"}}).at("snapshots");
  REQUIRE(listed.size() == 2);
  CHECK(listed.at(0).at("label").get<std::string>().starts_with("app-"));
  CHECK(listed.at(1).at("label") == "app");
}

TEST_CASE(
    "Where nobody knows the old home, restore_all says that nothing came home, and what to do") {
  ScheduleHouse old;
  const std::string_view database = "home/code/app/.orchestrator/project.db";
  const auto source = old.make_database(old / database, 7);
  old.good("snapshot_db",
           {{"source", core::text_of(source)}, {"destination", core::text_of(old.backups)}});
  NewMachine house(old);
  for (const bool dry_run : {true, false}) {
    const Json result = house.restore_all({{"dry_run", dry_run}, {"confirm", !dry_run}});
    CHECK(result.at("restored") == 0);
    REQUIRE(result.at("left").size() == 1);
    CHECK(result.at("left").at(0).at("home_unknown") == true);
    const auto why = result.at("left").at(0).at("why").get<std::string>();
    INFO(why);
    CHECK(why.find("is not known: give old_home, which is ") != std::string::npos);
    CHECK(why.find(core::text_of(fs::canonical(old / "home/code/app"))) != std::string::npos);
    REQUIRE(result.at("warnings").size() == 1);
    CHECK(house.tool("restore_all").bad_news(result) == core::ErrorCode::not_found);
  }
  const Json told = house.restore_all(
      {{"confirm", true}, {"old_home", core::text_of(fs::canonical(old / "home"))}});
  CHECK(told.at("restored") == 1);
  CHECK(test::notes_in(house / database) == 7);
  const Json again = house.restore_all(
      {{"confirm", true}, {"old_home", core::text_of(fs::canonical(old / "home"))}});
  CHECK(again.at("left").at(0).contains("target"));
  CHECK_FALSE(house.tool("restore_all").bad_news(again));
}

TEST_CASE(
    "What a destination keeps of schedules lies in one file, also from before the first run") {
  ScheduleHouse house;
  const auto files = [&] {
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(house.backups)) {
      if (entry.is_regular_file()) all.push_back(entry.path());
    }
    return all;
  };
  house.install({{"name", "global"}, {"run_now", false}});
  REQUIRE(files().size() == 1);
  house.good("run_schedule", {{"name", "global"}});
  REQUIRE(files().size() == 1);

  // As an earlier version left it, and one of another user of that host name.
  Json kept = core::json_of(test::read_file(files().front()));
  REQUIRE_FALSE(kept.at("machine").get<std::string>().empty());
  const fs::path without_id = house.backups / "schedules-testhost.json";
  kept["machine"] = "";
  test::write_file(without_id, kept.dump());
  house.good("run_schedule", {{"name", "global"}});
  CHECK_FALSE(fs::exists(without_id));
  test::write_file(without_id, kept.dump());
  house.good("remove_schedule", {{"name", "global"}, {"confirm", true}});
  CHECK(files().empty());
  kept["home"] = "/home/another";
  test::write_file(without_id, kept.dump());
  house.install({{"name", "global"}});
  CHECK(files().size() == 2);
}
