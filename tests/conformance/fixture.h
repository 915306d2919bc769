// A second server on the same library as backup-plugin-db: the tools, resources, prompts and skills
// that the official MCP conformance suite looks for. Its parts, and what they share.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "server/mcp/server_definition.h"

namespace fixture {

using server::CallContext;
using server::CallHandler;
using server::CallOutcome;
using server::InputRequest;
using server::Json;
using server::Tool;
using server::ToolResult;

// A picture of one pixel and a sound of eight samples, base64.
extern const char* const kPng;
extern const char* const kWav;

Json text_block(std::string_view text);
ToolResult text_result(std::string_view text, bool is_error = false);
// `properties` of an inputSchema; those in `required` must be given.
Json object_schema(Json properties = Json::object(), std::vector<std::string> required = {});
Tool make_tool(const std::string& name, const std::string& description, CallHandler handler,
               Json input_schema = object_schema());

// Questions, as MCP spells them.
InputRequest elicit(const std::string& key, const std::string& message, Json properties,
                    std::vector<std::string> required = {});
InputRequest sample(const std::string& key, const std::string& prompt, int max_tokens);
InputRequest list_roots(const std::string& key);
// The content of a well-formed, accepted answer that holds a member of that name; else null.
Json accepted(const CallContext& context, std::string_view key, std::string_view member);

// Sleeps; returns false, early, on a stop request.
bool pause(std::chrono::milliseconds duration, const std::stop_token& stop);

std::vector<Tool> content_tools();
std::vector<Tool> question_tools();
std::vector<Tool> task_tools();
std::vector<Tool> change_tools(const std::shared_ptr<server::Changes>& changes);
std::shared_ptr<server::ResourceProvider> resources();
std::vector<server::Prompt> prompts();
std::vector<server::SkillFile> skills();

}  // namespace fixture
