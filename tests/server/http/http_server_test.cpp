// The HTTP server as clients meet it: real sockets, both eras, and the bounds.
#include "server/http/http_server.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "core/base/json.h"
#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/raw_http.h"
#include "support/test_database.h"

namespace {

using namespace server;
using namespace std::chrono_literals;
using test::RawHttp;
using test::RawReply;

Json tool_entry(const char* name) {
  return {{"name", name}, {"description", name}, {"inputSchema", {{"type", "object"}}}};
}

Tool tool(const char* name, CallHandler handler) {
  Tool out;
  out.entry = tool_entry(name);
  out.handler = std::move(handler);
  return out;
}

ToolResult text(std::string_view words) {
  return {Json::array({{{"type", "text"}, {"text", words}}}), std::nullopt, false};
}

// A server on a free port with tools to observe it by.
class ServerFixture {
 public:
  explicit ServerFixture(HttpOptions options = {})
      : dispatcher_(definition(), core::system_clock()) {
    server_ = std::make_unique<HttpServer>(dispatcher_, std::move(options));
    const auto port = server_->start();
    REQUIRE(port);
    port_ = *port;
  }
  ~ServerFixture() { server_->stop(); }

  int port() const { return port_; }
  HttpServer& server() { return *server_; }
  Changes& changes() { return *definition_.changes; }
  std::atomic<int> waiting{0};    // calls of the tool `wait` under way
  std::atomic<int> cancelled{0};  // of them, ended by a stop request

