// The handshake eras.
#include "server/mcp/legacy.h"

#include <utility>

#include "server/mcp/questions.h"
#include "server/mcp/versions.h"

namespace server {
namespace {

// What this version's clients know of what they declare.
ClientAbilities abilities_in(const Json& capabilities, std::string_view version) {
  ClientAbilities abilities = abilities_from(capabilities);
  abilities.tasks = false;
  if (version < "2025-06-18") abilities.form_elicitation = false;
  if (version < "2025-11-25") abilities.url_elicitation = false;
  return abilities;
}

// Modes came with 2025-11-25.
Json params_in(const InputRequest& request, std::string_view version) {
  Json params = request.params;
  if (version < "2025-11-25" && params.is_object()) params.erase("mode");
  return params;
}

std::string keys_of(const std::vector<InputRequest>& requests) {
  std::string keys;
  for (const InputRequest& request : requests) {
    keys += (keys.empty() ? "'" : ", '") + request.key + "'";
  }
  return keys;
}

}  // namespace

// One round of questions and the answers that have come in.
struct LegacyEra::Interview {
  std::shared_ptr<Job> job;
  std::vector<InputRequest> questions;
  std::string state;

  std::mutex mutex;
  std::vector<std::int64_t> ids;  // of the requests to the client
  std::size_t open = 0;
  Json answers = Json::object();
  std::string trouble;
  std::uint64_t alarm = 0;
  std::optional<std::stop_callback<std::function<void()>>> on_stop;
};

OrRpcError<Json> LegacyEra::initialize(const Json& params, Session& session) const {
  const Json* asked = member(params, "protocolVersion");
  if (asked == nullptr || !asked->is_string()) {
    return tl::unexpected(invalid_params("'protocolVersion' must be a string."));
  }
  std::string version = asked->get<std::string>();
  if (!is_legacy_version(version)) version = kLegacyVersions.front();
  const Json* capabilities = given_member(params, "capabilities");
  session.negotiated(version, abilities_in(capabilities ? *capabilities : Json::object(), version));
  Json result = {{"protocolVersion", version},
                 {"capabilities", context_.methods.capabilities(false)},
                 {"serverInfo", context_.methods.server_info()}};
  if (!context_.definition.instructions.empty()) {
    result["instructions"] = context_.definition.instructions;
  }
  return result;
}

std::optional<OrRpcError<Json>> LegacyEra::answer_now(const Request& request, Session& session) {
  Methods& methods = context_.methods;
  const std::string& method = request.method;
  const Json& params = request.params;
  if (method == "initialize") return initialize(params, session);
  if (method == "tools/list" && !context_.definition.tools.empty()) {
    return methods.list_tools(params, false);
  }
  if (method == "prompts/list" && methods.has_prompts()) return methods.list_prompts(params);
  if (method == "logging/setLevel" && context_.definition.logging) {
    const auto level = log_level_from(string_member(params, "level"));
    if (!level) return tl::unexpected(invalid_params("'level' is none of the log levels."));
    session.set_log_level(*level);
    return Json::object();
  }
  if (methods.has_resources()) {
    if (method == "resources/templates/list") return methods.list_templates(params);
    if (method == "resources/subscribe" || method == "resources/unsubscribe") {
      const Json* given = member(params, "uri");
      if (given == nullptr || !given->is_string()) {
        return tl::unexpected(invalid_params("'uri' must be a string."));
      }
      const auto& uri = given->get_ref<const std::string&>();
      if (method == "resources/unsubscribe") {
        session.unsubscribe(uri);
        return Json::object();
      }
      if (!methods.can_subscribe(uri)) {
        return tl::unexpected(RpcError{rpc_code::kResourceNotFound,
                                       "This resource cannot be subscribed to.",
                                       Json{{"uri", uri}}});
      }
      if (!session.subscribe(uri)) {
        return tl::unexpected(RpcError{rpc_code::kInternalError, "Too many subscriptions."});
      }
      context_.watch.start();
      return Json::object();
    }
  }
  if (methods.has_skills()) {
    if (method == "skills/list") return methods.list_skills(params);
    if (method == "skills/get") return methods.get_skill(params);
    if (method == "resources/directory/read") return methods.read_folder(params);
  }
  return std::nullopt;
}

OrRpcError<Work> LegacyEra::work_of(const Request& request) {
  Methods& methods = context_.methods;
  const std::string& method = request.method;
  if (method == "tools/call" && !context_.definition.tools.empty()) {
    const auto tool = methods.tool_of(request.params);
    if (!tool) return tl::unexpected(tool.error());
    if ((*tool)->tasks == TaskSupport::required) {
      return tl::unexpected(RpcError{rpc_code::kInvalidRequest,
                                     "The tool " + (*tool)->name() +
                                         " runs as a task only, which needs protocol version " +
                                         std::string(kModernVersion) + "."});
    }
    return methods.tool_work(**tool, request.params, /*wrap=*/true);
  }
  if (method == "prompts/get" && methods.has_prompts()) return methods.prompt_work(request.params);
  if (method == "resources/read" && methods.has_resources()) {
    return methods.read_work(request.params);
  }
  if (method == "resources/list" && methods.has_resources()) {
    return methods.resources_work(request.params);
  }
  if (method == "completion/complete" && methods.has_completions()) {
    return methods.completion_work(request.params);
  }
  return tl::unexpected(RpcError{rpc_code::kMethodNotFound, "Method not found: " + method});
}

void LegacyEra::handle(Request request, const Origin& origin) {
  if (request.method == "ping") return reply_now(origin, request.id, "{}");
  if (request.method == "tools/list" && given_member(request.params, "cursor") == nullptr &&
      !context_.definition.tools.empty()) {
    const std::lock_guard lock(text_mutex_);
    if (tools_text_.empty()) {
      tools_text_ = core::lenient_json_text(*context_.methods.list_tools(request.params, false));
    }
    return reply_now(origin, request.id, tools_text_);
  }
  if (const auto answer = answer_now(request, *origin.session)) {
    if (!*answer) return reply_now(origin, request.id, answer->error());
    return reply_now(origin, request.id, core::lenient_json_text(**answer));
  }
  auto work = work_of(request);
  if (!work) return reply_now(origin, request.id, work.error());
  auto job = std::make_shared<Job>();
  job->work = std::move(*work);
  job->is_tool = request.method == "tools/call";
  job->uri = string_member(request.params, "uri");
  job->facts.modern = false;
  job->facts.abilities = origin.session->abilities();
  job->facts.principal = origin.principal;
  job->facts.progress_messages = origin.session->version() != "2024-11-05";
  if (const Json* meta = member(request.params, "_meta")) {
    const Json* token = member(*meta, "progressToken");
    if (token != nullptr && request_id_from(*token)) job->facts.progress_token = *token;
  }
  start_call(context_, request.id, origin, false, [this, job](const std::shared_ptr<Call>& call) {
    job->call = call;
    run(job);
  });
}

void LegacyEra::run(const std::shared_ptr<Job>& job) {
  if (job->call->over()) return context_.calls.close(*job->call);
  WorkOutcome outcome = [&] {
    HandlerContext context(job->call, job->facts, job->progress);
    return run_guarded(job->work, context);
  }();
  if (const auto* required = std::get_if<InputRequired>(&outcome)) return ask(job, *required);
  if (const auto* body = std::get_if<Json>(&outcome)) {
    job->call->reply_result(core::lenient_json_text(*body));
  } else if (const auto* error = std::get_if<RpcError>(&outcome)) {
    RpcError in_band = *error;
    in_band.http_status = 200;
    job->call->reply_error(in_band);
  } else {
    job->call->reply_error(RpcError{rpc_code::kResourceNotFound, "Resource not found: " + job->uri,
                                    Json{{"uri", job->uri}}});
  }
  context_.calls.close(*job->call);
}

void LegacyEra::give_up(Job& job, const std::string& why) {
  if (job.is_tool) {
    job.call->reply_result(core::lenient_json_text(
        Json{{"content", Json::array({text_block(why)})}, {"isError", true}}));
  } else {
    job.call->reply_error(RpcError{rpc_code::kInternalError, why});
  }
  context_.calls.close(*job.call);
}

void LegacyEra::ask(const std::shared_ptr<Job>& job, const InputRequired& required) {
  auto interview = std::make_shared<Interview>();
  interview->job = job;
  interview->state = required.state;
  interview->questions = askable(required.requests, job->facts.abilities);
  interview->open = interview->questions.size();
  if (++job->round > kMaxQuestionRounds) {
    return give_up(*job, "invalid_argument: the answers to " + keys_of(required.requests) +
                             " could not be used.\nNext step: call again with them as arguments.");
  }
  if (interview->questions.empty() && !required.requests.empty()) {
    return give_up(*job, "invalid_argument: " + keys_of(required.requests) +
                             " would have to be asked, but this client cannot be asked.\n"
                             "Next step: call again with them as arguments.");
  }
  if (interview->questions.empty()) return conclude(interview);
  send_questions(interview);
}

void LegacyEra::send_questions(const std::shared_ptr<Interview>& interview) {
  const std::shared_ptr<Call> call = interview->job->call;
  const std::shared_ptr<Session> session = call->session();
  std::vector<std::int64_t> ids;
  for (const InputRequest& question : interview->questions) {
    ids.push_back(
        session->expect([this, interview, question](const std::variant<Json, RpcError>& answer) {
          {
            const std::lock_guard lock(interview->mutex);
            if (const auto* error = std::get_if<RpcError>(&answer)) {
              interview->trouble = error->message;
            } else if (const Json& given = std::get<Json>(answer);
                       fits(requested_schema(question), given)) {
              interview->answers[question.key] = given;
            }
            if (--interview->open > 0) return;
          }
          conclude(interview);
        }));
  }
  const auto drop_all = [session, ids](const char* why) {
    for (const std::int64_t id : ids) {
      session->drop(id, RpcError{rpc_code::kInternalError, why});
    }
  };
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const InputRequest& question = interview->questions[i];
    call->send(encode_request(ids[i], question.method, params_in(question, session->version())));
  }
  {
    const std::lock_guard lock(interview->mutex);
    if (interview->open == 0) return;
    // Once they are sent: what takes a question back must not come before it.
    interview->alarm = context_.alarms.after(context_.question_timeout, [drop_all, call, ids] {
      for (const std::int64_t id : ids) {
        call->send(encode_notification("notifications/cancelled",
                                       {{"requestId", id}, {"reason", "No answer in time."}}));
      }
      drop_all("there was no answer in time");
    });
  }
  // Last, as a stop that came first runs the callback here and now.
  interview->on_stop.emplace(call->stop(), [drop_all] { drop_all("the call was cancelled"); });
}

