// The dispatcher's promises that a transcript cannot show: cancelling, ids, order of checks, ends.
#include "server/mcp/dispatcher.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "server/mcp/handler_context.h"
#include "server/mcp/tasks.h"
#include "support/catch.h"
#include "tests/server/support/demo_server.h"

using server::HeaderFacts;
using server::Json;
using test::DemoServer;
using test::initialize;
using test::legacy;
using test::modern;
using test::RecordingChannel;
using namespace std::chrono_literals;

namespace {

// A POST of its own, as HTTP has one for each message.
struct Post {
  std::shared_ptr<RecordingChannel> channel = std::make_shared<RecordingChannel>();

  bool send(DemoServer& server, const std::string& text, HeaderFacts headers,
            const std::string& principal = "local") const {
    return server.dispatcher.receive(
        {core::json_of(text), channel, nullptr, std::move(headers), principal});
  }
  Json message(std::size_t index) const {
    return core::json_of(channel->wait_for(index + 1).at(index));
  }
};

HeaderFacts facts(const char* method, const char* name = nullptr) {
  HeaderFacts headers;
  headers.protocol_version = "2026-07-28";
  headers.method = method;
  if (name != nullptr) headers.name = name;
  return headers;
}

bool until(const std::function<bool()>& reached) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!reached()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

}  // namespace