  std::string post(const std::string& body, const std::string& headers = {}) const {
    return "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
           "Accept: application/json, text/event-stream\r\n" +
           headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  std::string modern(const std::string& method, Json params = Json::object(),
                     const std::string& headers = {}) const {
    params["_meta"] = {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                       {"io.modelcontextprotocol/clientCapabilities", Json::object()},
                       {"progressToken", 0}};
    std::string all =
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: " + method + "\r\n" + headers;
    if (params.contains("name")) all += "Mcp-Name: " + params["name"].get<std::string>() + "\r\n";
    return post(Json{{"jsonrpc", "2.0"}, {"id", 7}, {"method", method}, {"params", params}}.dump(),
                all);
  }

  RawReply exchange(const std::string& request) const {
    RawHttp client(port_);
    client.send(request);
    return client.read_reply();
  }

  // The header line of a new session of 2025-11-25.
  std::string session() const {
    const RawReply reply = exchange(post(
        R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
        R"("capabilities":{},"clientInfo":{"name":"t","version":"1"}}})"));
    REQUIRE(reply.status == 200);
    const std::string id = reply.header("Mcp-Session-Id");
    REQUIRE_FALSE(id.empty());
    return "Mcp-Session-Id: " + id + "\r\nMCP-Protocol-Version: 2025-11-25\r\n";
  }

  std::string get(const std::string& headers) const {
    return "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n" + headers +
           "\r\n";
  }

  static bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 1000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

 private:
  const ServerDefinition& definition() {
    definition_.name = "test";
    definition_.version = "1";
    definition_.lists_change = true;
    definition_.tools = {tool("echo",
                              [](const Json& arguments, CallContext&) -> CallOutcome {
                                return text(arguments.value("text", ""));
                              }),
                         tool("wait",
                              [this](const Json&, CallContext& context) -> CallOutcome {
                                ++waiting;
                                std::mutex mutex;
                                std::condition_variable_any wake;
                                std::unique_lock lock(mutex);
                                wake.wait_for(lock, context.stop(), 20s, [] { return false; });
                                cancelled += context.stop().stop_requested() ? 1 : 0;
                                --waiting;
                                return text("waited");
                              }),
                         tool("flood",
                              [this](const Json&, CallContext& context) -> CallOutcome {
                                const std::string lots(100'000, 'x');
                                for (std::uint64_t i = 1;
                                     i < 10'000 && !context.stop().stop_requested(); ++i) {
                                  context.progress().report(i, 0, lots);
                                  std::this_thread::sleep_for(1ms);
                                }
                                cancelled += context.stop().stop_requested() ? 1 : 0;
                                return text("flooded");
                              }),
                         tool("count",
                              [](const Json&, CallContext& context) -> CallOutcome {
                                for (std::uint64_t i = 1; i <= 3; ++i) {
                                  context.progress().report(i, 3, "step");
                                }
                                return text("counted");
                              }),
                         tool("poll_me", [](const Json&, CallContext& context) -> CallOutcome {
                           context.release_stream();
                           std::this_thread::sleep_for(100ms);
                           return text("fetched");
                         })};
    return definition_;
  }

  ServerDefinition definition_;
  Dispatcher dispatcher_;
  std::unique_ptr<HttpServer> server_;
  int port_ = 0;
};

const std::string kPing = R"({"jsonrpc":"2.0","id":2,"method":"ping"})";

}  // namespace

TEST_CASE("A request of 2026-07-28 is answered with JSON and no session") {
  const ServerFixture fixture;
  const RawReply reply = fixture.exchange(fixture.modern("tools/list"));
  CHECK(reply.status == 200);
  CHECK(reply.header("Content-Type") == "application/json");
  CHECK(reply.header("Mcp-Session-Id").empty());
  CHECK(core::json_of(reply.body)["result"]["tools"].size() == 5);
  CHECK(core::json_of(reply.body)["result"]["resultType"] == "complete");
}

TEST_CASE("Several requests go over one connection") {
  const ServerFixture fixture;
  RawHttp client(fixture.port());
  for (int i = 0; i < 20; ++i) {
    client.send(fixture.modern("tools/call", {{"name", "echo"}, {"arguments", {{"text", "hi"}}}}));
    CHECK(client.read_reply().status == 200);
  }
}

TEST_CASE("Progress turns the reply into an event stream that ends with the result") {
  const ServerFixture fixture;
  RawHttp client(fixture.port());
  client.send(fixture.modern("tools/call", {{"name", "count"}, {"arguments", Json::object()}}));
  const RawReply head = client.read_head();
  CHECK(head.status == 200);
  CHECK(head.header("Content-Type") == "text/event-stream");
  CHECK(head.header("Cache-Control") == "no-cache, no-transform");
  CHECK(head.header("X-Accel-Buffering") == "no");
  std::vector<Json> events;
  for (std::string event = client.read_event(); !event.empty(); event = client.read_event()) {
    events.push_back(core::json_of(event));
  }
  REQUIRE(events.size() >= 2);
  CHECK(events.front()["method"] == "notifications/progress");
  CHECK(events.front()["params"]["progressToken"] == 0);
  CHECK(events.back()["id"] == 7);
  CHECK(client.last_event_id().empty());
}

TEST_CASE("Header and body must agree in 2026-07-28") {
  const ServerFixture fixture;
  std::string request = fixture.modern("tools/list");
  request.replace(request.find("Mcp-Method: tools/list"), 22, "Mcp-Method: tools/LIST");
  const RawReply reply = fixture.exchange(request);
  CHECK(reply.status == 400);
  CHECK(core::json_of(reply.body)["error"]["code"] == -32020);
  CHECK(reply.header("Content-Type") == "application/json");
}

TEST_CASE("A client that goes away cancels its call in 2026-07-28") {
  ServerFixture fixture;
  {
    RawHttp client(fixture.port());
    client.send(fixture.modern("tools/call", {{"name", "wait"}, {"arguments", Json::object()}}));
    CHECK(ServerFixture::eventually([&] { return fixture.waiting == 1; }));
  }
  CHECK(ServerFixture::eventually([&] { return fixture.cancelled == 1; }));
}

TEST_CASE("A lost connection cancels nothing in the handshake eras, the notification does") {
  ServerFixture fixture;
  const std::string session = fixture.session();
  {
    RawHttp client(fixture.port());
    client.send(fixture.post(
        R"({"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"wait"}})", session));
    CHECK(ServerFixture::eventually([&] { return fixture.waiting == 1; }));
  }
  std::this_thread::sleep_for(500ms);
  CHECK(fixture.cancelled == 0);
  CHECK(fixture
            .exchange(fixture.post(R"({"jsonrpc":"2.0","method":"notifications/cancelled",)"
                                   R"("params":{"requestId":"w"}})",
                                   session))
            .status == 202);
  CHECK(ServerFixture::eventually([&] { return fixture.cancelled == 1; }));
}

TEST_CASE("A session lives from initialize to DELETE") {
  const ServerFixture fixture;
  const std::string session = fixture.session();
  CHECK(fixture.exchange(fixture.post(kPing, session)).status == 200);
  CHECK(fixture.exchange(fixture.post(kPing)).status == 400);
  CHECK(fixture.exchange(fixture.post(kPing, "Mcp-Session-Id: none\r\n")).status == 404);
  CHECK(fixture.exchange("DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n" + session + "\r\n").status ==
        204);
  CHECK(fixture.exchange(fixture.post(kPing, session)).status == 404);
}

TEST_CASE("A version header nobody speaks is refused") {
  const ServerFixture fixture;
  std::string session = fixture.session();
  const std::string right = session;
  session.replace(session.find("2025-11-25"), 10, "1999-01-01");
  CHECK(fixture.exchange(fixture.post(kPing, session)).status == 400);
  CHECK(fixture.exchange(fixture.post(R"({"jsonrpc":"2.0","method":"notifications/x"})", session))
            .status == 400);
  CHECK(fixture.exchange(fixture.get(session)).status == 400);
  CHECK(fixture.exchange("DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n" + session + "\r\n").status ==
        400);
  CHECK(fixture.exchange(fixture.post(kPing, right)).status == 200);
}

TEST_CASE("A session with a call under way is not ended to make room for another") {
  HttpOptions options;
  options.limits.max_sessions = 1;
  ServerFixture fixture(options);
  RawHttp client(fixture.port());
  client.send(
      fixture.post(R"({"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"wait"}})",
                   fixture.session()));
  REQUIRE(ServerFixture::eventually([&] { return fixture.waiting == 1; }));
  CHECK(fixture
            .exchange(fixture.post(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":)"
                                   R"({"protocolVersion":"2025-11-25","capabilities":{},)"
                                   R"("clientInfo":{"name":"t","version":"1"}}})"))
            .status == 503);
  CHECK(fixture.waiting == 1);
  CHECK(fixture.cancelled == 0);
}

