// What the fixture's parts share.
#include <condition_variable>
#include <mutex>

#include "fixture.h"

namespace fixture {

const char* const kPng =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mNQSFgAAAHEASFcollRAAAAAElFTkSuQmCC";
const char* const kWav = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==";

Json text_block(std::string_view text) {
  return {{"type", "text"}, {"text", text}};
}

ToolResult text_result(std::string_view text, bool is_error) {
  return {Json::array({text_block(text)}), std::nullopt, is_error};
}

Json object_schema(Json properties, std::vector<std::string> required) {
  Json schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

Tool make_tool(const std::string& name, const std::string& description, CallHandler handler,
               Json input_schema) {
  Tool tool;
  tool.entry =
      Json{{"name", name}, {"description", description}, {"inputSchema", std::move(input_schema)}};
  tool.handler = std::move(handler);
  return tool;
}

InputRequest elicit(const std::string& key, const std::string& message, Json properties,
                    std::vector<std::string> required) {
  return {key,
          "elicitation/create",
          {{"mode", "form"},
           {"message", message},
           {"requestedSchema", object_schema(std::move(properties), std::move(required))}}};
}

InputRequest sample(const std::string& key, const std::string& prompt, int max_tokens) {
  return {key,
          "sampling/createMessage",
          {{"messages", Json::array({{{"role", "user"}, {"content", text_block(prompt)}}})},
           {"maxTokens", max_tokens}}};
}

InputRequest list_roots(const std::string& key) {
  return {key, "roots/list", Json::object()};
}

Json accepted(const CallContext& context, std::string_view key, std::string_view member) {
  const auto content = server::accepted_content(context, key);
  if (!content || !content->is_object() || !content->contains(member)) return nullptr;
  return content->at(std::string(member));
}

bool pause(std::chrono::milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace fixture