void LegacyEra::conclude(const std::shared_ptr<Interview>& interview) {
  const std::shared_ptr<Job> job = interview->job;
  {
    // Pairs with the thread that sent the questions.
    const std::lock_guard lock(interview->mutex);
    context_.alarms.cancel(interview->alarm);
  }
  if (!interview->trouble.empty()) {
    return give_up(*job, "invalid_argument: " + keys_of(interview->questions) +
                             " could not be asked: " + interview->trouble +
                             "\nNext step: call again with them as arguments.");
  }
  for (const InputRequest& question : interview->questions) job->facts.answers.erase(question.key);
  job->facts.answers.update(well_formed_answers(interview->answers));
  job->facts.state = interview->state;
  if (!context_.executor.submit([this, job] { run(job); })) {
    give_up(*job, "internal: the server is stopping or has too many requests waiting.");
  }
}

void LegacyEra::on_change(Session& session, const Change& change) const {
  if (session.version().empty()) return;
  switch (change.kind) {
    case Change::Kind::tools_list:
      if (context_.definition.lists_change) {
        session.send(encode_notification("notifications/tools/list_changed", {}));
      }
      break;
    case Change::Kind::prompts_list:
      if (context_.definition.lists_change) {
        session.send(encode_notification("notifications/prompts/list_changed", {}));
      }
      break;
    case Change::Kind::resources_list:
      if (context_.definition.resources) {
        session.send(encode_notification("notifications/resources/list_changed", {}));
      }
      break;
    case Change::Kind::resource:
      if (session.subscribed(change.uri)) {
        session.send(encode_notification("notifications/resources/updated", {{"uri", change.uri}}));
      }
      break;
  }
}

}  // namespace server