TEST_CASE("Quick requests are answered while a tool runs") {
  DemoServer server;
  server.send(initialize());
  server.send(legacy("1", "tools/call", R"("name":"wait")"));
  CHECK(server.ask(legacy("2", "ping")).at("id") == 2);
  server.send(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
  CHECK(until([&] { return server.dispatcher.running() == 0; }));
  CHECK(server.client->lines().size() == 2);
  CHECK(server.client->abandoned() == 1);
}

TEST_CASE("An id in use is refused, and free again afterwards") {
  DemoServer server;
  server.send(legacy("1", "tools/call", R"("name":"wait")"));
  CHECK(server.ask(legacy("1", "tools/call", R"("name":"echo","arguments":{"text":"x"})"))
            .at("error")
            .at("code") == -32600);
  server.send(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
  REQUIRE(until([&] { return server.dispatcher.running() == 0; }));
  CHECK(server.ask(legacy("1", "tools/call", R"("name":"echo","arguments":{"text":"x"})"))
            .contains("result"));
}

TEST_CASE("An id is free again before its reply can be read, and once its call is cancelled") {
  class Looks final : public server::ReplyChannel {
   public:
    explicit Looks(server::Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
    void send(std::string_view) override {}
    void reply(std::string_view, int) override { running = dispatcher_.running(); }
    std::atomic<std::size_t> running{99};

   private:
    server::Dispatcher& dispatcher_;
  };
  DemoServer server;
  for (const std::string& call :
       {legacy("1", "tools/call", R"("name":"echo","arguments":{"text":"x"})"),
        modern("1", "tools/call", R"("name":"echo","arguments":{"text":"x"})")}) {
    const auto channel = std::make_shared<Looks>(server.dispatcher);
    server::Incoming incoming;
    incoming.message = core::json_of(call);
    incoming.reply = channel;
    incoming.session = server.session;
    CHECK(server.dispatcher.receive(std::move(incoming)));
    CHECK(until([&] { return channel->running != 99; }));
    CHECK(channel->running == 0);
  }
  server.send(legacy("1", "tools/call", R"("name":"wait")"));
  server.send(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
  CHECK(server.dispatcher.running() == 0);
}

TEST_CASE("After a cancellation the id's next answer comes behind one that is being written") {
  class Slow final : public server::ReplyChannel {
   public:
    void send(std::string_view) override {}
    void reply(std::string_view text, int) override {
      if (text.find("the first") != std::string_view::npos) {
        writing = true;
        until([&] { return go_on.load(); });
      }
      const std::lock_guard lock(mutex_);
      replies_.emplace_back(text);
    }
    std::vector<std::string> replies() const {
      const std::lock_guard lock(mutex_);
      return replies_;
    }
    std::atomic<bool> writing{false};
    std::atomic<bool> go_on{false};

   private:
    mutable std::mutex mutex_;
    std::vector<std::string> replies_;
  };
  DemoServer server;
  const auto channel = std::make_shared<Slow>();
  const auto receive = [&](const std::string& text) {
    server::Incoming incoming;
    incoming.message = core::json_of(text);
    incoming.reply = channel;
    incoming.session = server.session;
    server.dispatcher.receive(std::move(incoming));
  };
  receive(legacy("1", "tools/call", R"("name":"echo","arguments":{"text":"the first"})"));
  REQUIRE(until([&] { return channel->writing.load(); }));
  std::atomic<bool> cancelling{false};
  std::thread reader([&] {
    cancelling = true;
    receive(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
    receive(legacy("1", "ping"));
  });
  until([&] { return cancelling.load(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // in which it must not answer
  CHECK(channel->replies().empty());
  channel->go_on = true;
  reader.join();
  const auto replies = channel->replies();
  REQUIRE(replies.size() == 2);
  CHECK(replies[0].find("the first") != std::string::npos);
}

TEST_CASE("An id as text and the same as number are two") {
  DemoServer server;
  server.send(legacy("1", "tools/call", R"("name":"wait")"));
  server.send(legacy("\"1\"", "tools/call", R"("name":"wait")"));
  CHECK(server.dispatcher.running() == 2);
  server.send(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"1"}})");
  CHECK(until([&] { return server.dispatcher.running() == 1; }));
}

TEST_CASE("Cancelling what is not there does nothing") {
  DemoServer server;
  for (const char* params :
       {"{}", R"({"requestId":5})", R"({"requestId":null})", R"({"requestId":[]})"}) {
    server.send(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":)" +
                std::string(params) + "}");
  }
  CHECK(server.ask(legacy("1", "ping")).contains("result"));
}

TEST_CASE("A client of 2026-07-28 that disconnects cancels its call") {
  DemoServer server;
  Post post;
  CHECK(post.send(server, modern("1", "tools/call", R"("name":"wait")"),
                  facts("tools/call", "wait")));
  CHECK(server.dispatcher.running() == 1);
  server.dispatcher.peer_gone(*post.channel);
  CHECK(until([&] { return server.dispatcher.running() == 0; }));
  CHECK(post.channel->lines().empty());
}

TEST_CASE("A client of the handshake eras that disconnects does not") {
  DemoServer server;
  server.send(initialize());
  server.send(legacy("1", "tools/call", R"("name":"wait")"));
  server.dispatcher.peer_gone(*server.client);
  CHECK(server.dispatcher.running() == 1);
  server.dispatcher.end_session(server.session);
  CHECK(until([&] { return server.dispatcher.running() == 0; }));
  CHECK(server.client->lines().size() == 1);
}

TEST_CASE("The same id in two POSTs belongs to two calls") {
  DemoServer server;
  Post one;
  Post two;
  one.send(server, modern("1", "tools/call", R"("name":"wait")"), facts("tools/call", "wait"));
  two.send(server, modern("1", "tools/call", R"("name":"wait")"), facts("tools/call", "wait"));
  CHECK(server.dispatcher.running() == 2);
  server.dispatcher.peer_gone(*one.channel);
  CHECK(until([&] { return server.dispatcher.running() == 1; }));
}

TEST_CASE("A 2026-07-28 request is checked in the specification's order") {
  DemoServer server;
  const auto refusal = [&](const std::string& text, HeaderFacts headers) {
    const Post post;
    post.send(server, text, std::move(headers));
    return std::pair(post.message(0).at("error").at("code").get<int>(),
                     post.channel->http_status());
  };
  HeaderFacts wrong = facts("nothing", "nothing");
  wrong.protocol_version = "1999-01-01";
  const std::string call = R"("name":"echo","arguments":{"text":"x"})";
  // Each request is wrong in what is checked here and in everything that is checked later.
  CHECK(refusal(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":
      {"io.modelcontextprotocol/protocolVersion":"1999-01-02"}}})",
                wrong) == std::pair(-32602, 400));
  CHECK(refusal(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":
      {"io.modelcontextprotocol/protocolVersion":"1999-01-02",
       "io.modelcontextprotocol/clientCapabilities":{}}}})",
                wrong) == std::pair(-32020, 400));
  CHECK(refusal(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":
      {"io.modelcontextprotocol/protocolVersion":"1999-01-01",
       "io.modelcontextprotocol/clientCapabilities":{}}}})",
                wrong) == std::pair(-32022, 400));
  CHECK(refusal(modern("1", "no/method"), facts("nothing")) == std::pair(-32020, 400));
  CHECK(refusal(modern("1", "no/method"), facts("no/method")) == std::pair(-32601, 404));
  CHECK(refusal(modern("1", "tools/call", call), facts("tools/call", "other")) ==
        std::pair(-32020, 400));
  CHECK(refusal(modern("1", "tools/call", R"("name":"big_job","arguments":7)"),
                facts("tools/call", "big_job")) == std::pair(-32602, 200));
  CHECK(refusal(modern("1", "tools/call", R"("name":"big_job")"), facts("tools/call", "big_job")) ==
        std::pair(-32021, 400));
  CHECK(refusal(legacy("1", "tools/list"), facts("tools/list")) == std::pair(-32602, 400));
}

