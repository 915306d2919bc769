// Calls our tools as a client would, in a world under the test's control.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "server/cli/shell_speech.h"
#include "server/jsonrpc/schema_check.h"
#include "server/mcp/tool.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/test_database.h"
#include "tools/base/next_step.h"
#include "tools/tools.h"

namespace test {

using server::Json;

// A call with answers prepared in advance; remembers what was reported.
class FakeCall final : public server::CallContext, public core::ProgressSink {
 public:
  server::ClientAbilities client;
  std::map<std::string, Json, std::less<>> answers;
  std::stop_source stopping;
  std::vector<std::string> phases;  // one per report

  core::ProgressSink& progress() override { return *this; }
  std::stop_token stop() const override { return stopping.get_token(); }
  const server::ClientAbilities& abilities() const override { return client; }
  const Json* answer(std::string_view key) const override {
    const auto found = answers.find(key);
    return found == answers.end() ? nullptr : &found->second;
  }
  const std::string& state() const override { return state_; }
  void log(server::LogLevel, const Json&, std::string_view) override {}
  void report(std::uint64_t, std::uint64_t, const std::string& phase) override {
    phases.push_back(phase);
  }

 private:
  std::string state_;
};

// All tools over one temporary home. `allowed` are folders below it, none: no limit.
struct ToolHouse : FakeEnv {
  explicit ToolHouse(const std::vector<std::string>& allowed = {}, bool calls = false) {
    server::ServerLimits limits{{}, calls};
    for (const auto& name : allowed) limits.allowed.push_back(*this / name);
    folders_ = limits.allowed;
    tools = tools::all_tools(world, limits);
    definition_.tools = tools;
    definition_.step_of = tools::step_of;
  }

  // The orchestrator's global database, where it lies by default.
  fs::path global = *this / "home/.claude/orchestrator/global.db";
  fs::path backups = *this / "home/Backups";

  // A database with notes, its folders made.
  fs::path make_database(const fs::path& path, int notes = 20) {
    fs::create_directories(path.parent_path());
    DatabaseOptions options;
    options.notes = notes;
    make_notes_database(path, options);
    return path;
  }
  // The usual beginning: a global database and a place for its snapshots.
  void furnish() {
    make_database(global);
    fs::create_directories(backups);
  }

  core::Env world = env();
  const std::vector<fs::path>& folders() const { return folders_; }
  std::vector<fs::path> folders_{};
  server::ServerDefinition definition_;
  std::vector<server::Tool> tools;
  FakeCall context;
  // Of who reads the results: a model. What a tool makes of them for people is for a shell.
  server::Speech speech = server::speech_for_model(tools::step_of);

  const server::Tool& tool(std::string_view name) const {
    for (const auto& candidate : tools) {
      if (candidate.name() == name) return candidate;
    }
    throw std::runtime_error("no tool " + std::string(name));
  }

  // The arguments must fit the inputSchema, as the registry would have seen to.
  server::CallOutcome outcome(std::string_view name, const Json& arguments) {
    const auto& called = tool(name);
    const server::SchemaCheck input(called.entry.json().at("inputSchema"));
    const auto problem = input.problem(arguments, "argument");
    INFO(name << " " << arguments.dump() << ": " << problem.value_or(""));
    REQUIRE_FALSE(problem.has_value());
    return server::spoken(called.handler(arguments, context), speech);
  }

  // A good result: its structured content, which must fit the outputSchema and have a text for
  // people.
  Json good(std::string_view name, const Json& arguments) {
    auto ending = outcome(name, arguments);
    REQUIRE(std::holds_alternative<server::ToolResult>(ending));
    const auto& result = std::get<server::ToolResult>(ending);
    INFO(result.content.dump());
    REQUIRE_FALSE(result.is_error);
    REQUIRE(result.structured.has_value());
    const auto& called = tool(name);
    const server::SchemaCheck output(called.entry.json().at("outputSchema"));
    REQUIRE(output.problem(*result.structured, "result").value_or("") == "");
    REQUIRE(called.to_text);
    const auto in_shell = server::speech_for_shell(definition_, "backup-plugin-db");
    last_text = in_shell(called.to_text(*result.structured));
    return *result.structured;
  }

  // A refusal: its text, which must name a code and the next step.
  std::string refused(std::string_view name, const Json& arguments) {
    auto ending = outcome(name, arguments);
    REQUIRE(std::holds_alternative<server::ToolResult>(ending));
    const auto& result = std::get<server::ToolResult>(ending);
    INFO(result.content.dump());
    REQUIRE(result.is_error);
    REQUIRE_FALSE(result.structured.has_value());
    return result.content.at(0).at("text").get<std::string>();
  }

  // The one question that the call ends with.
  server::InputRequest asked(std::string_view name, const Json& arguments) {
    context.client.form_elicitation = true;
    auto ending = outcome(name, arguments);
    REQUIRE(std::holds_alternative<server::InputRequired>(ending));
    const auto& requests = std::get<server::InputRequired>(ending).requests;
    REQUIRE(requests.size() == 1);
    return requests.front();
  }

  // The answer of a user who fills in the form.
  void answer(const std::string& key, const Json& content) {
    context.answers[key] = {{"action", "accept"}, {"content", content}};
  }

  std::string last_text;  // of the last good call, for people
};

}  // namespace test
