// What a shell fills in: the rows that a newcomer types, and what no guess may do.
#include "tools/shell/shell_words.h"

#include <set>

#include "core/base/json.h"
#include "core/catalog/destinations.h"
#include "server/cli/tool_command.h"
#include "support/paths.h"
#include "tests/tools/schedule_house.h"
#include "tools/schema.h"
#include "tools/shell/fill_in.h"

using server::Json;

namespace {

// A house in which people type.
struct ShellHouse : test::ScheduleHouse {
  ShellHouse() { stand(*this / "home"); }

  void stand(const test::fs::path& here) {
    test::fs::create_directories(here);
    places.current_folder = here;
  }
  test::fs::path make_project(const std::string& name) {
    const auto database = *this / ("home/code/" + name + "/.orchestrator/project.db");
    make_database(database, 7);
    stand(*this / ("home/code/" + name + "/src"));
    return database;
  }
  std::string snapshot(const Json& arguments) {
    return good("snapshot_db", arguments).at("snapshot").get<std::string>();
  }

  // The words after the program's name, as far as the tool's arguments.
  server::Filling typed(std::vector<std::string> words) {
    const auto knowledge = tools::shell_knowledge(world);
    const std::string said = words.front();
    const auto verb = knowledge.synonyms.commands.find(said);
    words.erase(words.begin());
    for (const auto& candidate : tools) {
      if (server::verb_of(candidate) !=
          (verb == knowledge.synonyms.commands.end() ? said : verb->second)) {
        continue;
      }
      called = candidate.name();
      const auto parsed = server::parse_tool_words(candidate, words, knowledge.synonyms);
      INFO(said << ": " << (parsed ? std::string() : parsed.error().message));
      REQUIRE(parsed);
      return knowledge.fill_in(called, parsed->arguments);
    }
    throw std::runtime_error("no command " + said);
  }
  server::Filled filled(const std::vector<std::string>& words) {
    auto filling = typed(words);
    if (const auto* error = std::get_if<core::Error>(&filling)) INFO(error->message);
    REQUIRE(std::holds_alternative<server::Filled>(filling));
    return std::get<server::Filled>(filling);
  }
  server::Choice choice(const std::vector<std::string>& words) {
    auto filling = typed(words);
    REQUIRE(std::holds_alternative<server::Choice>(filling));
    return std::get<server::Choice>(filling);
  }
  // The call that was typed, made.
  Json done(const std::vector<std::string>& words) {
    const auto arguments = filled(words).arguments;
    return good(called, arguments);
  }

  std::string called;  // the tool of the last command
};

std::string told(const server::Filled& filled) {
  std::string text;
  for (const auto& sentence : filled.told) text += sentence + "\n";
  return text;
}

}  // namespace

TEST_CASE("A backup without a word goes where the schedule keeps its snapshots, and says so") {
  ShellHouse house;
  house.install({{"label", "main"}});
  const auto filled = house.filled({"backup"});
  CHECK(filled.arguments == Json{{"destination", core::text_of(house.backups)}, {"label", "main"}});
  CHECK_THAT(told(filled), Catch::Contains("Destination: " + core::text_of(house.backups) +
                                           ", as schedule global has it"));
  CHECK_THAT(house.done({"backup"}).at("snapshot").get<std::string>(),
             Catch::Contains(core::text_of("/main/global-")));
}

TEST_CASE("What is given is not filled in, and a known destination beats no variable") {
  ShellHouse house;
  house.install();
  CHECK(house.filled({"backup", "--dest", "/elsewhere"}).arguments ==
        Json{{"destination", "/elsewhere"}});
  CHECK(house.filled({"backup", "-d", "/elsewhere"}).told.empty());
  house.places.variables["CLAUDE_ORCHESTRATOR_BACKUP_ROOT"] = "/variable";
  CHECK(house.filled({"backup"}).arguments == Json::object());
}

