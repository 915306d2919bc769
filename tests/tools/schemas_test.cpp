#include "cmake/embedded.h"
#include "tests/tools/tool_house.h"
#include "tools/base/paging.h"

using server::Json;

namespace {

// What one entry costs a model: four characters of compact JSON to a token.
constexpr std::size_t kCharactersPerToken = 4;
constexpr std::size_t kMaxTokens = 6'600;
// A tool's name as Claude Code spells it must stay a valid tool name.
constexpr std::size_t kMaxToolName = 64;
constexpr std::string_view kNamePrefix = "mcp__plugin_backup-plugin-db_backup__";

void check_properties(const Json& schema, const std::string& where) {
  INFO(where);
  if (!schema.contains("properties")) return;
  for (const auto& [name, property] : schema.at("properties").items()) {
    INFO(where << "." << name);
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos);
    // What https://ai.google.dev/api/caching#Schema and
    // https://platform.openai.com/docs/guides/structured-outputs take: one type for each, no
    // alternatives or references, and no format that one of them does not know.
    REQUIRE(property.contains("type"));
    CHECK(property.at("type").is_string());
    for (const char* refused : {"format", "const", "oneOf", "anyOf", "allOf", "not", "$ref", "if",
                                "patternProperties", "dependencies"}) {
      CHECK_FALSE(property.contains(refused));
    }
    if (property.contains("enum")) {
      CHECK(property.at("type") == "string");
      for (const auto& value : property.at("enum")) CHECK(!value.get<std::string>().empty());
    }
    if (property.at("type") == "array") {
      check_properties({{"properties", {{"items", property.at("items")}}}}, where + "." + name);
    }
    if (property.at("type") == "object") check_properties(property, where + "." + name);
  }
  if (!schema.contains("required")) return;
  for (const auto& name : schema.at("required")) {
    CHECK(schema.at("properties").contains(name.get<std::string>()));
  }
}

}  // namespace

TEST_CASE("Every schema file is a tool, and every tool has its schema file") {
  test::ToolHouse house;
  std::vector<std::string> files;
  for (const auto& file : embedded::embedded_schemas()) {
    const Json schema = core::json_of(file.text);
    if (!schema.contains("inputSchema")) continue;  // the manifest's shape
    CHECK(schema.at("name").get<std::string>() + ".json" == file.name);
    files.push_back(schema.at("name").get<std::string>());
  }
  std::vector<std::string> tools;
  for (const auto& tool : house.tools) tools.push_back(tool.name());
  std::sort(files.begin(), files.end());
  std::sort(tools.begin(), tools.end());
  CHECK(files == tools);
}

TEST_CASE("Every tool's entry is complete and its schemas compile") {
  test::ToolHouse house;
  for (const auto& tool : house.tools) {
    INFO(tool.name());
    CHECK_FALSE(tool.entry.json().at("title").get<std::string>().empty());
    CHECK_FALSE(tool.entry.json().at("description").get<std::string>().empty());
    CHECK(kNamePrefix.size() + tool.name().size() <= kMaxToolName);
    for (const char* key : {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}) {
      CHECK(tool.entry.json().at("annotations").at(key).is_boolean());
    }
    const auto& input = tool.entry.json().at("inputSchema");
    const auto& output = tool.entry.json().at("outputSchema");
    CHECK(input.at("type") == "object");
    CHECK(input.at("additionalProperties") == false);
    CHECK(output.at("type") == "object");
    CHECK(server::SchemaCheck(input).defect().empty());
    CHECK(server::SchemaCheck(output).defect().empty());
    check_properties(input, "inputSchema");
    check_properties(output, "outputSchema");
  }
}

TEST_CASE("All tools together cost a model less than 6,600 tokens") {
  test::ToolHouse house;
  std::size_t characters = 0;
  for (const auto& tool : house.tools) characters += tool.entry.json().dump().size();
  CHECK(characters / kCharactersPerToken < kMaxTokens);
}

TEST_CASE("Tools whose results may be long ask for room in a conversation, and no others do") {
  test::ToolHouse house;
  for (const auto& tool : house.tools) {
    INFO(tool.name());
    const Json& entry = tool.entry.json();
    const bool is_long = entry.at("inputSchema").at("properties").contains("limit") ||
                         tool.name() == "prune_snapshots" || tool.name() == "backup_status";
    const Json meta = entry.value("_meta", Json::object());
    REQUIRE(meta.contains("anthropic/maxResultSizeChars") == is_long);
    if (!is_long) continue;
    CHECK(meta.at("anthropic/maxResultSizeChars") == tools::kMaxResultCharacters);
  }
}

TEST_CASE("The status has the app, and what removes or sets up is not for the app to call") {
  test::ToolHouse house;
  const Json status = house.tool("backup_status").entry.json().at("_meta");
  CHECK(status.at("ui").at("resourceUri") == "ui://backup-plugin-db/dashboard.html");
  CHECK(status.at("ui/resourceUri") == status.at("ui").at("resourceUri"));
  for (const char* name : {"install_schedule", "remove_schedule", "prune_snapshots", "restore_all",
                           "ignore_database"}) {
    INFO(name);
    const Json ui = house.tool(name).entry.json().at("_meta").at("ui");
    CHECK(ui.at("visibility") == Json::array({"model"}));
  }
  const auto definition = tools::define_server(house.world, {});
  REQUIRE(definition.app);
  CHECK(definition.app->uri == status.at("ui").at("resourceUri").get<std::string>());
  CHECK(definition.app->html.size() <= 40'000);
}

TEST_CASE("An argument of one name has one type in every tool") {
  test::ToolHouse house;
  std::map<std::string, Json> types;
  for (const auto& tool : house.tools) {
    for (const auto& [name, property] :
         tool.entry.json().at("inputSchema").at("properties").items()) {
      // One here, where the others search below several: labels depend on it.
      if (tool.name() == "install_schedule" && name == "folder") continue;
      const Json type = property.contains("enum") ? property.at("enum") : property.at("type");
      INFO(tool.name() << " " << name);
      CHECK(types.try_emplace(name, type).first->second == type);
    }
  }
}

TEST_CASE("An empty path is refused by every tool: it is a slip, not the default") {
  test::ToolHouse house;
  for (const auto& tool : house.tools) {
    const auto& input = tool.entry.json().at("inputSchema");
    for (const char* name : {"source", "destination", "snapshot", "target"}) {
      if (!input.at("properties").contains(name)) continue;
      INFO(tool.name() << " " << name);
      Json arguments;
      for (const auto& required : input.value("required", Json::array())) {
        arguments[required.get<std::string>()] = "x";
      }
      arguments[name] = "";
      CHECK(server::SchemaCheck(input).problem(arguments, "argument").has_value());
      arguments[name] = "x";
      CHECK_FALSE(server::SchemaCheck(input).problem(arguments, "argument").has_value());
    }
  }
}

TEST_CASE("No tool that only reads is called destructive") {
  test::ToolHouse house;
  for (const auto& tool : house.tools) {
    INFO(tool.name());
    const auto& hints = tool.entry.json().at("annotations");
    if (hints.at("readOnlyHint") == true) CHECK(hints.at("destructiveHint") == false);
  }
}
