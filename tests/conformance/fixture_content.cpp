// The fixture's tools that return every kind of content, report progress or log.
#include "fixture.h"
#include "server/jsonrpc/jsonrpc.h"

namespace fixture {
namespace {

using namespace std::chrono_literals;

Json image() {
  return {{"type", "image"}, {"data", kPng}, {"mimeType", "image/png"}};
}

Json embedded(const char* uri, const char* mime_type, const char* text) {
  return {{"type", "resource"},
          {"resource", {{"uri", uri}, {"mimeType", mime_type}, {"text", text}}}};
}

CallHandler returns(const std::vector<Json>& blocks) {
  Json content = Json::array();
  for (const Json& block : blocks) content.push_back(block);
  return [content = std::move(content)](const Json&, CallContext&) -> CallOutcome {
    return ToolResult{content, std::nullopt, false};
  };
}

Json sound() {
  return {{"type", "audio"}, {"data", kWav}, {"mimeType", "audio/wav"}};
}

CallOutcome with_logging(const Json&, CallContext& context) {
  for (const char* line :
       {"Tool execution started", "Tool processing data", "Tool execution completed"}) {
    context.log(server::LogLevel::info, line, "conformance");
    pause(50ms, context.stop());
  }
  return text_result("Logged three lines.");
}

CallOutcome with_progress(const Json&, CallContext& context) {
  for (const std::uint64_t done : {0, 50, 100}) {
    context.progress().report(done, 100, "Completed step " + std::to_string(done));
    pause(50ms, context.stop());
  }
  return text_result("Reported progress.");
}

// The suite compares this schema keyword by keyword: it must come back as it stands here.
const char* const kSchema2020 = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "$defs": {
    "address": {
      "$anchor": "addressDef",
      "type": "object",
      "properties": {"street": {"type": "string"}, "city": {"type": "string"}}
    }
  },
  "properties": {
    "name": {"type": "string"},
    "address": {"$ref": "#/$defs/address"},
    "contactMethod": {"type": "string", "enum": ["phone", "email"]},
    "phone": {"type": "string"},
    "email": {"type": "string"}
  },
  "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
  "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
  "then": {"required": ["phone"]},
  "else": {"required": ["email"]},
  "additionalProperties": false
})json";

CallOutcome needs_sampling(const Json&, CallContext& context) {
  if (!context.abilities().sampling) {
    return server::RpcError{server::rpc_code::kMissingCapability,
                            "This tool needs a client that offers sampling",
                            {{"requiredCapabilities", {{"sampling", Json::object()}}}},
                            400};
  }
  return text_result("The client offers sampling.");
}

}  // namespace

std::vector<Tool> content_tools() {
  std::vector<Tool> tools;
  tools.push_back(make_tool("test_simple_text", "Returns a line of text",
                            returns({text_block("This is a simple text response for testing.")})));
  tools.push_back(make_tool("test_image_content", "Returns a picture", returns({image()})));
  tools.push_back(make_tool("test_audio_content", "Returns a sound", returns({sound()})));
  tools.push_back(make_tool("test_embedded_resource", "Returns a resource within the result",
                            returns({embedded("test://embedded-resource", "text/plain",
                                              "This is an embedded resource content.")})));
  tools.push_back(make_tool("test_multiple_content_types", "Returns text, a picture and a resource",
                            returns({text_block("Multiple content types test:"), image(),
                                     embedded("test://mixed-content-resource", "application/json",
                                              R"({"test":"data","value":123})")})));
  tools.push_back(make_tool("test_error_handling", "Always ends in an error the model sees",
                            [](const Json&, CallContext&) -> CallOutcome {
                              return text_result(
                                  "This tool intentionally returns an error for testing", true);
                            }));
  tools.push_back(
      make_tool("test_tool_with_progress", "Reports progress on its way", with_progress));
  tools.push_back(make_tool("test_tool_with_logging", "Logs on its way", with_logging));
  tools.push_back(
      make_tool("test_logging_tool", "Logs where the request asks for logs", with_logging));
  tools.push_back(make_tool("json_schema_2020_12_tool", "Has a schema of JSON Schema 2020-12",
                            returns({text_block("The arguments fit the schema.")}),
                            core::json_of(kSchema2020)));
  tools.push_back(
      make_tool("test_missing_capability", "Needs a client that offers sampling", needs_sampling));
  tools.push_back(make_tool(
      "test_x_mcp_header", "Mirrors an argument in a header",
      returns({text_block("The header agrees with the argument.")}),
      object_schema(
          {{"region",
            {{"type", "string"}, {"description", "Any text"}, {"x-mcp-header", "Region"}}}})));
  tools.push_back(make_tool("test_reconnection", "Makes the client fetch its result by polling",
                            [](const Json&, CallContext& context) -> CallOutcome {
                              context.release_stream();
                              pause(100ms, context.stop());
                              return text_result("Fetched after reconnecting.");
                            }));
  return tools;
}

std::vector<Tool> change_tools(const std::shared_ptr<server::Changes>& changes) {
  const auto announcing = [&](const char* name, const char* what, server::Change change) {
    return make_tool(name, what, [changes, change](const Json&, CallContext&) -> CallOutcome {
      changes->announce(change);
      return text_result("Announced.");
    });
  };
  return {announcing("test_trigger_tool_change", "Announces that the tools changed",
                     {server::Change::Kind::tools_list, {}}),
          announcing("test_trigger_prompt_change", "Announces that the prompts changed",
                     {server::Change::Kind::prompts_list, {}})};
}

}  // namespace fixture