TEST_CASE("What carries no claim belongs to a session") {
  CHECK(server::classify(core::json_of(modern("1", "initialize")), {}) ==
        server::MessageKind::modern);
  CHECK(server::classify(core::json_of(initialize()), {}) ==
        server::MessageKind::legacy_initialize);
  CHECK(server::classify(core::json_of(legacy("1", "ping")), {}) == server::MessageKind::legacy);
  CHECK(server::classify(core::json_of(legacy("1", "ping")), facts("ping")) ==
        server::MessageKind::modern);
  CHECK(server::classify(core::json_of("[]"), {}) == server::MessageKind::legacy);
  DemoServer server;
  const Post post;
  CHECK(post.send(server, legacy("1", "ping"), {}));
  CHECK(post.message(0).at("error").at("code") == -32600);
  CHECK(post.channel->http_status() == 400);
}

TEST_CASE("Progress grows also when a handler begins again after a question") {
  server::ProgressCounter counter;
  CHECK(counter.next(5, 5, "check")->progress == 5);
  counter.begin_round();
  const auto again = counter.next(5, 5, "check");
  REQUIRE(again);
  CHECK(again->progress == 10);
  CHECK(again->total == 10);
}

TEST_CASE("Notifications and awaited responses get no reply, strange responses do") {
  DemoServer server;
  const Post post;
  CHECK_FALSE(post.send(server, R"({"jsonrpc":"2.0","method":"notifications/x"})", {}));
  CHECK(post.send(server, R"({"jsonrpc":"2.0","id":1,"result":{}})", {}));
  CHECK(post.channel->http_status() == 400);
}

TEST_CASE("A task and a requestState of one principal are nothing to another") {
  DemoServer server;
  const std::string caps =
      R"({"elicitation":{},"extensions":{"io.modelcontextprotocol/tasks":{}}})";
  Post create;
  create.send(server, modern("1", "tools/call", R"("name":"job")", caps),
              facts("tools/call", "job"), "ann");
  const std::string id = create.message(0).at("result").at("taskId").get<std::string>();
  const auto get = [&](const char* principal) {
    Post post;
    post.send(server, modern("1", "tasks/get", R"("taskId":")" + id + "\"", caps),
              facts("tasks/get", id.c_str()), principal);
    return post.message(0);
  };
  CHECK(get("ann").contains("result"));
  CHECK(get("bob").at("error").at("code") == -32602);
  CHECK(id.size() >= 22);

  Post question;
  question.send(server, modern("1", "tools/call", R"("name":"greet")", caps),
                facts("tools/call", "greet"), "ann");
  const std::string state = question.message(0).at("result").at("requestState").get<std::string>();
  Post stolen;
  stolen.send(server,
              modern("2", "tools/call", R"("name":"greet","requestState":")" + state + "\"", caps),
              facts("tools/call", "greet"), "bob");
  CHECK(stolen.message(0).at("error").at("code") == -32602);
}

TEST_CASE("A question that is not answered in time becomes an error the model can read") {
  server::DispatcherOptions options;
  options.question_timeout = 0ms;  // not even then before the question
  DemoServer server(std::move(options));
  server.send(initialize("2025-11-25", R"({"elicitation":{}})"));
  server.send(legacy("1", "tools/call", R"("name":"greet")"));
  const auto lines = server.client->wait_for(4);
  REQUIRE(lines.size() == 4);
  CHECK(core::json_of(lines[1]).at("method") == "elicitation/create");
  CHECK(core::json_of(lines[2]).at("method") == "notifications/cancelled");
  CHECK(core::json_of(lines[3]).at("result").at("isError") == true);
}

TEST_CASE("A server that stops ends its streams with a result, and its calls") {
  DemoServer server;
  server.send(modern("7", "subscriptions/listen", R"("notifications":{"toolsListChanged":true})"));
  server.send(modern("8", "tools/call", R"("name":"wait")"));
  REQUIRE(server.client->wait_for(1).size() == 1);
  CHECK(server.dispatcher.shutdown(10s));
  const auto lines = server.client->wait_for(4);
  REQUIRE(lines.size() == 4);
  const Json end = core::json_of(lines[1]);
  CHECK(end.at("id") == 7);
  CHECK(end.at("result").at("resultType") == "complete");
  CHECK(end.at("result").at("_meta").at("io.modelcontextprotocol/subscriptionId") == 7);
  CHECK(core::json_of(lines[2]).at("method") == "notifications/cancelled");
  CHECK(core::json_of(lines[3]).at("result").at("content").at(0).at("text") == "stopped");
  CHECK(server.ask(legacy("9", "ping")).at("error").at("code") == -32603);
}