TEST_CASE("Plain words are what a command is about") {
  ShellHouse house;
  house.install();
  CHECK(house.filled({"ls"}).arguments == Json{{"destination", core::text_of(house.backups)}});
  CHECK(house.done({"list", "~/Backups"}).at("total") == 1);
  CHECK(house.done({"run-schedule", "global"}).at("verdict") == "verified");
  CHECK(house.done({"run-schedule"}).at("name") == "global");
  CHECK(house.filled({"discover", "~/code", "~/work"}).arguments ==
        Json{{"folder", {"~/code", "~/work"}}});
  CHECK(house.done({"backup", "~/Backups"}).at("source") == core::text_of(house.global));
}

TEST_CASE("A snapshot inside a project is of the project's database, and says so") {
  ShellHouse house;
  house.install();
  const auto database = house.make_project("app");
  const auto filled = house.filled({"snapshot"});
  CHECK(filled.arguments.at("source") == core::text_of(database));
  CHECK_THAT(told(filled), Catch::Contains("Database: " + core::text_of(database) +
                                           ", that of the project you are in"));
  CHECK(house.done({"snapshot"}).at("source") == core::text_of(database));
  house.stand(house / "home");
  CHECK_FALSE(house.filled({"snapshot"}).arguments.contains("source"));
}

TEST_CASE("The home is no project, whatever lies in it") {
  ShellHouse house;
  house.install();
  house.make_database(house / "home/.orchestrator/project.db");
  house.stand(house / "home/texts");
  CHECK_FALSE(house.filled({"snapshot"}).arguments.contains("source"));
}

TEST_CASE("A restore without a target asks for a new file or the database's own place") {
  ShellHouse house;
  house.install();
  auto asked = house.choice({"restore", "latest"});
  CHECK(asked.question == "Where to?");
  REQUIRE(asked.options.size() == 2);
  const auto target = house / "home/global-restored.db";
  CHECK(asked.options[0].arguments == Json{{"target", core::text_of(target)}});
  CHECK(asked.options[1].arguments == Json{{"in_place", true}});
  CHECK(house.done({"restore", "latest", "mine.db"}).at("target") ==
        core::text_of(house / "home/mine.db"));
  // A name that is taken is none for a new file.
  test::write_file(target, "");
  asked = house.choice({"restore"});
  CHECK(asked.options[0].arguments.at("target") ==
        core::text_of(house / "home/global-restored-2.db"));
}

TEST_CASE("A preview of a restore needs no target: it changes nothing") {
  ShellHouse house;
  house.install();
  const auto preview = house.done({"restore", "latest", "-n"});
  CHECK(preview.at("in_place") == true);
  CHECK(preview.at("dry_run") == true);
}

TEST_CASE("A day means its snapshot, of the database that is meant where several have one") {
  ShellHouse house;
  house.install();
  const auto app = house.make_project("app");
  const std::string path =
      house.snapshot({{"source", core::text_of(app)}, {"destination", "~/Backups"}});
  const auto other = house.make_project("other");
  house.snapshot(
      {{"source", core::text_of(other)}, {"destination", "~/Backups"}, {"label", "other"}});
  house.stand(house / "home/code/app");
  const auto filled = house.filled({"restore", "2026-11-23", "new.db"});
  CHECK(filled.arguments.at("snapshot") == path);
  CHECK_THAT(told(filled), Catch::Contains(core::text_of(app)));
  CHECK(house.filled({"restore", "today", "new.db"}).arguments.at("snapshot") == path);
  const auto yesterday = house.typed({"restore", "yesterday", "new.db"});
  REQUIRE(std::holds_alternative<core::Error>(yesterday));
  CHECK_THAT(std::get<core::Error>(yesterday).message,
             Catch::Contains("'yesterday' is no file here"));
  // Outside of a project the global database is meant.
  house.stand(house / "home");
  CHECK_THAT(house.filled({"verify", "2026-11-23"}).arguments.at("snapshot").get<std::string>(),
             Catch::Contains("global-2026-11-23.db"));
}

