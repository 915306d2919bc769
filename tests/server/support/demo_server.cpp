// A small server to test the protocol with.
#include "demo_server.h"

#include <stdexcept>
#include <thread>
#include <utility>

#include "server/mcp/tool_registry.h"

namespace test {
namespace {

using server::CallContext;
using server::CallOutcome;
using server::InputRequest;
using server::InputRequired;
using server::Json;
using server::Tool;

constexpr auto kTick = std::chrono::milliseconds(15);  // above the progress interval

Tool tool(const char* name, const char* description, Json properties, Json required,
          server::CallHandler handler) {
  Json schema = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  Tool made;
  made.entry = Json{{"name", name}, {"description", description}, {"inputSchema", schema}};
  made.handler = std::move(handler);
  return made;
}

server::ToolResult text(std::string value) {
  server::ToolResult result;
  result.content.push_back(server::text_block(std::move(value)));
  return result;
}

InputRequest form(const char* key, const char* message, const char* field) {
  return {key, "elicitation/create",
          Json{{"mode", "form"},
               {"message", message},
               {"requestedSchema",
                {{"type", "object"},
                 {"properties", {{field, {{"type", "string"}, {"minLength", 1}}}}},
                 {"required", {field}}}}}};
}

std::string answered(const CallContext& context, const char* key, const char* field) {
  const auto content = server::accepted_content(context, key);
  return content ? server::string_member(*content, field) : "";
}

CallOutcome count(const Json& arguments, CallContext& context) {
  const int to = arguments.at("to").get<int>();
  for (int i = 0; i <= to; ++i) {
    context.progress().report(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(to),
                              "counting");
    context.log(server::LogLevel::info, Json("at " + std::to_string(i)), "count");
    std::this_thread::sleep_for(kTick);
  }
  return text("counted to " + std::to_string(to));
}

CallOutcome greet(const Json&, CallContext& context) {
  const std::string name = answered(context, "user_name", "name");
  if (!name.empty()) return text("Hello, " + name + "!");
  if (const Json* answer = context.answer("user_name");
      answer != nullptr && server::string_member(*answer, "action") == "decline") {
    return text("Hello, whoever you are!");
  }
  return InputRequired{{form("user_name", "What is your name?", "name")}, ""};
}

CallOutcome register_user(const Json&, CallContext& context) {
  if (context.state().empty()) {
    return InputRequired{{form("login", "Which login?", "login")}, "asked for login"};
  }
  if (answered(context, "mail", "mail").empty()) {
    return InputRequired{{form("mail", "Which mail address?", "mail")}, "asked for mail"};
  }
  return text(answered(context, "login", "login") + " <" + answered(context, "mail", "mail") + ">");
}

CallOutcome summarize(const Json&, CallContext& context) {
  if (const Json* answer = context.answer("summary")) {
    return text(server::string_member(answer->value("content", Json::object()), "text"));
  }
  return InputRequired{
      {{"summary", "sampling/createMessage",
        Json{{"messages",
              Json::array(
                  {Json{{"role", "user"}, {"content", {{"type", "text"}, {"text", "Sum up."}}}}})},
             {"maxTokens", 50}}}},
      ""};
}

CallOutcome wait(const Json&, CallContext& context) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, context.stop(), std::chrono::seconds(30), [] { return false; });
  auto result = text(context.stop().stop_requested() ? "stopped" : "waited in vain");
  result.is_error = true;
  return result;
}

CallOutcome sum(const Json& arguments, CallContext&) {
  Json numbers = Json::array();
  int total = 0;
  for (const Json& number : arguments.at("numbers")) numbers.push_back(total += number.get<int>());
  server::ToolResult result = text(numbers.dump());
  result.structured = numbers;
  return result;
}

