// Texts that name calls, for a model and for a shell.
#include "server/cli/shell_speech.h"

#include "core/base/shell_word.h"
#include "server/mcp/tool_registry.h"
#include "support/catch.h"

using core::Action;
using core::say;
using core::say_parameter;
using core::shell_word;
using server::Json;

namespace {

server::ServerDefinition definition() {
  server::ServerDefinition made;
  server::Tool tool = server::make_tool(
      R"({"name": "put_back", "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}},
          "required": ["path"]}})",
      [](const Json& arguments, server::CallContext&) -> server::ToolOutcome<Json> {
        const std::string path = arguments.at("path").get<std::string>();
        if (path == "missing") {
          return core::Error{core::ErrorCode::not_found, "busy: it is missing.",
                             "Use " + say(Action::restore) + "."};
        }
        if (path == "asked") return server::NeedsInput{"in_place", "How?", Json::object()};
        return Json{{"problems",
                     {"Do " + say(Action::restore, {{"path", path}, {"in_place", true}}) + "."}}};
      });
  tool.verb = "back";
  made.tools.push_back(std::move(tool));
  made.step_of = [](const core::Call& call) {
    server::NextStep step = server::same_names(call);
    if (call.action == to_string(Action::restore)) step.tool = "put_back";
    return step;
  };
  return made;
}

std::string in_shell(const std::string& text) {
  const auto made = definition();
  return server::speech_for_shell(made, "program")(text);
}

std::string to_model(const std::string& text) {
  return server::speech_for_model(definition().step_of)(text);
}

// Nobody can be asked.
class SilentCall final : public server::CallContext, public core::ProgressSink {
 public:
  core::ProgressSink& progress() override { return *this; }
  std::stop_token stop() const override { return {}; }
  const server::ClientAbilities& abilities() const override { return abilities_; }
  const Json* answer(std::string_view) const override { return nullptr; }
  const std::string& state() const override { return state_; }
  void log(server::LogLevel, const Json&, std::string_view) override {}
  void report(std::uint64_t, std::uint64_t, const std::string&) override {}

 private:
  server::ClientAbilities abilities_;
  std::string state_;
};

server::ToolResult result_of(const server::ServerDefinition& made, const Json& arguments,
                             const server::Speech& speech) {
  SilentCall context;
  server::ToolRegistry registry(made, false, speech);
  return std::get<server::ToolResult>(registry.call(made.tools.front(), {arguments, {}}, context));
}

}  // namespace

TEST_CASE("A shell reads a call as a command with its values quoted as it needs them") {
  CHECK(in_shell("Do " +
                 say(Action::restore,
                     {{"snapshot", "/a b/it's $(x).db"}, {"in_place", true}, {"dry_run", false}}) +
                 ".") == "Do `program back --snapshot " + shell_word("/a b/it's $(x).db") +
                             " --in-place --no-dry-run`.");
  CHECK(in_shell(say(Action::restore, {{"label", "--x"}})) == "`program back --label=--x`");
  CHECK(in_shell(say(Action::restore, {{"label", ""}})) ==
        "`program back --label " + shell_word("") + "`");
  CHECK(in_shell(say(Action::restore)) == "`program back`");
}

TEST_CASE("A model reads a call as a tool and its arguments") {
  CHECK(to_model(say(Action::restore, {{"snapshot", "/a \"b\".db"}, {"in_place", true}})) ==
        R"(put_back {"snapshot": "/a \"b\".db", "in_place": true})");
  CHECK(to_model(say(Action::restore)) == "put_back");
}

TEST_CASE("Arguments alone are flags in a shell, and bear their names for a model") {
  const std::string text = say_parameter("dry_run") + ", " + say_parameter("target") + ", " +
                           say_parameter("confirm", true) + ", " + say_parameter("flat", false);
  CHECK(in_shell(text) == "--dry-run, --target, --confirm, --no-flat");
  CHECK(to_model(text) == "dry_run, 'target', confirm: true, flat: false");
}

TEST_CASE("Each text of a result is in its reader's words, structured content and its text alike") {
  const auto made = definition();
  const Json arguments{{"path", "/a b"}};
  const auto read = result_of(made, arguments, server::speech_for_shell(made, "program"));
  const std::string command = "Do `program back --path " + shell_word("/a b") + " --in-place`.";
  CHECK(read.structured->at("problems").at(0) == command);
  CHECK(core::json_of(read.content.at(0).at("text").get<std::string>()) == *read.structured);
  const auto told = result_of(made, arguments, server::speech_for_model(made.step_of));
  CHECK(told.structured->at("problems").at(0) ==
        R"(Do put_back {"path": "/a b", "in_place": true}.)");
}

TEST_CASE("A server speaks to a model, unless its definition names another reader") {
  auto made = definition();
  SilentCall context;
  const auto told = [&] {
    server::ToolRegistry registry(made, false);
    const auto outcome = registry.call(made.tools.front(), {{{"path", "/a"}}, {}}, context);
    return std::get<server::ToolResult>(outcome).structured->at("problems").at(0);
  };
  CHECK(told() == R"(Do put_back {"path": "/a", "in_place": true}.)");
  made.speech = server::speech_for_shell(made, "program");
  CHECK(told() == "Do `program back --path /a --in-place`.");
}

TEST_CASE("An error carries its code beside its text, whatever that begins with") {
  const auto made = definition();
  const auto speech = server::speech_for_shell(made, "program");
  const auto failed = result_of(made, {{"path", "missing"}}, speech);
  CHECK(failed.code == core::ErrorCode::not_found);
  CHECK(failed.content.at(0).at("text") ==
        "not_found: busy: it is missing.\nNext step: Use `program back`.");
  const auto refused = result_of(made, Json::object(), speech);
  CHECK(refused.code == core::ErrorCode::invalid_argument);
  CHECK_THAT(refused.content.at(0).at("text").get<std::string>(),
             Catch::Contains("Call `program back` again"));
  const auto unasked = result_of(made, {{"path", "asked"}}, speech);
  CHECK(unasked.code == core::ErrorCode::invalid_argument);
  CHECK_THAT(unasked.content.at(0).at("text").get<std::string>(),
             Catch::Contains("Call again with --in-place."));
}