TEST_CASE("A day with a snapshot for each hour means its last, and an hour can be named") {
  ShellHouse house;
  house.install({{"every", "hour"}});  // at noon: of 11:07
  house.clock.advance(std::chrono::minutes(70));
  test::run_sql(house.global, "DELETE FROM links");
  house.good("run_schedule", {{"name", "global"}});
  house.stand(house / "home");
  const auto snapshot_of = [&](const char* word) {
    return test::slashed(house.filled({"verify", word}).arguments.at("snapshot"));
  };
  CHECK_THAT(snapshot_of("2026-11-23"), Catch::EndsWith("/global-2026-11-23T1307.db"));
  CHECK_THAT(snapshot_of("2026-11-23T1107"), Catch::EndsWith("/global-2026-11-23T1107.db"));
  CHECK_THAT(snapshot_of("global-2026-11-23T1107.db"), Catch::EndsWith("T1107.db"));
  CHECK_THAT(
      told(house.filled({"verify", "today"})),
      Catch::Contains("The last of that day, of 2 snapshots (2026-11-23T1107 names the first)"));
  const auto offers = tools::shell_knowledge(house.world).offers;
  CHECK(offers("snapshots") == std::vector<std::string>{"latest", "2026-11-23", "2026-11-23T1307",
                                                        "2026-11-23T1107", "global"});
  // A snapshot by hand is of the day, and then the last one.
  house.clock.advance(std::chrono::minutes(1));
  house.snapshot({{"destination", "~/Backups"}});
  CHECK_THAT(snapshot_of("2026-11-23"), Catch::EndsWith("/global-2026-11-23.db"));
}

TEST_CASE("A snapshot is found by when it was taken, as a listing shows it") {
  ShellHouse house;
  house.install({{"every", "hour"}});  // of 11:07, taken at noon
  house.stand(house / "home");
  const auto snapshot_of = [&](const char* word) {
    return test::slashed(house.filled({"verify", word}).arguments.at("snapshot"));
  };
  CHECK_THAT(snapshot_of("2026-11-23 12:00"), Catch::EndsWith("/global-2026-11-23T1107.db"));
  CHECK_THAT(snapshot_of("2026-11-23 11:07"), Catch::EndsWith("/global-2026-11-23T1107.db"));
  CHECK(std::holds_alternative<core::Error>(house.typed({"verify", "2026-11-23 12:01"})));
  CHECK(std::holds_alternative<core::Error>(house.typed({"verify", "2026-11-23 25:00"})));
  // Of 23:07, made up after midnight.
  house.clock.advance(std::chrono::minutes(12 * 60 + 3));
  test::run_sql(house.global, "DELETE FROM links");
  house.good("run_schedule", {{"name", "global"}});
  CHECK_THAT(snapshot_of("2026-11-24"), Catch::EndsWith("/global-2026-11-23T2307.db"));
  CHECK_THAT(snapshot_of("2026-11-24 00:03"), Catch::EndsWith("/global-2026-11-23T2307.db"));
  CHECK_THAT(snapshot_of("2026-11-23"), Catch::EndsWith("/global-2026-11-23T2307.db"));
}

TEST_CASE("A drill takes the words that a restore takes, and alone it is of every schedule") {
  ShellHouse house;
  house.install();
  CHECK(house.filled({"restore", "--drill"}).arguments == Json{{"drill", true}});
  for (const char* word : {"latest", "2026-11-23", "today", "global"}) {
    INFO(word);
    const Json drills = house.done({"restore", word, "--drill"}).at("drills");
    REQUIRE(drills.size() == 1);
    CHECK_THAT(test::slashed(drills.at(0).at("snapshot")),
               Catch::EndsWith("/global-2026-11-23.db"));
  }
  CHECK(house.done({"restore", "--drill", "--source", core::text_of(house.global)})
            .at("drills")
            .size() == 1);
}

TEST_CASE("Where a day fits several databases and none is meant, the person chooses") {
  ShellHouse house;
  const auto app = house.make_project("app");
  house.snapshot({{"source", core::text_of(app)}, {"destination", "~/Backups"}});
  const auto other = house.make_project("other");
  house.snapshot(
      {{"source", core::text_of(other)}, {"destination", "~/Backups"}, {"label", "other"}});
  house.stand(house / "home");
  const auto asked = house.choice({"verify", "2026-11-23"});
  CHECK(asked.options.size() == 2);
  for (const auto& option : asked.options) CHECK(option.arguments.contains("snapshot"));
}

