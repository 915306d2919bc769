// What every era offers alike.
#include "server/mcp/methods.h"

#include <algorithm>
#include <utility>

namespace server {
namespace {

constexpr std::size_t kMaxCompletions = 100;  // schema: CompleteResult

OrRpcError<void> no_cursor(const Json& params) {
  if (given_member(params, "cursor") == nullptr) return {};
  return tl::unexpected(invalid_params("Unknown cursor: this list has one page."));
}

OrRpcError<std::string> uri_of(const Json& params) {
  const Json* uri = member(params, "uri");
  if (uri == nullptr || !uri->is_string()) {
    return tl::unexpected(invalid_params("'uri' must be a string."));
  }
  return uri->get<std::string>();
}

// 2025-11-25 wants an object at the root of an outputSchema.
bool wraps(const Json& entry) {
  const Json* schema = member(entry, "outputSchema");
  return schema != nullptr && string_member(*schema, "type") != "object";
}

Json legacy_entry(const Json& entry) {
  if (!wraps(entry)) return entry;
  Json projected = entry;
  projected["outputSchema"] = {{"type", "object"},
                               {"properties", {{"result", entry.at("outputSchema")}}},
                               {"required", {"result"}}};
  return projected;
}

Json app_resource(const AppPage& app) {
  return {{"uri", app.uri}, {"name", app.name}, {"title", app.title}, {"mimeType", kAppType}};
}

// It loads nothing from anywhere, so it asks for no domain.
Json app_contents(const AppPage& app) {
  return {{"uri", app.uri},
          {"mimeType", kAppType},
          {"text", app.html},
          {"_meta", {{"ui", {{"csp", Json::object()}, {"prefersBorder", true}}}}}};
}

Json to_json(const ToolResult& result, bool wrap) {
  Json body = {{"content", result.content}};
  if (result.structured) {
    body["structuredContent"] = wrap && !result.structured->is_object()
                                    ? Json{{"result", *result.structured}}
                                    : *result.structured;
  }
  if (result.is_error) body["isError"] = true;
  return body;
}

}  // namespace

RpcError invalid_params(std::string message) {
  return RpcError{rpc_code::kInvalidParams, std::move(message)};
}

OrRpcError<LenientArguments> arguments_of(const Json& params) {
  const Json* given = given_member(params, "arguments");
  auto arguments = take_whole(given == nullptr ? Json::object() : *given);
  if (!arguments) return tl::unexpected(invalid_params("'arguments' must be an object."));
  return std::move(*arguments);
}

bool Methods::has_tasks() const {
  return std::any_of(definition_.tools.begin(), definition_.tools.end(),
                     [](const Tool& tool) { return tool.tasks != TaskSupport::never; });
}

bool Methods::can_subscribe(const std::string& uri) const {
  return definition_.resources != nullptr && definition_.resources->can_subscribe(uri);
}

Json Methods::server_info() const {
  Json info = {{"name", definition_.name}, {"version", definition_.version}};
  if (!definition_.title.empty()) info["title"] = definition_.title;
  return info;
}

Json Methods::capabilities(bool modern) const {
  Json all = Json::object();
  const Json changing = definition_.lists_change ? Json{{"listChanged", true}} : Json::object();
  if (definition_.logging) all["logging"] = Json::object();
  if (has_completions()) all["completions"] = Json::object();
  if (has_prompts()) all["prompts"] = changing;
  if (has_resources()) {
    all["resources"] = definition_.resources != nullptr
                           ? Json{{"subscribe", true}, {"listChanged", true}}
                           : Json::object();
  }
  if (!definition_.tools.empty()) all["tools"] = changing;
  if (modern && has_tasks()) all["extensions"][kTasksExtension] = Json::object();
  if (has_skills()) all["extensions"][kSkillsExtension] = {{"directoryRead", true}};
  if (definition_.app) all["extensions"][kAppsExtension] = {{"mimeTypes", {kAppType}}};
  return all;
}

OrRpcError<Json> Methods::list_tools(const Json& params, bool modern) const {
  if (auto checked = no_cursor(params); !checked) return tl::unexpected(checked.error());
  Json tools = Json::array();
  for (const Tool& tool : registry_.all()) {
    tools.push_back(modern ? tool.entry.json() : legacy_entry(tool.entry.json()));
  }
  return Json{{"tools", std::move(tools)}};
}

OrRpcError<Json> Methods::list_prompts(const Json& params) const {
  if (auto checked = no_cursor(params); !checked) return tl::unexpected(checked.error());
  Json prompts = Json::array();
  for (const Prompt& prompt : definition_.prompts) prompts.push_back(prompt.entry);
  return Json{{"prompts", std::move(prompts)}};
}

OrRpcError<Json> Methods::list_templates(const Json& params) const {
  if (auto checked = no_cursor(params); !checked) return tl::unexpected(checked.error());
  return Json{{"resourceTemplates",
               definition_.resources ? definition_.resources->templates() : Json::array()}};
}

OrRpcError<Json> Methods::list_skills(const Json& params) {
  if (auto checked = no_cursor(params); !checked) return tl::unexpected(checked.error());
  return Json{{"skills", shelf_.entries()}};
}

OrRpcError<Json> Methods::get_skill(const Json& params) {
  const auto uri = uri_of(params);
  if (!uri) return tl::unexpected(uri.error());
  const Json* skill = shelf_.find(*uri);
  if (skill == nullptr) return tl::unexpected(invalid_params("There is no skill " + *uri + "."));
  return Json{{"skill", *skill}};
}

OrRpcError<Json> Methods::read_folder(const Json& params) {
  if (auto checked = no_cursor(params); !checked) return tl::unexpected(checked.error());
  const auto uri = uri_of(params);
  if (!uri) return tl::unexpected(uri.error());
  auto children = shelf_.children(*uri);
  if (!children) return tl::unexpected(invalid_params(*uri + " is not a directory."));
  return Json{{"resources", std::move(*children)}};
}

OrRpcError<const Tool*> Methods::tool_of(const Json& params) const {
  const Json* name = member(params, "name");
  if (name == nullptr || !name->is_string()) {
    return tl::unexpected(invalid_params("'name' must be a string: the tool to call."));
  }
  const Tool* tool = registry_.find(name->get<std::string>());
  if (tool == nullptr) {
    return tl::unexpected(invalid_params("Unknown tool: " + name->get<std::string>() +
                                         ". tools/list has the names."));
  }
  if (auto arguments = arguments_of(params); !arguments) return tl::unexpected(arguments.error());
  return tool;
}

Work Methods::tool_work(const Tool& tool, const Json& params, bool wrap) {
  return [this, &tool, arguments = arguments_of(params).value_or(LenientArguments{}),
          wrap](CallContext& context) -> WorkOutcome {
    CallOutcome outcome = registry_.call(tool, arguments, context);
    if (auto* asked = std::get_if<InputRequired>(&outcome)) return std::move(*asked);
    if (auto* error = std::get_if<RpcError>(&outcome)) return std::move(*error);
    return to_json(std::get<ToolResult>(outcome), wrap);
  };
}

OrRpcError<Work> Methods::prompt_work(const Json& params) const {
  const std::string& name = string_member(params, "name");
  const auto prompt = std::find_if(
      definition_.prompts.begin(), definition_.prompts.end(),
      [&name](const Prompt& candidate) { return string_member(candidate.entry, "name") == name; });
  if (prompt == definition_.prompts.end()) {
    return tl::unexpected(invalid_params("Unknown prompt: " + name + "."));
  }
  auto given = arguments_of(params);
  if (!given) return tl::unexpected(given.error());
  Json arguments = std::move(given->arguments);  // a prompt's result has no place for warnings
  for (auto argument = arguments.begin(); argument != arguments.end();) {
    argument = argument->is_null() ? arguments.erase(argument) : std::next(argument);
  }
  for (const auto& [key, value] : arguments.items()) {
    if (!value.is_string()) {
      return tl::unexpected(invalid_params("The prompt argument '" + key + "' must be a string."));
    }
  }
  if (const Json* declared = member(prompt->entry, "arguments")) {
    for (const Json& argument : *declared) {
      const std::string& key = string_member(argument, "name");
      if (argument.value("required", false) && !arguments.contains(key)) {
        return tl::unexpected(invalid_params("The prompt argument '" + key + "' is missing."));
      }
    }
  }
  return [&handler = prompt->handler,
          arguments = std::move(arguments)](CallContext& context) -> WorkOutcome {
    PromptOutcome outcome = handler(arguments, context);
    if (auto* asked = std::get_if<InputRequired>(&outcome)) return std::move(*asked);
    if (auto* error = std::get_if<RpcError>(&outcome)) return std::move(*error);
    auto& result = std::get<PromptResult>(outcome);
    Json body = Json::object();
    if (!result.description.empty()) body["description"] = std::move(result.description);
    body["messages"] = std::move(result.messages);
    return body;
  };
}

OrRpcError<Work> Methods::read_work(const Json& params) {
  auto uri = uri_of(params);
  if (!uri) return tl::unexpected(uri.error());
  return [this, uri = std::move(*uri)](CallContext& context) -> WorkOutcome {
    if (auto file = shelf_.read(uri)) return Json{{"contents", Json::array({std::move(*file)})}};
    if (definition_.app && uri == definition_.app->uri) {
      return Json{{"contents", Json::array({app_contents(*definition_.app)})}};
    }
    if (!definition_.resources) return UnknownResource{};
    ReadOutcome outcome = definition_.resources->read(uri, context);
    if (auto* asked = std::get_if<InputRequired>(&outcome)) return std::move(*asked);
    if (auto* error = std::get_if<RpcError>(&outcome)) return std::move(*error);
    auto* read = std::get_if<ResourceContents>(&outcome);
    // Empty contents would say "there, but nothing": neither era allows it.
    if (read == nullptr || read->contents.empty()) return UnknownResource{};
    return Json{{"contents", std::move(read->contents)}};
  };
}

OrRpcError<Work> Methods::resources_work(const Json& params) {
  std::optional<std::string> cursor;
  if (const Json* given = given_member(params, "cursor")) {
    if (!given->is_string()) return tl::unexpected(invalid_params("'cursor' must be a string."));
    cursor = given->get<std::string>();
  }
  if (cursor && !definition_.resources) {
    return tl::unexpected(invalid_params("Unknown cursor: this list has one page."));
  }
  return [this, cursor = std::move(cursor)](CallContext&) -> WorkOutcome {
    Json all = cursor ? Json::array() : shelf_.resources();
    if (definition_.app && !cursor) all.push_back(app_resource(*definition_.app));
    Json body = Json::object();
    if (definition_.resources) {
      auto page = definition_.resources->list(cursor);
      if (!page) return page.error();
      for (Json& resource : page->resources) all.push_back(std::move(resource));
      body["resources"] = std::move(all);
      if (!page->next_cursor.empty()) body["nextCursor"] = page->next_cursor;
    } else {
      body["resources"] = std::move(all);
    }
    return body;
  };
}

OrRpcError<Work> Methods::completion_work(const Json& params) const {
  const Json* ref = member(params, "ref");
  const Json* argument = member(params, "argument");
  if (ref == nullptr || argument == nullptr || member(*argument, "name") == nullptr ||
      !member(*argument, "name")->is_string() || member(*argument, "value") == nullptr ||
      !member(*argument, "value")->is_string()) {
    return tl::unexpected(invalid_params("'ref' and 'argument' {name, value} are needed."));
  }
  CompletionRequest request;
  const std::string& type = string_member(*ref, "type");
  const bool of_prompt = type == "ref/prompt";
  if (!of_prompt && type != "ref/resource") {
    return tl::unexpected(invalid_params("ref.type is ref/prompt or ref/resource."));
  }
  request.of = of_prompt ? CompletionRequest::Of::prompt : CompletionRequest::Of::resource;
  request.name = string_member(*ref, of_prompt ? "name" : "uri");
  const Json templates = definition_.resources ? definition_.resources->templates() : Json::array();
  const bool known = of_prompt
                         ? std::any_of(definition_.prompts.begin(), definition_.prompts.end(),
                                       [&](const Prompt& prompt) {
                                         return string_member(prompt.entry, "name") == request.name;
                                       })
                         : std::any_of(templates.begin(), templates.end(), [&](const Json& entry) {
                             return string_member(entry, "uriTemplate") == request.name;
                           });
  if (!known) {
    return tl::unexpected(invalid_params("Nothing to complete is called '" + request.name + "'."));
  }
  request.argument = string_member(*argument, "name");
  request.value = string_member(*argument, "value");
  if (const Json* context = member(params, "context")) {
    if (const Json* settled = given_member(*context, "arguments")) request.context = *settled;
  }
  return [&complete = definition_.complete,
          request = std::move(request)](CallContext&) -> WorkOutcome {
    std::vector<std::string> values = complete(request);
    const std::size_t total = values.size();
    if (total > kMaxCompletions) values.resize(kMaxCompletions);
    return Json{{"completion",
                 {{"values", values}, {"total", total}, {"hasMore", total > kMaxCompletions}}}};
  };
}

}  // namespace server