std::vector<Tool> demo_tools() {
  const Json string = {{"type", "string"}};
  std::vector<Tool> tools;
  tools.push_back(
      tool("echo", "Returns its text.",
           {{"text", string}, {"style", {{"type", "string"}, {"enum", {"plain", "loud"}}}}},
           {"text"}, [](const Json& arguments, CallContext&) -> CallOutcome {
             return text(server::string_member(arguments, "text"));
           }));
  tools.push_back(tool("count", "Counts, with progress and logs.",
                       {{"to", {{"type", "integer"}, {"minimum", 0}, {"maximum", 10}}}}, {"to"},
                       count));
  tools.push_back(tool("greet", "Asks for a name and greets.", Json::object(), Json(), greet));
  tools.push_back(tool("register", "Asks for a login, then for a mail address.", Json::object(),
                       Json(), register_user));
  tools.push_back(tool("sum", "Running totals of numbers.",
                       {{"numbers", {{"type", "array"}, {"items", {{"type", "integer"}}}}}},
                       {"numbers"}, sum));
  Json entry = tools.back().entry.json();
  entry["outputSchema"] = {{"type", "array"}, {"items", {{"type", "integer"}}}};
  tools.back().entry = entry;
  tools.push_back(tool("wait", "Waits until it is stopped.", Json::object(), Json(), wait));
  tools.push_back(tool("refuse", "Always fails, as a tool does.", Json::object(), Json(),
                       [](const Json&, CallContext&) -> CallOutcome {
                         return server::tool_error("busy: another call holds the line.");
                       }));
  tools.push_back(tool(
      "crash", "Throws.", Json::object(), Json(),
      [](const Json&, CallContext&) -> CallOutcome { throw std::runtime_error("a bug of ours"); }));
  tools.push_back(tool("summarize", "Asks the client's model.", Json::object(), Json(), summarize));
  tools.push_back(tool("job", "A task where the client declares tasks.",
                       {{"instant", {{"type", "boolean"}}}}, Json(), greet));
  tools.back().tasks = server::TaskSupport::optional;
  tools.back().wants_task = [](const Json& arguments) {
    return !arguments.value("instant", false);
  };
  tools.push_back(
      tool("big_job", "A task always; asks before it begins.", Json::object(), Json(), wait));
  tools.back().tasks = server::TaskSupport::required;
  tools.back().before_task = [](const Json&, CallContext& context) -> std::optional<InputRequired> {
    if (!answered(context, "sure", "why").empty()) return std::nullopt;
    return InputRequired{{form("sure", "Why?", "why")}, ""};
  };
  tools.push_back(tool("touch", "Changes the resource demo://note.", Json::object(), Json(),
                       [](const Json&, CallContext&) -> CallOutcome {
                         server::ToolResult result = text("touched");
                         result.structured = Json{{"touched", true}};
                         return result;
                       }));
  tools.back().changed_resources = [](const Json&) {
    return std::vector<std::string>{"demo://note"};
  };
  return tools;
}

class DemoResources final : public server::ResourceProvider {
 public:
  tl::expected<server::ResourcePage, server::RpcError> list(
      const std::optional<std::string>& cursor) override {
    if (cursor && *cursor != "page-2") {
      return tl::unexpected(
          server::RpcError{server::rpc_code::kInvalidParams, "Unknown cursor: " + *cursor});
    }
    if (cursor)
      return server::ResourcePage{Json::array({describe("demo://picture", "picture")}), ""};
    return server::ResourcePage{Json::array({describe("demo://note", "note")}), "page-2"};
  }
  Json templates() override {
    return Json::array({Json{{"uriTemplate", "demo://day/{date}"}, {"name", "day"}}});
  }
  server::ReadOutcome read(const std::string& uri, CallContext&) override {
    if (uri != "demo://note") return server::UnknownResource{};
    return server::ResourceContents{
        Json::array({Json{{"uri", uri}, {"mimeType", "text/plain"}, {"text", "A note."}}})};
  }
  bool can_subscribe(const std::string& uri) override { return uri.starts_with("demo://"); }

 private:
  static Json describe(const char* uri, const char* name) {
    return Json{{"uri", uri}, {"name", name}, {"mimeType", "text/plain"}};
  }
};

constexpr std::string_view kSkill =
    "---\nname: demo-skill\ndescription: >-\n  Shows how a skill\n  is served.\nlicense: MIT\n"
    "metadata:\n  version: 1\n  tags: [a, b]\n---\n# Demo\n";