TEST_CASE("GET without a session is not allowed and says what is") {
  const ServerFixture fixture;
  const RawReply reply = fixture.exchange(fixture.get({}));
  CHECK(reply.status == 405);
  CHECK(reply.header("Allow") == "POST");
}

TEST_CASE("A released stream ends, and its result is fetched by GET with Last-Event-ID") {
  const ServerFixture fixture;
  const std::string session = fixture.session();
  RawHttp client(fixture.port());
  client.send(fixture.post(
      R"({"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"poll_me"}})", session));
  CHECK(client.read_head().header("Content-Type") == "text/event-stream");
  CHECK(client.read_event().empty());  // the opening event bears no data
  const std::string id = client.last_event_id();
  REQUIRE_FALSE(id.empty());
  RawHttp again(fixture.port());
  again.send(fixture.get(session + "Last-Event-ID: " + id + "\r\n"));
  CHECK(again.read_head().status == 200);
  const std::string event = again.read_event();
  REQUIRE_FALSE(event.empty());
  CHECK(core::json_of(event)["result"]["content"][0]["text"] == "fetched");
}

TEST_CASE("A cancelled call of the handshake eras ends its POST without an answer") {
  ServerFixture fixture;
  const std::string session = fixture.session();
  const std::string call =
      R"({"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"wait"}})";
  const std::string cancel =
      R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"w"}})";
  RawHttp client(fixture.port());
  client.send(fixture.post(call, session));
  REQUIRE(ServerFixture::eventually([&] { return fixture.waiting == 1; }));
  CHECK(fixture.exchange(fixture.post(cancel, session)).status == 202);
  const RawReply reply = client.read_reply();
  CHECK(reply.status == 200);
  CHECK(reply.header("Content-Type") == "text/event-stream");
  CHECK(reply.body.empty());
  CHECK(ServerFixture::eventually([&] { return fixture.cancelled == 1; }));
}

TEST_CASE("Ending a session ends the POSTs that wait in it") {
  ServerFixture fixture;
  const std::string session = fixture.session();
  RawHttp client(fixture.port());
  client.send(fixture.post(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait"}})", session));
  REQUIRE(ServerFixture::eventually([&] { return fixture.waiting == 1; }));
  fixture.exchange("DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n" + session + "\r\n");
  CHECK(client.read_reply().status == 200);
}