TEST_CASE("A name means a schedule's latest snapshot, a file of a destination, a stem or a label") {
  ShellHouse house;
  house.install();
  const auto app = house.make_project("app");
  const std::string path = house.snapshot(
      {{"source", core::text_of(app)}, {"destination", "~/Backups"}, {"label", "app"}});
  CHECK(house.filled({"restore", "global", "new.db"}).arguments.at("source") ==
        core::text_of(house.global));
  for (const char* name : {"app", "project", "project-2026-11-23.db"}) {
    INFO(name);
    CHECK(house.filled({"verify", name}).arguments.at("snapshot") == path);
  }
  CHECK(std::holds_alternative<core::Error>(house.typed({"verify", "nothing"})));
}

TEST_CASE("A file that is there is that file, whatever its name would mean else") {
  ShellHouse house;
  house.install();
  test::write_file(house / "home/global", "");
  CHECK(house.filled({"verify", "global"}).arguments == Json{{"snapshot", "global"}});
}

TEST_CASE("A yes counts only for what the command names: nothing is replaced by a guess") {
  ShellHouse house;
  house.install();
  const auto app = house.make_project("app");
  house.snapshot({{"source", core::text_of(app)}, {"destination", "~/Backups"}});
  const std::string destination = core::text_of(house.backups);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"restore", "latest", "--in-place", "--confirm"},
        {"restore", "2026-11-23", "--in-place", "-y"},
        {"restore", "latest", "--source", core::text_of(app), "--in-place", "--yes"},
        {"restore-rows", "--tables", "notes", "--confirm"}}) {
    INFO(words[0] << " " << words[1]);
    const auto filled = house.filled(words);
    CHECK_FALSE(filled.arguments.contains("confirm"));
    CHECK_THAT(told(filled), Catch::Contains("counts only for what the command names"));
  }
  // Named, it counts.
  CHECK(house
            .filled({"restore", "latest", "--source", core::text_of(app), "-d", destination,
                     "--in-place", "--confirm"})
            .arguments.at("confirm") == true);
}

TEST_CASE("Where a yes did not count, the next step is the whole call that it would count for") {
  ShellHouse house;
  house.install();
  test::run_sql(house.global, "DELETE FROM notes");
  const auto filled = house.filled({"restore-rows", "--tables", "notes", "--confirm"});
  house.speech = server::speech_for_shell(house.definition_, "backup-plugin-db");
  const std::string refused = house.refused(house.called, filled.arguments);
  CHECK_THAT(refused,
             Catch::StartsWith("needs_confirmation: ") &&
                 Catch::Contains("`backup-plugin-db restore-rows --tables notes --destination ") &&
                 Catch::Contains(" --confirm`"));
}

TEST_CASE("Nothing is removed by a guess: that takes a name, or a choice") {
  ShellHouse house;
  house.install();
  CHECK(house.choice({"remove-schedule"}).options.size() == 1);
  CHECK(house.choice({"prune", "--keep", "3", "--no-dry-run"}).options.size() == 1);
  CHECK(house.filled({"prune", "--keep", "3"}).arguments ==
        Json{{"keep_last", 3}, {"destination", core::text_of(house.backups)}});
}

TEST_CASE("A schedule that is there keeps its settings, and a new one goes where the others go") {
  ShellHouse house;
  house.install();
  CHECK(house.filled({"install-schedule", "--name", "global", "--time", "05:00"}).arguments ==
        Json{{"name", "global"}, {"time", "05:00"}});
  CHECK(house.filled({"install-schedule", "--time", "05:00"}).arguments == Json{{"time", "05:00"}});
  // A slip is not filled in: the tool tells that no schedule has this name.
  CHECK(house.filled({"install-schedule", "--name", "globl"}).arguments == Json{{"name", "globl"}});
  const auto app = house.make_project("app");
  CHECK(house.filled({"schedule"}).arguments ==
        Json{{"source", core::text_of(app)}, {"destination", core::text_of(house.backups)}});
}