constexpr std::string_view kFrontmatter =
    R"({"name":"demo-skill","description":"Shows how a skill is served.","license":"MIT",)"
    R"("metadata":{"version":1,"tags":["a","b"]}})";

}  // namespace

server::ServerDefinition demo_definition() {
  server::ServerDefinition definition;
  definition.name = "demo";
  definition.version = "1.0";
  definition.title = "Demo";
  definition.instructions = "For tests.";
  definition.lists_change = true;
  definition.tools = demo_tools();
  definition.resources = std::make_shared<DemoResources>();
  definition.prompts = {
      {Json{{"name", "hello"},
            {"description", "Says hello."},
            {"arguments", Json::array({Json{{"name", "who"}, {"required", true}}})}},
       [](const Json& arguments, CallContext&) -> server::PromptOutcome {
         return server::PromptResult{
             "A greeting",
             Json::array(
                 {Json{{"role", "user"},
                       {"content",
                        {{"type", "text"},
                         {"text", "Hello, " + server::string_member(arguments, "who")}}}}})};
       }}};
  definition.complete = [](const server::CompletionRequest& request) {
    std::vector<std::string> values;
    if (request.value == "many") values.assign(150, "one of many");
    if (request.value == "A") values = {"Ada", "Alan"};
    return values;
  };
  definition.skills = {{"demo-skill/SKILL.md", kSkill, kFrontmatter},
                       {"demo-skill/references/more.md", "More.\n", {}}};
  return definition;
}

void RecordingChannel::add(std::string_view text) {
  {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(text);
  }
  changed_.notify_all();
}

void RecordingChannel::reply(std::string_view text, int http_status) {
  {
    const std::lock_guard lock(mutex_);
    http_status_ = http_status;
  }
  add(text);
}

void RecordingChannel::abandon() {
  const std::lock_guard lock(mutex_);
  ++abandoned_;
}

std::vector<std::string> RecordingChannel::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

std::vector<std::string> RecordingChannel::wait_for(std::size_t count,
                                                    std::chrono::milliseconds limit) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, limit, [&] { return lines_.size() >= count; });
  return lines_;
}

int RecordingChannel::http_status() const {
  const std::lock_guard lock(mutex_);
  return http_status_;
}

int RecordingChannel::abandoned() const {
  const std::lock_guard lock(mutex_);
  return abandoned_;
}

DemoServer::DemoServer(server::DispatcherOptions options)
    : dispatcher(definition, clock, std::move(options)), session(dispatcher.make_session(client)) {}

void DemoServer::send(const std::string& text) {
  auto message = server::parse_json(text);
  if (!message) return dispatcher.refuse(message.error(), text, *client);
  dispatcher.receive({std::move(*message), client, session, std::nullopt, "local"});
}

server::Json DemoServer::ask(const std::string& text) {
  const std::size_t before = client->lines().size();
  send(text);
  return message(before);
}

server::Json DemoServer::message(std::size_t index) {
  const auto lines = client->wait_for(index + 1);
  if (lines.size() <= index) throw std::runtime_error("The server sent nothing more.");
  return core::json_of(lines[index]);
}

std::string modern(const std::string& id, const std::string& method, const std::string& params,
                   const std::string& capabilities, const std::string& more_meta) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":")" + method + R"(","params":{)" + params +
         (params.empty() ? "" : ",") +
         R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
         R"("io.modelcontextprotocol/clientCapabilities":)" +
         capabilities + (more_meta.empty() ? "" : ",") + more_meta + "}}}";
}

std::string legacy(const std::string& id, const std::string& method, const std::string& params) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":")" + method + R"(","params":{)" + params +
         "}}";
}

std::string initialize(const std::string& version, const std::string& capabilities) {
  return legacy("0", "initialize",
                R"("protocolVersion":")" + version + R"(","capabilities":)" + capabilities +
                    R"(,"clientInfo":{"name":"test","version":"1"})");
}

}  // namespace test
