// The page's own server: what its gate lets in, and when it ends.
#include "server/http/http_page.h"

#include <atomic>
#include <future>
#include <thread>

#include "server/http/http_server.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/raw_http.h"

namespace {

using namespace server;
using namespace std::chrono_literals;

constexpr std::string_view kHtml =
    "<!doctype html><style>a{}</style><script>1</script><p>hello</p>";
constexpr int kPort = 40'123;

HttpHead head_of(const std::string& lines) {
  auto head = parse_head(lines + "\r\n");
  REQUIRE(head);
  return *head;
}

// The status of the refusal; 0: let in.
int refused(const std::string& path, const std::string& fields,
            const std::string& host = "127.0.0.1:40123") {
  const HttpPage page(kHtml, kPort);
  const auto refusal =
      page.refusal(head_of("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields));
  return refusal ? refusal->status : 0;
}

// The page's server as its command runs it, with a tool that goes on until it is let go, and a
// second in the place of half an hour.
struct BriefServer {
  BriefServer() {
    definition.name = "test";
    definition.tools.push_back(make_tool(R"({"name": "wait", "inputSchema": {"type": "object"}})",
                                         [this](const Json&, CallContext&) -> ToolOutcome<Json> {
                                           let_go.get_future().wait();
                                           return Json::object();
                                         }));
    settings.page = kHtml;
    settings.idle_limit = 1s;
    settings.on_ready = [this](const std::string& url, int given) -> core::Expected<> {
      token = url.substr(url.find("#t=") + 3);
      port.set_value(given);
      return {};
    };
    dispatcher.emplace(definition, core::system_clock());
    code = std::async(std::launch::async,
                      [this] { return serve_http(settings, *dispatcher, env.env()); });
    at = port.get_future().get();
  }
  std::string request(const std::string& line, const std::string& body) const {
    return line + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(at) +
           "\r\nAuthorization: Bearer " + token +
           "\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: wait\r\n"
           "Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"
           "Content-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  bool ends_within(std::chrono::milliseconds limit) {
    return code.wait_for(limit) == std::future_status::ready;
  }

  test::FakeEnv env;
  ServerDefinition definition;
  HttpSettings settings;
  std::optional<Dispatcher> dispatcher;
  std::promise<void> let_go;
  std::promise<int> port;
  std::string token;
  int at = 0;
  std::future<int> code;
};

constexpr auto kSoon = 30s, kLongerThanIdle = 3s;

}  // namespace

TEST_CASE("The page's server ends, and ends well, when nobody has used it for its time") {
  BriefServer server;
  REQUIRE(server.ends_within(kSoon));
  CHECK(server.code.get() == 0);
}

TEST_CASE("The page's server stays while somebody asks it now and then, and ends after that") {
  BriefServer server;
  const auto until = std::chrono::steady_clock::now() + kLongerThanIdle;
  while (std::chrono::steady_clock::now() < until) {
    test::RawHttp client(server.at);
    client.send(server.request("GET /", ""));
    REQUIRE(client.read_reply().status == 200);
    std::this_thread::sleep_for(100ms);
  }
  REQUIRE(server.ends_within(kSoon));
}

TEST_CASE("A stranger's requests do not keep the page's server") {
  BriefServer server;
  server.token = "wrong";
  const auto until = std::chrono::steady_clock::now() + kSoon;
  bool ended = false;
  while (!ended && std::chrono::steady_clock::now() < until) {
    try {
      test::RawHttp client(server.at);
      client.send(server.request("POST /mcp", "{}"));
      (void)client.read_reply();
    } catch (const std::exception&) {  // it is ending
    }
    ended = server.ends_within(100ms);
  }
  CHECK(ended);
}

TEST_CASE("A call that goes on keeps the page's server, however long it takes") {
  BriefServer server;
  test::RawHttp client(server.at);
  client.send(server.request(
      "POST /mcp",
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait","_meta":{)"
      R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
      R"("io.modelcontextprotocol/clientCapabilities":{}}}})"));
  CHECK_FALSE(server.ends_within(kLongerThanIdle));
  server.let_go.set_value();
  CHECK_THAT(client.read_reply().body, Catch::Contains("\"id\":1"));
  REQUIRE(server.ends_within(kSoon));
}

TEST_CASE("The page's server answers to its exact address alone") {
  CHECK(refused("/", "") == 0);
  CHECK(refused("/mcp", "") == 0);
  for (const char* host : {"localhost:40123", "127.0.0.1", "127.0.0.1:40124", "evil.example:40123",
                           "127.0.0.1:40123.", "[::1]:40123"}) {
    INFO(host);
    CHECK(refused("/", "", host) == 403);
    CHECK(refused("/mcp", "", host) == 403);
  }
  CHECK(refused("/health", "") == 404);
  CHECK(refused("/mcp/", "") == 404);
}

TEST_CASE(
    "The page's server takes calls from its own page, and from programs that are no browsers") {
  CHECK(refused("/mcp", "Origin: http://127.0.0.1:40123\r\n") == 0);
  CHECK(refused("/mcp", "Sec-Fetch-Site: same-origin\r\n") == 0);
  for (const char* origin : {"null", "http://localhost:40123", "http://127.0.0.1:40124",
                             "https://127.0.0.1:40123", "http://127.0.0.1:40123/"}) {
    INFO(origin);
    CHECK(refused("/mcp", std::string("Origin: ") + origin + "\r\n") == 403);
  }
  for (const char* site : {"cross-site", "same-site", "none"}) {
    INFO(site);
    CHECK(refused("/mcp", std::string("Sec-Fetch-Site: ") + site + "\r\n") == 403);
  }
}

TEST_CASE("A browser may go to the page from anywhere, and nobody may load it") {
  const std::string from_afar = "Sec-Fetch-Site: cross-site\r\n";
  CHECK(refused("/", from_afar + "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n") == 0);
  CHECK(refused("/", from_afar + "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n") == 403);
  CHECK(refused("/", from_afar + "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n") == 403);
}

TEST_CASE("The page's policy lets run what stands in it, by its digest, and nothing else") {
  // printf 1 | openssl dgst -sha256 -binary | base64
  CHECK_THAT(page_policy(kHtml),
             Catch::StartsWith("default-src 'none'; script-src "
                               "'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=';"));
  CHECK_THAT(page_policy("<p>"), Catch::Contains("script-src 'none'; style-src 'none';"));
}

TEST_CASE(
    "The page's server gives the page to everybody, takes calls with its token, and ends idle") {
  ServerDefinition definition;
  definition.name = "test";
  Dispatcher dispatcher(definition, core::system_clock());
  HttpOptions options;
  options.page = kHtml;
  options.token = "0123456789abcdef0123";
  HttpServer server(dispatcher, std::move(options));
  const auto port = server.start();
  REQUIRE(port);
  const std::string host = "Host: 127.0.0.1:" + std::to_string(*port) + "\r\n";
  const auto ask = [&](const std::string& text) {
    test::RawHttp client(*port);
    client.send(text);
    return client.read_reply();
  };
  const auto page = ask("GET / HTTP/1.1\r\n" + host + "\r\n");
  CHECK(page.status == 200);
  CHECK(page.body == kHtml);
  CHECK(page.header("Content-Security-Policy") == page_policy(kHtml));
  CHECK(page.header("Cache-Control") == "no-store");
  const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  const std::string post =
      "POST /mcp HTTP/1.1\r\n" + host +
      "Content-Type: application/json\r\nContent-Length: " + std::to_string(ping.size()) + "\r\n";
  const auto stranger = ask(post + "\r\n" + ping);
  CHECK(stranger.status == 401);
  CHECK(stranger.header("Referrer-Policy") == "no-referrer");
  CHECK(ask(post + "Authorization: Bearer 0123456789abcdef0123\r\n\r\n" + ping).status != 401);
  std::this_thread::sleep_for(50ms);
  CHECK(server.idle_for() >= 50ms);
  CHECK(ask("GET / HTTP/1.1\r\n" + host + "\r\n").status == 200);
  CHECK(server.idle_for() < 50ms);
  server.stop();
}
