// The page's own server: what its gate lets in, and when it ends.
#include "server/http/http_page.h"

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

}  // namespace

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