TEST_CASE("Lists that change are announced to whoever wants to know") {
  DemoServer server;
  server.send(
      modern("1", "subscriptions/listen", R"("notifications":{"promptsListChanged":true})"));
  REQUIRE(server.client->wait_for(1).size() == 1);
  server.definition.changes->announce({server::Change::Kind::tools_list, {}});
  server.definition.changes->announce({server::Change::Kind::prompts_list, {}});
  const auto lines = server.client->wait_for(2);
  REQUIRE(lines.size() == 2);
  CHECK(core::json_of(lines[1]).at("method") == "notifications/prompts/list_changed");
}

TEST_CASE("A full queue refuses instead of growing") {
  server::DispatcherOptions options;
  options.workers = 1;
  DemoServer server(std::move(options));
  const std::size_t sent = server::Dispatcher::kMaxQueued + 2;
  for (std::size_t i = 0; i < sent; ++i) {
    server.send(legacy(std::to_string(i), "tools/call", R"("name":"wait")"));
  }
  const auto lines = server.client->wait_for(1);
  REQUIRE_FALSE(lines.empty());
  CHECK(core::json_of(lines[0]).at("error").at("code") == -32603);
  server.dispatcher.end_session(server.session);
}

TEST_CASE("Two hundred calls from two threads each get their own reply") {
  DemoServer server;
  const auto call = [&](int from) {
    for (int i = from; i < from + 100; ++i) {
      server.send(legacy(std::to_string(i), "tools/call",
                         R"("name":"echo","arguments":{"text":")" + std::to_string(i) + "\"}"));
    }
  };
  std::thread other([&] { call(1000); });
  call(0);
  other.join();
  const auto lines = server.client->wait_for(200);
  REQUIRE(lines.size() == 200);
  std::set<int> seen;
  for (const std::string& line : lines) {
    const Json reply = core::json_of(line);
    const int id = reply.at("id").get<int>();
    CHECK(reply.at("result").at("content").at(0).at("text") == std::to_string(id));
    seen.insert(id);
  }
  CHECK(seen.size() == 200);
}

TEST_CASE("A structured result that does not fit its outputSchema is an error when checked") {
  server::DispatcherOptions options;
  options.check_output = true;
  test::FakeClock clock;
  server::ServerDefinition definition = test::demo_definition();
  for (server::Tool& tool : definition.tools) {
    if (tool.name() != "sum") continue;
    Json entry = tool.entry.json();
    entry["outputSchema"] = {{"type", "array"}, {"items", {{"type", "string"}}}};
    tool.entry = entry;
  }
  server::Dispatcher dispatcher(definition, clock, std::move(options));
  const auto channel = std::make_shared<RecordingChannel>();
  dispatcher.receive(
      {core::json_of(modern("1", "tools/call", R"("name":"sum","arguments":{"numbers":[1]})")),
       channel, nullptr, std::nullopt, "local"});
  CHECK(core::json_of(channel->wait_for(1).at(0)).at("error").at("code") == -32603);
}

TEST_CASE("Completion gives at most 100 values and says how many there are") {
  DemoServer server;
  const Json reply = server.ask(modern(
      "1", "completion/complete",
      R"("ref":{"type":"ref/prompt","name":"hello"},"argument":{"name":"who","value":"many"})"));
  const Json& completion = reply.at("result").at("completion");
  CHECK(completion.at("values").size() == 100);
  CHECK(completion.at("total") == 150);
  CHECK(completion.at("hasMore") == true);
}

TEST_CASE("A task that waits for answers in vain expires, as a finished one does") {
  DemoServer server;
  const std::string caps =
      R"({"elicitation":{},"extensions":{"io.modelcontextprotocol/tasks":{}}})";
  const Json made = server.ask(modern("1", "tools/call", R"("name":"job")", caps));
  const std::string id = R"("taskId":")" + made.at("result").at("taskId").get<std::string>() + "\"";
  const auto get = [&] { return server.ask(modern("2", "tasks/get", id, caps)); };
  Json task;
  for (int i = 0; i < 500 && task != "input_required"; ++i) {
    task = get().at("result").at("status");
    std::this_thread::sleep_for(10ms);
  }
  REQUIRE(task == "input_required");
  server.clock.advance(server::TaskStore::kLifetime);
  CHECK(get().contains("result"));
  server.clock.advance(std::chrono::seconds(1));
  CHECK(get().at("error").at("code") == -32602);
}