TEST_CASE("A client that comes back for a stream read to its end is told to stop coming") {
  const ServerFixture fixture;
  const std::string session = fixture.session();
  RawHttp client(fixture.port());
  client.send(fixture.post(R"({"jsonrpc":"2.0","id":5,"method":"tools/call","params":)"
                           R"({"name":"count","_meta":{"progressToken":1}}})",
                           session));
  CHECK(client.read_reply().status == 200);
  const auto come_back = [&](const char* event) {
    RawHttp again(fixture.port());
    again.send(fixture.get(session + "Last-Event-ID: " + event + "\r\n"));
    return again.read_head().status;
  };
  CHECK(come_back("1.1") == 200);
  CHECK(come_back("1.9") == 204);
}

TEST_CASE("A session hears of changes on its GET stream, and a second GET takes it over") {
  ServerFixture fixture;
  const std::string session = fixture.session();
  RawHttp first(fixture.port());
  first.send(fixture.get(session));
  CHECK(first.read_head().status == 200);
  fixture.changes().announce({Change::Kind::tools_list, {}});
  CHECK(core::json_of(first.read_event())["method"] == "notifications/tools/list_changed");
  RawHttp second(fixture.port());
  second.send(fixture.get(session));
  CHECK(second.read_head().status == 200);
  CHECK(first.read_event().empty());
  fixture.changes().announce({Change::Kind::tools_list, {}});
  CHECK(core::json_of(second.read_event())["method"] == "notifications/tools/list_changed");
  CHECK(second.last_event_id() == "0.2");
}

TEST_CASE("A client that does not read its stream is let go, others are served") {
  HttpOptions options;
  options.limits.write_timeout = 200ms;
  ServerFixture fixture(options);
  RawHttp deaf(fixture.port());
  deaf.send(fixture.modern("tools/call", {{"name", "flood"}, {"arguments", Json::object()}}));
  CHECK(ServerFixture::eventually([&] { return fixture.cancelled == 1; }));
  CHECK(fixture.exchange(fixture.modern("tools/list")).status == 200);
}

TEST_CASE("With 64 listen streams open a call is still answered at once") {
  const ServerFixture fixture;
  std::deque<RawHttp> listeners;
  for (int i = 0; i < 64; ++i) {
    listeners.emplace_back(fixture.port());
    listeners.back().send(
        fixture.modern("subscriptions/listen", {{"notifications", {{"toolsListChanged", true}}}}));
  }
  for (RawHttp& listener : listeners) {
    CHECK(listener.read_head().status == 200);
    CHECK(core::json_of(listener.read_event())["method"] ==
          "notifications/subscriptions/acknowledged");
  }
  const auto begin = std::chrono::steady_clock::now();
  const RawReply reply = fixture.exchange(
      fixture.modern("tools/call", {{"name", "echo"}, {"arguments", {{"text", "hi"}}}}));
  CHECK(reply.status == 200);
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("Streams above their bound are refused with 503, plain calls are not") {
  HttpOptions options;
  options.limits.max_streams = 2;
  const ServerFixture fixture(options);
  const std::string listen =
      fixture.modern("subscriptions/listen", {{"notifications", {{"toolsListChanged", true}}}});
  std::deque<RawHttp> listeners;
  for (int i = 0; i < 2; ++i) {
    listeners.emplace_back(fixture.port());
    listeners.back().send(listen);
    CHECK(listeners.back().read_head().status == 200);
  }
  const RawReply refused = fixture.exchange(listen);
  CHECK(refused.status == 503);
  CHECK(refused.header("Retry-After") == "5");
  CHECK(fixture.exchange(fixture.modern("tools/list")).status == 200);
  listeners.clear();
  CHECK(ServerFixture::eventually([&] {
    RawHttp client(fixture.port());
    client.send(listen);
    return client.read_head().status == 200;
  }));
}

TEST_CASE("Calls of the handshake eras above their bound are refused before they begin") {
  HttpOptions options;
  options.limits.max_session_calls = 1;
  ServerFixture fixture(options);
  const std::string session = fixture.session();
  const std::string wait = fixture.post(
      R"({"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"wait"}})", session);
  RawHttp client(fixture.port());
  client.send(wait);
  REQUIRE(ServerFixture::eventually([&] { return fixture.waiting == 1; }));
  CHECK(fixture.exchange(wait).status == 503);
  CHECK(fixture.waiting == 1);
  // What is no call gets in: this one ends the call, which frees its place.
  CHECK(fixture
            .exchange(fixture.post(R"({"jsonrpc":"2.0","method":"notifications/cancelled",)"
                                   R"("params":{"requestId":"w"}})",
                                   session))
            .status == 202);
  CHECK(ServerFixture::eventually(
      [&] { return fixture.exchange(fixture.post(kPing, session)).status == 200; }));
}

