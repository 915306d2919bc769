// Makes tools of schema texts and handlers, and words errors for the model.
#include "server/mcp/tool.h"

#include <map>
#include <mutex>

#include "core/base/call.h"
#include "server/base/printable.h"

namespace server {
namespace {

// Stops at the entry's own "name", which our schema files have first.
struct NameReader final : core::JsonListener {
  int depth = 0;
  bool next_is_name = false;
  std::string name;

  bool null() override { return other(); }
  bool boolean(bool) override { return other(); }
  bool number_integer(number_integer_t) override { return other(); }
  bool number_unsigned(number_unsigned_t) override { return other(); }
  bool number_float(number_float_t, const string_t&) override { return other(); }
  bool binary(binary_t&) override { return other(); }
  bool string(string_t& value) override {
    if (!next_is_name) return true;
    name = value;
    return false;
  }
  bool start_object(std::size_t) override { return ++depth > 0 && other(); }
  bool end_object() override { return --depth >= 0; }
  bool start_array(std::size_t) override { return ++depth > 0 && other(); }
  bool end_array() override { return --depth >= 0; }
  bool key(string_t& value) override {
    next_is_name = depth == 1 && value == "name";
    return true;
  }
  bool other() {
    next_is_name = false;
    return true;
  }
};

std::string name_in(std::string_view text) {
  NameReader reader;
  core::read_events(text, reader);
  return reader.name;
}

// Takes them out of the arguments' schemas.
std::map<std::string, Json> take_hints(Json& entry) {
  std::map<std::string, Json> hints;
  const auto schema = entry.find("inputSchema");
  if (schema == entry.end() || !schema->contains("properties")) return hints;
  for (auto& [name, described] : schema->at("properties").items()) {
    Json kept = Json::object();
    for (const auto& [key, value] : described.items()) {
      (key.starts_with("x-") ? hints[name] : kept)[key] = value;
    }
    described = std::move(kept);
  }
  return hints;
}

// A question the user has refused must not be asked for ever.
bool refused(const CallContext& context, const std::string& key) {
  const Json* answer = context.answer(key);
  if (answer == nullptr) return false;
  const std::string& action = string_member(*answer, "action");
  return action == "decline" || action == "cancel";
}

CallOutcome ask(NeedsInput& question, const CallContext& context) {
  const std::string key = core::say_parameter(question.key);
  if (refused(context, question.key)) {
    return tool_error({core::ErrorCode::cancelled, "The user declined to give " + key + ".",
                       "Call again with the argument " + key + ", or leave it."});
  }
  if (!context.abilities().form_elicitation) {
    return tool_error({core::ErrorCode::invalid_argument,
                       "The argument " + key + " is missing, and the user cannot be asked here.",
                       "Call again with " + key + ". " + question.message});
  }
  InputRequired required;
  required.requests.push_back({question.key, "elicitation/create",
                               Json{{"mode", "form"},
                                    {"message", std::move(question.message)},
                                    {"requestedSchema", std::move(question.requested_schema)}}});
  return required;
}

}  // namespace

struct ToolEntry::State {
  explicit State(Json value) : json(std::move(value)) {}

  std::once_flag once;
  std::string_view text;
  Json json;
  std::map<std::string, Json> hints;  // of each argument that has some
  std::string name;
};

ToolEntry::ToolEntry(Json entry) : state_(std::make_shared<State>(std::move(entry))) {
  state_->name = string_member(state_->json, "name");
}

ToolEntry ToolEntry::from_text(std::string_view text) {
  ToolEntry entry;
  entry.state_->text = text;
  entry.state_->name = name_in(text);
  return entry;
}

const Json& ToolEntry::json() const {
  std::call_once(state_->once, [this] {
    if (state_->text.empty()) return;
    state_->json = core::json_of(state_->text);
    state_->hints = take_hints(state_->json);
  });
  return state_->json;
}

const Json* ToolEntry::hint(const std::string& argument, std::string_view key) const {
  json();  // parsed by now
  const auto found = state_->hints.find(argument);
  return found == state_->hints.end() ? nullptr : member(found->second, key);
}

const std::string& ToolEntry::name() const {
  return state_->name;
}

Tool make_tool(std::string_view schema_text, StructuredHandler handler) {
  Tool tool;
  tool.entry = ToolEntry::from_text(schema_text);
  tool.handler = [handler = std::move(handler)](const Json& arguments,
                                                CallContext& context) -> CallOutcome {
    ToolOutcome<Json> outcome = handler(arguments, context);
    if (auto* question = std::get_if<NeedsInput>(&outcome)) return ask(*question, context);
    if (const auto* error = std::get_if<core::Error>(&outcome)) return tool_error(*error);
    ToolResult result;
    result.structured = std::move(std::get<Json>(outcome));
    return result;
  };
  return tool;
}

Json text_block(std::string text) {
  return Json{{"type", "text"}, {"text", std::move(text)}};
}

ToolResult tool_error(std::string text) {
  ToolResult result;
  result.content.push_back(text_block(std::move(text)));
  result.is_error = true;
  return result;
}

ToolResult tool_error(const core::Error& error) {
  ToolResult result = tool_error(error_text(error));
  result.code = error.code;
  return result;
}

std::optional<Json> accepted_content(const CallContext& context, std::string_view key) {
  const Json* answer = context.answer(key);
  if (answer == nullptr || string_member(*answer, "action") != "accept") return std::nullopt;
  const Json* content = member(*answer, "content");
  if (content == nullptr || !content->is_object()) return std::nullopt;
  return *content;
}

std::optional<bool> confirmation(const CallContext& context, std::string_view key) {
  if (context.answer(key) == nullptr) return std::nullopt;
  const auto content = accepted_content(context, key);
  const Json* yes = content ? member(*content, key) : nullptr;
  if (yes == nullptr) return false;
  return yes->is_boolean() ? std::optional(yes->get<bool>()) : std::nullopt;
}

}  // namespace server
