// Fuzz target: any message through the whole library, in both eras. Each request gets one reply,
// and it is JSON.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>

#include "server/jsonrpc/jsonrpc.h"
#include "server/mcp/dispatcher.h"

namespace {

using server::Json;

class Channel final : public server::ReplyChannel {
 public:
  void send(std::string_view text) override { check(text); }
  void reply(std::string_view text, int) override {
    check(text);
    if (replies_.fetch_add(1) > 0) std::abort();
  }

 private:
  static void check(std::string_view text) {
    if (!server::parse_json(text)) std::abort();
  }
  std::atomic<int> replies_{0};
};

class Outlet final : public server::SessionOutlet {
 public:
  void send(std::string_view text) override {
    if (!server::parse_json(text)) std::abort();
  }
};

server::ServerDefinition definition() {
  server::ServerDefinition out;
  out.name = "fuzz";
  out.version = "1";
  out.lists_change = true;
  server::Tool echo;
  echo.entry = Json::parse(R"({"name":"echo","description":"echo","inputSchema":{"type":"object",
    "properties":{"text":{"type":"string","x-mcp-header":"Text"}},"required":["text"]}})");
  echo.handler = [](const Json& arguments, server::CallContext&) -> server::CallOutcome {
    return server::ToolResult{Json::array({{{"type", "text"}, {"text", arguments.at("text")}}}),
                              std::nullopt, false};
  };
  echo.tasks = server::TaskSupport::optional;
  out.tools.push_back(echo);
  server::Tool ask;
  ask.entry = Json::parse(R"({"name":"ask","description":"ask","inputSchema":{"type":"object"}})");
  ask.handler = [](const Json&, server::CallContext& context) -> server::CallOutcome {
    if (context.answer("q") != nullptr) return server::ToolResult{};
    return server::InputRequired{
        {{"q", "elicitation/create", {{"message", "?"}, {"requestedSchema", Json::object()}}}},
        "s"};
  };
  out.tools.push_back(ask);
  out.skills = {{"fuzz-skill/SKILL.md", "---\nname: fuzz-skill\ndescription: d\n---\n",
                 R"({"name":"fuzz-skill","description":"d"})"}};
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const server::ServerDefinition kDefinition = definition();
  static server::Dispatcher& dispatcher =
      *new server::Dispatcher(kDefinition, core::system_clock(), [] {
        server::DispatcherOptions options;
        options.workers = 1;
        options.question_timeout = std::chrono::milliseconds(1);
        return options;
      }());
  auto json = server::parse_json({reinterpret_cast<const char*>(data), size});
  if (!json) return 0;
  const auto session = dispatcher.make_session(std::make_shared<Outlet>());
  for (const bool with_session : {false, true}) {
    const auto channel = std::make_shared<Channel>();
    server::Incoming incoming;
    incoming.message = *json;
    incoming.reply = channel;
    if (with_session) {
      session->negotiated("2025-11-25", {});
      incoming.session = session;
    } else if (server::classify(*json, std::nullopt) != server::MessageKind::modern) {
      continue;
    }
    dispatcher.receive(std::move(incoming));
    dispatcher.peer_gone(*channel);
  }
  dispatcher.end_session(session);
  for (int i = 0; i < 2000 && dispatcher.running() > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return 0;
}