TEST_CASE("Connections above their bound are refused with 503") {
  HttpOptions options;
  options.limits.max_connections = 2;
  const ServerFixture fixture(options);
  std::deque<RawHttp> held;
  for (int i = 0; i < 2; ++i) {
    held.emplace_back(fixture.port());
    held.back().send(
        fixture.modern("subscriptions/listen", {{"notifications", {{"toolsListChanged", true}}}}));
    CHECK(held.back().read_head().status == 200);
  }
  CHECK(fixture.exchange(fixture.modern("tools/list")).status == 503);
}

TEST_CASE("Bodies and headers beyond their bounds are refused") {
  HttpOptions options;
  options.limits.max_body_bytes = 10'000;
  const ServerFixture fixture(options);
  CHECK(fixture.exchange(fixture.post(std::string(10'001, ' '))).status == 413);
  CHECK(fixture
            .exchange("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n2711\r\n" +
                      std::string(10'001, ' ') + "\r\n0\r\n\r\n")
            .status == 413);
  CHECK(
      fixture.exchange(fixture.post(kPing, "X-Long: " + std::string(7'000, 'x') + "\r\n")).status ==
      400);  // a session is missing, the header is fine
  std::string many;
  for (int i = 0; i < 10; ++i) {
    many += "X-" + std::to_string(i) + ": " + std::string(7'000, 'x') + "\r\n";
  }
  CHECK(fixture.exchange(fixture.post(kPing, many)).status == 431);
}

TEST_CASE("JSON that is broken or too deep is refused with a parse error") {
  const ServerFixture fixture;
  for (const std::string& body : {std::string("{"), std::string(200, '['), std::string("\xff")}) {
    const RawReply reply = fixture.exchange(fixture.post(body));
    CHECK(reply.status == 400);
    CHECK(core::json_of(reply.body)["error"]["code"] == -32700);
    CHECK_FALSE(core::json_of(reply.body).contains("id"));
  }
}

TEST_CASE("Bodies of another kind are refused") {
  const ServerFixture fixture;
  std::string plain = fixture.post(kPing);
  plain.replace(plain.find("application/json\r\n"), 18, "text/plain\r\n");
  CHECK(fixture.exchange(plain).status == 415);
  CHECK(fixture.exchange(fixture.post(kPing, "Content-Encoding: gzip\r\n")).status == 415);
  CHECK(fixture.exchange("POST /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 411);
  std::string html = fixture.post(kPing);
  html.replace(html.find("application/json, text/event-stream"), 35, "text/html");
  CHECK(fixture.exchange(html).status == 406);
  CHECK(fixture.exchange("PUT /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 405);
}

TEST_CASE("Only our path exists") {
  const ServerFixture fixture;
  CHECK(fixture
            .exchange("GET /.well-known/oauth-protected-resource HTTP/1.1\r\n"
                      "Host: localhost\r\n\r\n")
            .status == 404);
}

TEST_CASE("Foreign hosts and origins are refused before anything else") {
  const ServerFixture fixture;
  std::string foreign = fixture.modern("tools/list");
  foreign.replace(foreign.find("localhost"), 9, "evil.example.com");
  CHECK(fixture.exchange(foreign).status == 403);
  CHECK(fixture
            .exchange(
                fixture.modern("tools/list", Json::object(), "Origin: http://evil.example.com\r\n"))
            .status == 403);
  const RawReply local = fixture.exchange(
      fixture.modern("tools/list", Json::object(), "Origin: http://localhost:3000\r\n"));
  CHECK(local.status == 200);
  CHECK(local.header("Access-Control-Allow-Origin").empty());
}

TEST_CASE("A listed origin gets its CORS headers, also before it can show a token") {
  HttpOptions options;
  options.token = "0123456789abcdef";
  options.allowed.origins = {"https://app.example"};
  const ServerFixture fixture(options);
  const RawReply preflight = fixture.exchange(
      "OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example\r\n\r\n");
  CHECK(preflight.status == 200);
  CHECK(preflight.header("Access-Control-Allow-Origin") == "https://app.example");
  CHECK(fixture.exchange("OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 401);
}

TEST_CASE("With a token set, requests must bear it") {
  HttpOptions options;
  options.token = "0123456789abcdef";
  const ServerFixture fixture(options);
  const RawReply refused = fixture.exchange(fixture.modern("tools/list"));
  CHECK(refused.status == 401);
  CHECK(refused.header("WWW-Authenticate") == "Bearer");
  CHECK(fixture
            .exchange(fixture.modern("tools/list", Json::object(),
                                     "Authorization: Bearer 0123456789abcdee\r\n"))
            .status == 401);
  CHECK(fixture
            .exchange(fixture.modern("tools/list", Json::object(),
                                     "Authorization: Bearer 0123456789abcdef\r\n"))
            .status == 200);
}

TEST_CASE("Clients that are slow with their request are let go") {
  HttpOptions options;
  options.limits.header_timeout = 200ms;
  options.limits.body_timeout = 200ms;
  options.limits.idle_timeout = 200ms;
  const ServerFixture fixture(options);
  RawHttp silent(fixture.port());
  CHECK(silent.closed_by_server());
  RawHttp half_header(fixture.port());
  half_header.send("POST /mcp HTTP/1.1\r\nHost: loc");
  CHECK(half_header.read_reply().status == 408);
  RawHttp half_body(fixture.port());
  const std::string request = fixture.post(kPing);
  half_body.send(request.substr(0, request.size() - 5));
  CHECK(half_body.read_reply().status == 408);
}

TEST_CASE("Nonsense instead of HTTP is answered once and closed") {
  const ServerFixture fixture;
  for (const char* bytes : {"\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
                            "POST /mcp HTTP/1.1\r\nHost localhost\r\n\r\n",
                            "POST /mcp HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"}) {
    RawHttp client(fixture.port());
    client.send(bytes);
    CHECK(client.closed_by_server());
  }
  CHECK(fixture.exchange(fixture.modern("tools/list")).status == 200);
}

TEST_CASE("Stopping ends listen streams with their result and calls with their reply") {
  ServerFixture fixture;
  RawHttp listener(fixture.port());
  listener.send(
      fixture.modern("subscriptions/listen", {{"notifications", {{"toolsListChanged", true}}}}));
  CHECK(listener.read_head().status == 200);
  listener.read_event();
  RawHttp caller(fixture.port());
  caller.send(fixture.modern("tools/call", {{"name", "wait"}, {"arguments", Json::object()}}));
  CHECK(ServerFixture::eventually([&] { return fixture.waiting == 1; }));
  fixture.server().stop();
  const std::string last = listener.read_event();
  REQUIRE_FALSE(last.empty());
  CHECK(core::json_of(last)["result"]["resultType"] == "complete");
  CHECK(caller.read_reply().status == 200);
  CHECK_FALSE(RawHttp(fixture.port()).connected());
}

TEST_CASE("Stopping does not wait for clients that neither read nor finish what they send") {
  ServerFixture fixture;
  RawHttp header(fixture.port());
  header.send("POST /mcp HTTP/1.1\r\nHost: local");
  RawHttp body(fixture.port());
  const std::string whole = fixture.post(kPing);
  body.send(whole.substr(0, whole.size() - 5));
  RawHttp deaf(fixture.port());
  deaf.send(fixture.modern("tools/call", {{"name", "flood"}, {"arguments", Json::object()}}));
  std::this_thread::sleep_for(500ms);
  const auto begun = std::chrono::steady_clock::now();
  CHECK(fixture.server().stop());
  CHECK(std::chrono::steady_clock::now() - begun < 3s);
}

TEST_CASE("An address beyond loopback needs a token") {
  test::FakeEnv fake;
  HttpSettings settings;
  settings.address = "0.0.0.0:0";
  const auto refused = http_options(settings, fake.env());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == core::ErrorCode::permission_denied);
  settings.token_file = (fake / "token").string();
  REQUIRE(core::system_files().write_atomically(settings.token_file, "short\n", 0600));
  CHECK(http_options(settings, fake.env()).error().code == core::ErrorCode::invalid_argument);
  REQUIRE(core::system_files().write_atomically(settings.token_file, "0123456789abcdef\n", 0600));
  const auto options = http_options(settings, fake.env());
  REQUIRE(options);
  CHECK(options->token == "0123456789abcdef");
  settings.address = "127.0.0.1:0";
  settings.token_file.clear();
  CHECK(http_options(settings, fake.env())->token.empty());
  fake.places.variables["BACKUP_PLUGIN_DB_TOKEN"] = "fedcba9876543210";
  CHECK(http_options(settings, fake.env())->token == "fedcba9876543210");
}

TEST_CASE("On loopback a token of our own is made once and kept for this user alone") {
  test::FakeEnv fake;
  HttpSettings settings;
  settings.address = "127.0.0.1:0";
  settings.keep_token = true;
  const auto first = http_options(settings, fake.env());
  REQUIRE(first);
  CHECK(first->token.size() == 64);
  const core::fs::path file = own_token_path(fake.places);
  CHECK(first->token_in_shell == "$(cat " + core::shell_word(core::text_of(file)) + ")");
  CHECK(core::system_files().info(file)->mode == 0600);
  CHECK(http_options(settings, fake.env())->token == first->token);
  CHECK(test::names_in(file.parent_path()) == "http-token");

  settings.address = "0.0.0.0:0";
  CHECK(http_options(settings, fake.env()).error().code == core::ErrorCode::permission_denied);
  settings.address = "127.0.0.1:0";
#ifndef _WIN32  // where there are no modes
  REQUIRE(core::system_files().set_mode(file, 0640));
  CHECK(http_options(settings, fake.env()).error().code == core::ErrorCode::permission_denied);
#endif
  REQUIRE(core::system_files().remove(file));
  CHECK(http_options(settings, fake.env())->token != first->token);
}

TEST_CASE("No token is none only where none is set") {
  test::FakeEnv fake;
  HttpSettings settings;
  settings.address = "127.0.0.1:0";
  settings.no_token = true;
  CHECK(http_options(settings, fake.env())->token.empty());
  fake.places.variables["BACKUP_PLUGIN_DB_TOKEN"] = "fedcba9876543210";
  CHECK(http_options(settings, fake.env()).error().code == core::ErrorCode::invalid_argument);
  settings.no_token = false;
  const auto options = http_options(settings, fake.env());
  CHECK(options->token_in_shell == core::shell_variable("BACKUP_PLUGIN_DB_TOKEN"));
}

TEST_CASE("The address that is listened on may be named as host, another may not") {
  test::FakeEnv fake;
  HttpSettings settings;
  settings.address = "127.0.0.2:0";
  const auto options = http_options(settings, fake.env());
  REQUIRE(options);
  HttpHeaders headers;
  headers.add("Host", "127.0.0.2:8765");
  CHECK(host_allowed(headers, options->allowed));
  HttpHeaders other;
  other.add("Host", "127.0.0.3:8765");
  CHECK_FALSE(host_allowed(other, options->allowed));
}

TEST_CASE("Addresses to listen on are host and port") {
  CHECK(parse_http_address("127.0.0.1:8765")->port == 8765);
  CHECK(parse_http_address("localhost:0")->host == "127.0.0.1");
  CHECK(parse_http_address("[::1]:80")->host == "::1");
  for (const char* bad : {"", "8765", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                          "127.0.0.1:-1", "::1:80", "a:8x"}) {
    CHECK_FALSE(parse_http_address(bad));
  }
  CHECK(is_loopback_address("127.9.0.1"));
  CHECK(is_loopback_address("::1"));
  CHECK_FALSE(is_loopback_address("127.0.0.1.example.com"));
  CHECK_FALSE(is_loopback_address("192.168.0.1"));
}
