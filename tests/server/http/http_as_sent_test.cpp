// HTTP as clients, proxies and browsers send it: taken where it can be read in one way only.
#include <thread>

#include "core/base/json.h"
#include "server/http/http_body.h"
#include "support/catch.h"
#include "tests/server/support/demo_server.h"
#include "tests/server/support/http_fixture.h"

namespace {

using namespace server;
using namespace std::chrono_literals;
using test::RawHttp;
using test::RawReply;

const std::string kToken = "a token of the tests";

HttpOptions with_token() {
  HttpOptions options;
  options.token = kToken;
  options.allowed.any_host = true;
  options.allowed.origins = {"https://app.example"};
  return options;
}

class AsSentFixture : public test::HttpFixture {
 public:
  explicit AsSentFixture(HttpOptions options = {})
      : HttpFixture(std::move(options), test::demo_definition()) {}

  RawReply post(const std::string& body, const std::string& headers = {},
                const std::string& target = "/mcp", const std::string& host = "localhost") const {
    return exchange(request(body, headers, target, host));
  }
  static std::string request(const std::string& body, const std::string& headers = {},
                             const std::string& target = "/mcp",
                             const std::string& host = "localhost") {
    return "POST " + target + " HTTP/1.1\r\nHost: " + host +
           "\r\nContent-Type: application/json\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  // The header lines of a new session.
  std::string session() const {
    const RawReply reply = post(test::initialize());
    REQUIRE(reply.status == 200);
    return "Mcp-Session-Id: " + reply.header("Mcp-Session-Id") + "\r\n";
  }
};

bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 1000 && !holds(); ++i) std::this_thread::sleep_for(10ms);
  return holds();
}

const std::string kWait =
    R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait"}})";
const std::string kEcho =
    R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a"}}})";

}  // namespace

TEST_CASE("Over HTTP two calls of a session may bear one id, as each has its own way back") {
  const AsSentFixture fixture;
  const std::string session = fixture.session();
  RawHttp first(fixture.port());
  first.send(AsSentFixture::request(kWait, session));
  REQUIRE(eventually([&] { return fixture.running() == 1; }));
  const RawReply second = fixture.post(kEcho, session);
  CHECK(second.status == 200);
  CHECK_THAT(second.body, Catch::Contains("\"text\":\"a\""));
  // The one that is left is the one that can be meant.
  const std::string cancel =
      R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1.0}})";
  CHECK(fixture.post(cancel, session).status == 202);
  CHECK(eventually([&] { return fixture.running() == 0; }));
}

TEST_CASE("Of two calls that bear one id none is cancelled by it") {
  const AsSentFixture fixture;
  const std::string session = fixture.session();
  RawHttp first(fixture.port());
  RawHttp second(fixture.port());
  first.send(AsSentFixture::request(kWait, session));
  second.send(AsSentFixture::request(kWait, session));
  REQUIRE(eventually([&] { return fixture.running() == 2; }));
  const std::string cancel =
      R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})";
  CHECK(fixture.post(cancel, session).status == 202);
  CHECK(fixture.post(kEcho, session).status == 200);
  CHECK(fixture.running() == 2);
}

TEST_CASE("A body that cannot be read is refused under its request's id") {
  const AsSentFixture fixture;
  const RawReply reply =
      fixture.post(R"({"jsonrpc":"2.0","id":"seven","method":"ping","params":{"a":"\ud800"}})");
  CHECK(reply.status == 400);
  CHECK(core::json_of(reply.body).at("id") == "seven");
}

TEST_CASE("The endpoint is found by its path, with a slash behind it, and by a whole URL") {
  const AsSentFixture fixture;
  CHECK(fixture.post(test::initialize(), "", "/mcp/").status == 200);
  CHECK(fixture.post(test::initialize(), "", "/mcp/?x=1").status == 200);
  CHECK(fixture.post(test::initialize(), "", "http://localhost/mcp").status == 200);
  CHECK(fixture.post(test::initialize(), "", "HTTP://LOCALHOST:80/mcp", "localhost:80").status ==
        200);
  CHECK(fixture.post(test::initialize(), "", "/mcp//").status == 404);
  CHECK(fixture.post(test::initialize(), "", "http://localhost").status == 404);
  // Two hosts are two readings.
  for (const char* target : {"http://other/mcp", "http://localhost:1/mcp", "http://a@localhost/mcp",
                             "http:///mcp", "ftp://localhost/mcp", "http://localhost?/mcp",
                             "http://localhost#/mcp", "localhost:80", "*"}) {
    CAPTURE(target);
    CHECK(fixture.post(test::initialize(), "", target).status == 400);
  }
}

TEST_CASE("Lists in several header lines are one list") {
  const AsSentFixture fixture;
  CHECK(fixture
            .post(test::initialize(),
                  "Accept: text/html\r\nAccept: application/json\r\nAccept: text/event-stream\r\n")
            .status == 200);
  CHECK(fixture.post(test::initialize(), "Accept: text/html\r\nAccept: text/css\r\n").status ==
        406);
}

