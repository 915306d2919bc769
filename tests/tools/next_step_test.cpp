// What core tells people to do next, as tools that there are and arguments that they take.
#include "tools/base/next_step.h"

#include <set>

#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/catalog/history.h"
#include "server/cli/shell_speech.h"
#include "support/paths.h"
#include "tests/tools/tool_house.h"

using core::Action;
using server::Json;

TEST_CASE("Every action of core's is a tool of its own") {
  test::ToolHouse house;
  std::set<std::string> names;
  for (int action = 0; action <= static_cast<int>(Action::bring_home); ++action) {
    const auto step = tools::step_of({std::string(to_string(static_cast<Action>(action)))});
    INFO(step.tool);
    CHECK(house.tool(step.tool).name() == step.tool);
    CHECK(names.insert(step.tool).second);
  }
  // A tool that no text of core's speaks of needs no action.
  CHECK(names.size() <= house.tools.size());
}

TEST_CASE("A restore's parameters are arguments of the tool") {
  test::ToolHouse house;
  const auto step = tools::step_of({std::string(to_string(Action::restore)),
                                    {{"snapshot", "/x"},
                                     {"target", "/y"},
                                     {"in_place", true},
                                     {"confirmed", true},
                                     {"reindex", true},
                                     {"accept_damage", true}}});
  const auto& input = house.tool(step.tool).entry.at("inputSchema");
  CHECK(server::SchemaCheck(input).problem(step.arguments, "argument").value_or("") == "");
}

TEST_CASE("The status names the command that brings a database back, at a shell") {
  test::ToolHouse house;
  house.backups = house / "home/My Backups";
  house.furnish();
  const Json taken = house.good("snapshot_db", {{"destination", core::text_of(house.backups)}});
  const std::string snapshot = taken.at("snapshot").get<std::string>();
  core::fs::remove(house.global);
  const std::string told =
      "restore_snapshot {\"snapshot\": \"" + test::in_json(snapshot) + "\", \"in_place\": true}";
  house.good("backup_status", Json::object());
  CHECK_THAT(house.last_text, Catch::Contains("bring it back: " + told));

  const auto definition = tools::define_server(house.world, {});
  house.speech = server::speech_for_shell(definition, "backup-plugin-db");
  const std::string command = "bring it back: `backup-plugin-db restore --snapshot " +
                              core::shell_word(snapshot) + " --in-place`.";
  house.good("backup_status", Json::object());
  CHECK_THAT(house.last_text, Catch::Contains(command) && !Catch::Contains("restore_snapshot"));
  house.good("backup_status", {{"brief", true}});
  CHECK_THAT(house.last_text, Catch::Contains(command));
  house.good("list_schedules", Json::object());
  CHECK(house.last_text == "No schedules. `backup-plugin-db install-schedule` makes one.\n");
}

TEST_CASE("What the history keeps of a failed run is told in the words of who asks") {
  test::ToolHouse house;
  house.furnish();
  core::RunRecord run;
  run.kind = "snapshot";
  run.source = core::text_of(house.global);
  run.destination = core::text_of(house.backups);
  run.started_at = run.finished_at = house.clock.now();
  run.error_code = "damaged";
  run.error = "It is damaged. Use " + core::say(Action::restore) + ".";
  REQUIRE(core::record_run(run, house.world));
  const auto problems = [&house] {
    return house.good("backup_status", Json::object()).at("databases").at(0).at("problems").dump();
  };
  CHECK_THAT(problems(), Catch::Contains("failed: It is damaged. Use restore_snapshot."));
  const auto definition = tools::define_server(house.world, {});
  house.speech = server::speech_for_shell(definition, "program");
  CHECK_THAT(problems(), Catch::Contains("failed: It is damaged. Use `program restore`."));
}
