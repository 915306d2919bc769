// The era of 2026-07-28.
#include "server/mcp/modern.h"

#include <set>
#include <utility>

#include "server/mcp/header_check.h"
#include "server/mcp/questions.h"
#include "server/mcp/versions.h"

namespace server {
namespace {

constexpr int kListTtlMs = 300'000;
constexpr int kDiscoverTtlMs = 3'600'000;

RpcError bad_envelope(std::string message) {
  return RpcError{rpc_code::kInvalidParams, std::move(message), nullptr, 400};
}

RpcError missing_capability(Json needed) {
  return RpcError{
      rpc_code::kMissingCapability,
      "The client must declare a capability for this request: " + core::lenient_json_text(needed),
      Json{{"requiredCapabilities", needed}}, 400};
}

// The envelope of a request as facts, or why it is malformed.
OrRpcError<CallFacts> read_envelope(const Json& params, std::string* version) {
  const Json* meta = member(params, "_meta");
  if (meta == nullptr || !meta->is_object()) {
    return tl::unexpected(bad_envelope("params._meta must be an object with " +
                                       std::string(kMetaVersion) + " and " +
                                       std::string(kMetaCapabilities) + "."));
  }
  const Json* claimed = member(*meta, kMetaVersion);
  if (claimed == nullptr || !claimed->is_string()) {
    return tl::unexpected(
        bad_envelope("_meta must have " + std::string(kMetaVersion) + ", a string."));
  }
  *version = claimed->get<std::string>();
  const Json* capabilities = member(*meta, kMetaCapabilities);
  if (capabilities == nullptr || !capabilities->is_object()) {
    return tl::unexpected(
        bad_envelope("_meta must have " + std::string(kMetaCapabilities) + ", an object."));
  }
  if (const Json* info = given_member(*meta, kMetaClientInfo)) {
    if (!member(*info, "name") || !member(*info, "name")->is_string() ||
        !member(*info, "version") || !member(*info, "version")->is_string()) {
      return tl::unexpected(
          bad_envelope(std::string(kMetaClientInfo) + " must have name and version."));
    }
  }
  CallFacts facts;
  facts.abilities = abilities_from(*capabilities);
  if (const Json* level = given_member(*meta, kMetaLogLevel)) {
    facts.log_level = level->is_string() ? log_level_from(level->get<std::string>()) : std::nullopt;
    if (!facts.log_level) {
      return tl::unexpected(bad_envelope(std::string(kMetaLogLevel) + " is no log level."));
    }
  }
  if (const Json* token = given_member(*meta, "progressToken")) {
    if (!request_id_from(*token)) {
      return tl::unexpected(bad_envelope("progressToken must be a string or an integer."));
    }
    facts.progress_token = *token;
  }
  return facts;
}

OrRpcError<std::string> task_id_of(const Json& params) {
  const Json* id = member(params, "taskId");
  if (id == nullptr || !id->is_string()) {
    return tl::unexpected(invalid_params("'taskId' must be a string."));
  }
  return id->get<std::string>();
}

// The strings of an array; nothing if it is something else.
std::optional<std::set<std::string>> string_set(const Json& value) {
  if (!value.is_array()) return std::nullopt;
  std::set<std::string> strings;
  for (const Json& element : value) {
    if (!element.is_string()) return std::nullopt;
    strings.insert(element.get<std::string>());
  }
  return strings;
}

}  // namespace

bool ModernEra::serves(std::string_view method) const {
  const Methods& methods = context_.methods;
  if (method == "server/discover" || method == "subscriptions/listen") return true;
  if (method == "tools/list" || method == "tools/call") return !context_.definition.tools.empty();
  if (method == "prompts/list" || method == "prompts/get") return methods.has_prompts();
  if (method == "resources/list" || method == "resources/templates/list" ||
      method == "resources/read") {
    return methods.has_resources();
  }
  if (method == "completion/complete") return methods.has_completions();
  if (method == "tasks/get" || method == "tasks/update" || method == "tasks/cancel") {
    return methods.has_tasks();
  }
  if (method == "skills/list" || method == "skills/get" || method == "resources/directory/read") {
    return methods.has_skills();
  }
  return false;
}

void ModernEra::handle(Request request, const Origin& origin) {
  const auto refuse = [&](const RpcError& error) { reply_now(origin, request.id, error); };
  std::string version;
  auto facts = read_envelope(request.params, &version);
  if (!facts) return refuse(facts.error());
  facts->principal = origin.principal;
  if (origin.headers != nullptr && origin.headers->protocol_version != version) {
    return refuse(RpcError{
        rpc_code::kHeaderMismatch,
        "The header MCP-Protocol-Version must be " + version + ", as _meta says.", nullptr, 400});
  }
  if (version != kModernVersion) {
    return refuse(RpcError{rpc_code::kUnsupportedVersion,
                           "Unsupported protocol version " + version + ".",
                           Json{{"supported", {kModernVersion}}, {"requested", version}}, 400});
  }
  if (origin.headers != nullptr) {
    if (const auto error = check_method_headers(*origin.headers, request)) return refuse(*error);
  }
  if (!serves(request.method)) {
    return refuse(
        RpcError{rpc_code::kMethodNotFound, "Method not found: " + request.method, nullptr, 404});
  }
  if (answer_now(request, origin, *facts)) return;
  if (request.method == "subscriptions/listen") return listen(request, origin, *facts);
  if (request.method == "tools/call") return start_tool(request, origin, std::move(*facts));
  Methods& methods = context_.methods;
  if (request.method == "prompts/get") {
    return start_work(request, origin, std::move(*facts), methods.prompt_work(request.params), {});
  }
  if (request.method == "resources/read") {
    return start_work(request, origin, std::move(*facts), methods.read_work(request.params),
                      Cache{0, "private"});
  }
  if (request.method == "resources/list") {
    return start_work(request, origin, std::move(*facts), methods.resources_work(request.params),
                      Cache{0, "private"});
  }
  start_work(request, origin, std::move(*facts), methods.completion_work(request.params), {});
}

std::string ModernEra::result_text(Json body, std::string_view type,
                                   std::optional<Cache> cache) const {
  Json result = {{"resultType", type}};
  result.update(body);
  if (cache) {
    result["ttlMs"] = cache->ttl_ms;
    result["cacheScope"] = cache->scope;
  }
  result["_meta"][kMetaServerInfo] = context_.methods.server_info();
  return core::lenient_json_text(result);
}

bool ModernEra::answer_now(const Request& request, const Origin& origin, const CallFacts& facts) {
  Methods& methods = context_.methods;
  const std::string& method = request.method;
  const Json& params = request.params;
  const Cache list_cache{kListTtlMs, "public"};
  const auto reply = [&](const Answer& answer, std::optional<Cache> cache) {
    if (answer) {
      reply_now(origin, request.id, result_text(*answer, "complete", cache));
    } else {
      reply_now(origin, request.id, answer.error());
    }
    return true;
  };
  if (method == "server/discover") {
    const std::lock_guard lock(texts_mutex_);
    if (discover_text_.empty()) {
      Json body = {{"supportedVersions", {kModernVersion}},
                   {"capabilities", methods.capabilities(true)}};
      if (!context_.definition.instructions.empty()) {
        body["instructions"] = context_.definition.instructions;
      }
      discover_text_ = result_text(std::move(body), "complete", Cache{kDiscoverTtlMs, "public"});
    }
    reply_now(origin, request.id, discover_text_);
    return true;
  }
  if (method == "tools/list") {
    if (given_member(params, "cursor") != nullptr) {
      return reply(methods.list_tools(params, true), list_cache);
    }
    const std::lock_guard lock(texts_mutex_);
    if (tools_text_.empty()) {
      tools_text_ = result_text(*methods.list_tools(params, true), "complete", list_cache);
    }
    reply_now(origin, request.id, tools_text_);
    return true;
  }
  if (method == "prompts/list") return reply(methods.list_prompts(params), list_cache);
  if (method == "resources/templates/list") {
    return reply(methods.list_templates(params), list_cache);
  }
  if (method == "skills/list") return reply(methods.list_skills(params), list_cache);
  if (method == "skills/get") return reply(methods.get_skill(params), list_cache);
  if (method == "resources/directory/read") return reply(methods.read_folder(params), {});
  if (method.starts_with("tasks/")) return reply(task_method(request, origin, facts), {});
  return false;
}

ModernEra::Answer ModernEra::task_method(const Request& request, const Origin& origin,
                                         const CallFacts& facts) {
  if (!facts.abilities.tasks) {
    return tl::unexpected(
        missing_capability({{"extensions", {{kTasksExtension, Json::object()}}}}));
  }
  const auto id = task_id_of(request.params);
  if (!id) return tl::unexpected(id.error());
  const auto unknown = [&] { return tl::unexpected(invalid_params("Unknown task: " + *id)); };
  if (request.method == "tasks/get") {
    auto task = context_.tasks.get(*id, origin.principal);
    if (!task) return unknown();
    return std::move(*task);
  }
  if (request.method == "tasks/cancel") {
    if (!context_.tasks.cancel(*id, origin.principal)) return unknown();
    return Json::object();
  }
  const Json* responses = member(request.params, "inputResponses");
  if (responses == nullptr || !responses->is_object()) {
    return tl::unexpected(invalid_params("'inputResponses' must be an object."));
  }
  if (!context_.tasks.update(*id, origin.principal, *responses)) return unknown();
  return Json::object();
}

void ModernEra::listen(const Request& request, const Origin& origin, const CallFacts& facts) {
  const auto refuse = [&](const RpcError& error) { reply_now(origin, request.id, error); };
  const Json* wanted = member(request.params, "notifications");
  if (wanted == nullptr || !wanted->is_object()) {
    return refuse(invalid_params("'notifications' must be an object: what to listen to."));
  }
  const auto flag = [&](const char* key) {
    const Json* value = member(*wanted, key);
    return value != nullptr && value->is_boolean() && value->get<bool>();
  };
  const Methods& methods = context_.methods;
  ListenFilter filter;
  filter.tools = flag("toolsListChanged") && context_.definition.lists_change &&
                 !context_.definition.tools.empty();
  filter.prompts =
      flag("promptsListChanged") && context_.definition.lists_change && methods.has_prompts();
  filter.resources = flag("resourcesListChanged") && context_.definition.resources != nullptr;
  if (const Json* uris = given_member(*wanted, "resourceSubscriptions")) {
    const auto all = string_set(*uris);
    if (!all) return refuse(invalid_params("'resourceSubscriptions' must be an array of URIs."));
    for (const std::string& uri : *all) {
      if (methods.can_subscribe(uri)) filter.uris.insert(uri);
    }
  }
  if (const Json* ids = given_member(*wanted, "taskIds")) {
    if (!facts.abilities.tasks || !methods.has_tasks()) {
      return refuse(missing_capability({{"extensions", {{kTasksExtension, Json::object()}}}}));
    }
    const auto all = string_set(*ids);
    if (!all) return refuse(invalid_params("'taskIds' must be an array of strings."));
    for (const std::string& id : *all) {
      if (context_.tasks.tell_news(id, origin.principal)) filter.task_ids.insert(id);
    }
  }
  const auto call = context_.calls.open(request.id, origin.reply, origin.session, true,
                                        origin.headers != nullptr);
  if (!call) {
    return refuse(RpcError{rpc_code::kInvalidRequest,
                           "This id belongs to a request still being served.", nullptr, 400});
  }
  const bool resources = filter.resources || !filter.uris.empty();
  if (context_.streams.open(call, std::move(filter))) {
    if (resources) context_.watch.start();
    return;
  }
  call->reply_error(RpcError{rpc_code::kInternalError,
                             "Too many subscriptions are open; close one first.", nullptr, 503});
  context_.calls.close(*call);
}

OrRpcError<void> ModernEra::take_answers(const Request& request, CallFacts& facts) {
  Json asked = Json::object();
  if (const Json* text = given_member(request.params, "requestState")) {
    auto memory = text->is_string()
                      ? context_.states.verify(text->get<std::string>(), facts.principal,
                                               request_digest(request.method, request.params))
                      : std::nullopt;
    if (!memory) {
      return tl::unexpected(invalid_params(
          "requestState is not one of this server's for this request, or it has expired."));
    }
    facts.answers = std::move(memory->answers);
    facts.state = std::move(memory->state);
    asked = std::move(memory->asked);
  }
  const Json* responses = given_member(request.params, "inputResponses");
  if (responses == nullptr) return {};
  if (!responses->is_object()) {
    return tl::unexpected(invalid_params("'inputResponses' must be an object."));
  }
  const Json given = well_formed_answers(*responses);
  for (const auto& [key, answer] : given.items()) {
    const Json* schema = member(asked, key);
    if (schema == nullptr || fits(*schema, answer)) facts.answers[key] = answer;
  }
  return {};
}

void ModernEra::start_work(const Request& request, const Origin& origin, CallFacts facts,
                           OrRpcError<Work> work, std::optional<Cache> cache) {
  if (!work) return reply_now(origin, request.id, work.error());
  if (auto taken = take_answers(request, facts); !taken) {
    return reply_now(origin, request.id, taken.error());
  }
  start_call(context_, request.id, origin, true,
             [this, request, facts = std::move(facts), work = std::move(*work),
              cache](const std::shared_ptr<Call>& call) {
               ProgressCounter progress;
               HandlerContext context(call, facts, progress);
               finish(request, call, facts, run_guarded(work, context), cache);
             });
}

void ModernEra::start_tool(const Request& request, const Origin& origin, CallFacts facts) {
  const auto refuse = [&](const RpcError& error) { reply_now(origin, request.id, error); };
  const auto found = context_.methods.tool_of(request.params);
  const Tool* tool = found ? *found : nullptr;
  if (tool != nullptr && tool->tasks == TaskSupport::required && !facts.abilities.tasks) {
    return refuse(missing_capability({{"extensions", {{kTasksExtension, Json::object()}}}}));
  }
  if (tool == nullptr) return refuse(found.error());
  const Json arguments = arguments_of(request.params)->arguments;  // as given: headers repeat these
  if (origin.headers != nullptr) {
    if (const Json* schema = member(tool->entry.json(), "inputSchema")) {
      const auto error = check_param_headers(*origin.headers, *schema, arguments);
      if (error) return refuse(*error);
    }
  }
  if (auto taken = take_answers(request, facts); !taken) return refuse(taken.error());
  start_call(
      context_, request.id, origin, true,
      [this, request, tool, arguments, facts = std::move(facts)](
          const std::shared_ptr<Call>& call) { run_tool(request, *tool, arguments, facts, call); });
}

void ModernEra::run_tool(const Request& request, const Tool& tool, const Json& given,
                         const CallFacts& facts, const std::shared_ptr<Call>& call) {
  const Json arguments = context_.methods.read_arguments(tool, given);
  Work work = context_.methods.tool_work(tool, request.params, /*wrap=*/false);
  ProgressCounter progress;
  HandlerContext context(call, facts, progress);
  if (facts.abilities.tasks && tool.tasks != TaskSupport::never &&
      !context_.methods.refuses(tool, arguments)) {
    // As work, so that a failure of these hooks is handled like the tool's own.
    const WorkOutcome plan = run_guarded(
        [&](CallContext& inner) -> WorkOutcome {
          if (tool.tasks == TaskSupport::optional && tool.wants_task &&
              !tool.wants_task(arguments)) {
            return Json(false);
          }
          if (tool.before_task) {
            if (auto asked = tool.before_task(arguments, inner)) return std::move(*asked);
          }
          return Json(true);
        },
        context);
    const Json* wanted = std::get_if<Json>(&plan);
    if (wanted == nullptr) return finish(request, call, facts, plan, {});
    if (wanted->get<bool>()) {
      if (const auto task = context_.tasks.create(work, facts)) {
        call->reply_result(result_text(*task, "task", {}));
        return context_.calls.close(*call);
      }
      if (tool.tasks == TaskSupport::required) {
        return finish(request, call, facts,
                      RpcError{rpc_code::kInternalError, "Too many tasks are running."}, {});
      }
    }
  }
  finish(request, call, facts, run_guarded(work, context), {});
}

void ModernEra::finish(const Request& request, const std::shared_ptr<Call>& call,
                       const CallFacts& facts, WorkOutcome outcome, std::optional<Cache> cache) {
  if (auto* body = std::get_if<Json>(&outcome)) {
    call->reply_result(result_text(std::move(*body), "complete", cache));
  } else if (const auto* required = std::get_if<InputRequired>(&outcome)) {
    ask(request, call, facts, *required);
  } else if (auto* error = std::get_if<RpcError>(&outcome)) {
    if (error->code == rpc_code::kMissingCapability) error->http_status = 400;
    call->reply_error(*error);
  } else {
    const std::string& uri = string_member(request.params, "uri");
    RpcError unknown = invalid_params("Unknown resource: " + uri);
    unknown.data = {{"uri", uri}};
    call->reply_error(unknown);
  }
  context_.calls.close(*call);
}

void ModernEra::ask(const Request& request, const std::shared_ptr<Call>& call,
                    const CallFacts& facts, const InputRequired& required) {
  const std::vector<InputRequest> requests = askable(required.requests, facts.abilities);
  if (requests.empty() && !required.requests.empty()) {
    call->reply_error(missing_capability(needed_capabilities(required.requests)));
    return;
  }
  RequestStates::Memory memory{facts.answers, Json::object(), required.state};
  for (const InputRequest& question : requests) {
    memory.asked[question.key] = requested_schema(question);
    memory.answers.erase(question.key);
  }
  Json body = Json::object();
  if (!requests.empty()) body["inputRequests"] = to_json(requests);
  body["requestState"] =
      context_.states.sign(memory, facts.principal, request_digest(request.method, request.params));
  call->reply_result(result_text(std::move(body), "input_required", {}));
}

}  // namespace server