namespace {

// Changes that another process makes, for a test to make.
class OthersResources final : public server::ResourceProvider {
 public:
  tl::expected<server::ResourcePage, server::RpcError> list(
      const std::optional<std::string>&) override {
    return server::ResourcePage{};
  }
  server::ReadOutcome read(const std::string&, server::CallContext&) override {
    return server::UnknownResource{};
  }
  bool can_subscribe(const std::string&) override { return true; }
  std::function<std::vector<std::string>()> watch() override {
    ++watches;
    return [this] {
      ++looks;
      const std::lock_guard lock(mutex);
      if (!changed.empty() && call_of_ours) call_of_ours();
      return std::exchange(changed, {});
    };
  }

  void change(std::vector<std::string> uris) {
    const std::lock_guard lock(mutex);
    changed = std::move(uris);
  }

  std::function<void()> call_of_ours;  // runs just before a change is found
  std::atomic<int> watches{0};
  std::atomic<int> looks{0};

 private:
  std::mutex mutex;
  std::vector<std::string> changed;
};

struct WatchedServer {
  WatchedServer() {
    definition.name = "watched";
    definition.resources = resources;
    server::DispatcherOptions options;
    options.watch_interval = 5ms;
    dispatcher.emplace(definition, core::system_clock(), std::move(options));
    session = dispatcher->make_session(client);
  }
  void send(const std::string& text) {
    dispatcher->receive({core::json_of(text), client, session, std::nullopt, "local"});
  }
  // Waits for `count` more looks.
  bool looks_again(int count) const {
    const int before = resources->looks;
    for (int i = 0; i < 1000 && resources->looks < before + count; ++i) {
      std::this_thread::sleep_for(5ms);
    }
    return resources->looks >= before + count;
  }

  std::shared_ptr<OthersResources> resources = std::make_shared<OthersResources>();
  server::ServerDefinition definition;
  std::shared_ptr<test::RecordingChannel> client = std::make_shared<test::RecordingChannel>();
  std::optional<server::Dispatcher> dispatcher;
  std::shared_ptr<server::Session> session;
};

}  // namespace

TEST_CASE("Subscribers hear of what other processes changed, and nobody looks without them") {
  WatchedServer server;
  server.send(initialize());
  server.send(legacy("1", "ping"));
  std::this_thread::sleep_for(50ms);
  CHECK(server.resources->watches == 0);

  server.send(legacy("2", "resources/subscribe", R"("uri":"demo://a")"));
  REQUIRE(server.looks_again(1));
  server.resources->change({"demo://a", "demo://b"});
  const auto lines = server.client->wait_for(5);
  REQUIRE(lines.size() == 5);
  const Json updated = core::json_of(lines[3]);
  CHECK(updated.at("method") == "notifications/resources/updated");
  CHECK(updated.at("params").at("uri") == "demo://a");
  CHECK(core::json_of(lines[4]).at("method") == "notifications/resources/list_changed");
  server.resources->change({"demo://a"});
  CHECK(server.client->wait_for(7).size() == 7);

  server.send(legacy("3", "resources/unsubscribe", R"("uri":"demo://a")"));
  std::this_thread::sleep_for(50ms);
  const int looks = server.resources->looks;
  std::this_thread::sleep_for(50ms);
  CHECK(server.resources->looks == looks);

  server.send(
      modern("4", "subscriptions/listen", R"("notifications":{"resourcesListChanged":true})"));
  REQUIRE(server.looks_again(1));
  CHECK(server.resources->watches == 2);
}

TEST_CASE("What a call of ours announced is not announced again when it is found") {
  WatchedServer server;
  server.resources->call_of_ours = [&] {
    server.definition.changes->announce({server::Change::Kind::resource, "demo://a"});
  };
  server.send(modern("1", "subscriptions/listen",
                     R"("notifications":{"resourceSubscriptions":["demo://a","demo://b"]})"));
  REQUIRE(server.looks_again(1));
  server.resources->change({"demo://a", "demo://b"});
  REQUIRE(server.looks_again(2));
  const auto lines = server.client->lines();
  REQUIRE(lines.size() == 3);
  CHECK(core::json_of(lines[1]).at("params").at("uri") == "demo://a");
  CHECK(core::json_of(lines[2]).at("params").at("uri") == "demo://b");
}