TEST_CASE("With several destinations or schedules the person chooses") {
  ShellHouse house;
  house.install();
  const auto app = house.make_project("app");
  test::fs::create_directories(house / "home/More");
  house.install({{"source", core::text_of(app)}, {"destination", "~/More"}});
  CHECK(house.choice({"ls"}).options.size() == 2);
  CHECK(house.choice({"run-schedule"}).options.size() == 2);
  // Of a database that has one schedule there is nothing to choose.
  CHECK(house.filled({"restore", "latest", "x.db"}).arguments.at("destination") ==
        core::text_of(house / "home/More"));
}

TEST_CASE("Every synonym means a command or flag that there is, and hides none") {
  ShellHouse house;
  const auto knowledge = tools::shell_knowledge(house.world);
  std::set<std::string> verbs = {"serve",     "call",      "generate", "run",
                                 "self-test", "--version", "--help"};
  std::set<std::string> flags;
  for (const auto& tool : house.tools) {
    verbs.insert(server::verb_of(tool));
    for (const auto& option : server::page_of(tool, "x").options) flags.insert(option.flag);
  }
  for (const auto& [said, meant] : knowledge.synonyms.commands) {
    INFO(said);
    CHECK(verbs.count(meant) == 1);
    CHECK(verbs.count(said) == 0);
  }
  for (const auto& [said, meant] : knowledge.synonyms.flags) {
    INFO(said);
    CHECK(flags.count(meant) == 1);
  }
}

TEST_CASE("Every command has an example that is read as meant, and every flag words for people") {
  ShellHouse house;
  const auto knowledge = tools::shell_knowledge(house.world);
  const std::string variable = "$" + std::string(core::kDestinationVariable);
  for (const auto& tool : house.tools) {
    INFO(tool.name());
    const auto words = knowledge.words(tool.name());
    CHECK_FALSE(words.help.empty());
    CHECK_FALSE(words.examples.empty());
    for (const auto& option : server::page_of(tool, "x", knowledge).options) {
      INFO(option.flag);
      CHECK_FALSE(option.help.empty());
      const auto help = server::replace_word(option.help, variable, "");
      CHECK(help.find('_') == std::string::npos);
    }
  }
}

TEST_CASE("What is said of a tool's arguments is of arguments that it has") {
  test::ToolHouse house;
  const Json people = core::json_of(tools::schema_of("people"));
  for (const auto& [name, words] : people.items()) {
    if (name == "arguments" || name == "program") continue;
    INFO(name);
    const auto& properties = house.tool(name).entry.json().at("inputSchema").at("properties");
    const Json arguments = words.value("arguments", Json::object());
    for (const auto& [argument, text] : arguments.items()) {
      INFO(argument);
      CHECK(properties.contains(argument));
    }
  }
}

TEST_CASE("A project's label means its latest snapshot, and a folder's schedule no database") {
  ShellHouse house;
  house.make_project("app");
  house.stand(house / "home");
  house.install({{"folder", "~/code"}, {"name", "nightly"}});
  const auto filled = house.filled({"verify", "app"});
  CHECK_THAT(test::slashed(filled.arguments.at("snapshot")), Catch::Contains("/app/project-"));
  const auto of_schedule = house.typed({"verify", "nightly"});
  REQUIRE(std::holds_alternative<core::Error>(of_schedule));
  CHECK(std::get<core::Error>(of_schedule).code == core::ErrorCode::not_found);
}

TEST_CASE("Completions offer schedules, days and destinations") {
  ShellHouse house;
  const auto offers = tools::shell_knowledge(house.world).offers;
  CHECK(offers("schedules").empty());
  CHECK(offers("snapshots") == std::vector<std::string>{"latest"});
  house.install();
  CHECK(offers("schedules") == std::vector<std::string>{"global"});
  CHECK(offers("snapshots") == std::vector<std::string>{"latest", "2026-11-23", "global"});
  CHECK(offers("destinations") == std::vector<std::string>{core::text_of(house.backups)});
  CHECK(offers("other").empty());
}