TEST_CASE("Trailer fields are passed over, unless they would steer the request") {
  const auto read = [](const std::string& trailer) {
    ChunkedBody body(10);
    const std::string text = "5\r\nhello\r\n0\r\n" + trailer + "GET";
    // However it comes in pieces.
    auto state = ChunkedBody::State::more;
    std::size_t at = 0;
    for (; at < text.size() && state == ChunkedBody::State::more; ++at) {
      std::string_view piece = std::string_view(text).substr(at, 1);
      state = body.take(piece);
    }
    if (state == ChunkedBody::State::done) CHECK(text.substr(at) == "GET");
    return state;
  };
  CHECK(read("\r\n") == ChunkedBody::State::done);
  CHECK(read("Checksum: 1\r\nServer-Timing: x\r\n\r\n") == ChunkedBody::State::done);
  for (const std::string& bad :
       {std::string("Content-Length: 5\r\n\r\n"), std::string("Host: a\r\n\r\n"),
        std::string("authorization: Bearer x\r\n\r\n"), std::string("Mcp-Session-Id: x\r\n\r\n"),
        std::string("Mcp-Param-X: x\r\n\r\n"), std::string("Transfer-Encoding: chunked\r\n\r\n"),
        std::string("X: 1\n\r\n"), std::string("X: 1\r\r\n\r\n"), std::string("X: 1\r\n\n"),
        std::string("X: 1\r\n folded\r\n\r\n"), std::string("no colon\r\n\r\n"),
        std::string("X : 1\r\n\r\n"), "X: " + std::string(5000, 'x') + "\r\n\r\n"}) {
    CAPTURE(bad.substr(0, 40));
    CHECK(read(bad) == ChunkedBody::State::malformed);
  }
  const AsSentFixture fixture;
  CHECK(
      fixture
          .exchange("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    "Transfer-Encoding: Chunked\r\nTrailer: X\r\n\r\n2\r\n{}\r\n0\r\nX: 1\r\n\r\n")
          .status == 400);  // read, and no message
}

TEST_CASE("A watcher learns that the server lives, without a token, and nothing else") {
  const AsSentFixture fixture(with_token());
  const RawReply health = fixture.exchange("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(health.status == 200);
  CHECK(health.body == R"({"status":"ok"})");
  RawHttp client(fixture.port());
  client.send("HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(client.read_head().status == 200);
  // No body came with it: the next answer follows.
  client.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(client.read_reply().body == health.body);
  CHECK(fixture.exchange("POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            .status == 404);
  CHECK(fixture.exchange("GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a.b\r\n\r\n")
            .status == 403);
}

TEST_CASE("Who looks for OAuth, or comes with the wrong token, learns how to send the right one") {
  const AsSentFixture fixture(with_token());
  for (const char* path : {"/register", "/.well-known/oauth-protected-resource/mcp", "/token"}) {
    const RawReply reply = fixture.post("{}", "", path);
    CHECK(reply.status == 404);
    CHECK_THAT(reply.body, Catch::Contains("Authorization: Bearer"));
  }
  const RawReply none = fixture.post("{}");
  const RawReply wrong = fixture.post("{}", "Authorization: Bearer nonsense\r\n");
  CHECK(none.status == 401);
  CHECK(wrong.status == 401);
  CHECK_THAT(none.body, Catch::Contains("needed"));
  CHECK_THAT(wrong.body, Catch::Contains("not this server's"));
  CHECK(none.header("WWW-Authenticate") == "Bearer");
  CHECK(wrong.header("WWW-Authenticate") == "Bearer error=\"invalid_token\"");
  CHECK(fixture.post(test::initialize(), "Authorization: Bearer " + kToken + "\r\n").status == 200);
}

TEST_CASE("With a token any Host is served; without one the refusal names the flag") {
  const AsSentFixture guarded(with_token());
  CHECK(guarded
            .post(test::initialize(), "Authorization: Bearer " + kToken + "\r\n", "/mcp",
                  "backup.example.com")
            .status == 200);
  HttpOptions options;
  options.allowed.hosts = {"backup.example.com"};
  const AsSentFixture open(options);
  CHECK(open.post(test::initialize(), "", "/mcp", "Backup.Example.com.:443").status == 200);
  const RawReply refused = open.post(test::initialize(), "", "/mcp", "other.example.com");
  CHECK(refused.status == 403);
  CHECK_THAT(refused.body, Catch::Contains("--allow-host"));
}

TEST_CASE("A preflight is answered for a listed origin, and else told the flag") {
  const AsSentFixture fixture(with_token());
  const auto preflight = [&](const std::string& origin) {
    return fixture.exchange("OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: " + origin +
                            "\r\nAccess-Control-Request-Method: POST\r\n\r\n");
  };
  const RawReply good = preflight("HTTPS://App.example.");
  CHECK(good.status == 200);
  CHECK(good.header("Access-Control-Allow-Origin") == "HTTPS://App.example.");
  for (const char* origin : {"http://localhost:6274", "https://other.example"}) {
    const RawReply refused = preflight(origin);
    CHECK(refused.status == 403);
    CHECK_THAT(refused.body, Catch::Contains(std::string("--allow-origin ") + origin));
    CHECK(refused.header("Access-Control-Allow-Origin").empty());
  }
}

TEST_CASE("A call that takes long says something on the way, where its client takes streams") {
  HttpOptions options;
  options.limits.poll_interval = 10ms;
  options.limits.keep_alive_interval = 50ms;
  const AsSentFixture fixture(options);
  const std::string session = fixture.session();
  RawHttp client(fixture.port());
  client.send(
      AsSentFixture::request(kWait, session + "Accept: application/json, text/event-stream\r\n"));
  const RawReply head = client.read_head();
  CHECK(head.status == 200);
  CHECK(head.header("Content-Type") == "text/event-stream");
  RawHttp plain(fixture.port());
  plain.send(AsSentFixture::request(kWait, session + "Accept: application/json\r\n"));
  REQUIRE(eventually([&] { return fixture.running() == 2; }));
  std::this_thread::sleep_for(200ms);
  CHECK(fixture.running() == 2);
}
