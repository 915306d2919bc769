// HTTP header fields: parsing, media types, Host, Origin and the bearer token.
#include "server/http/http_headers.h"

#include "support/catch.h"

namespace {

using namespace server;

HttpHeaders fields(std::initializer_list<std::pair<const char*, const char*>> list) {
  HttpHeaders headers;
  for (const auto& [name, value] : list) headers.add(name, value);
  return headers;
}

}  // namespace

TEST_CASE("Header lines are parsed with names in any case and white space trimmed") {
  const auto headers =
      parse_header_fields("Host: localhost\r\nmcp-METHOD: \t tools/list \r\nX-Empty:\r\n\r\nrest");
  REQUIRE(headers);
  CHECK(headers->size() == 3);
  CHECK(*headers->find("Mcp-Method") == "tools/list");
  CHECK(*headers->find("x-empty") == "");
  CHECK(headers->find("rest") == nullptr);
}

TEST_CASE("A percent sign in a header value stays as it is") {
  const auto headers = parse_header_fields("Mcp-Name: file:///a%20b\r\n");
  REQUIRE(headers);
  CHECK(*headers->find("Mcp-Name") == "file:///a%20b");
}

TEST_CASE("Malformed header lines are refused with a reason") {
  const std::string many = [] {
    std::string out;
    for (std::size_t i = 0; i <= kMaxHeaderFields; ++i) out += "X-" + std::to_string(i) + ": 1\r\n";
    return out;
  }();
  for (const std::string& block :
       {std::string("no colon\r\n"), std::string(": no name\r\n"), std::string("a b: space\r\n"),
        std::string("Host: a\r\n folded\r\n"), std::string("Host: a\r\nhost: b\r\n"),
        std::string("X: a\x01z\r\n"), std::string("X: a\rb\r\n"),
        std::string("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
        std::string("Mcp-Param-A: 1\r\nmcp-param-a: 2\r\n"), many}) {
    const auto headers = parse_header_fields(block);
    REQUIRE_FALSE(headers);
    CHECK_FALSE(headers.error().empty());
  }
}

TEST_CASE("Accept is honoured with its wildcards and refusals") {
  CHECK(accepts({}, "application/json"));
  CHECK(accepts(fields({{"Accept", "application/json, text/event-stream"}}), "text/event-stream"));
  CHECK(accepts(fields({{"Accept", "*/*"}}), "text/event-stream"));
  CHECK(accepts(fields({{"Accept", "Text/*;q=0.5"}}), "text/event-stream"));
  CHECK_FALSE(accepts(fields({{"Accept", "text/html"}}), "application/json"));
  CHECK_FALSE(accepts(fields({{"Accept", "*/*, text/event-stream;q=0"}}), "text/event-stream"));
  CHECK(prefers_event_stream(fields({{"Accept", "text/event-stream, application/json"}})));
  CHECK_FALSE(prefers_event_stream(fields({{"Accept", "application/json, text/event-stream"}})));
  CHECK_FALSE(prefers_event_stream({}));
}

TEST_CASE("Only application/json is a JSON body") {
  CHECK(has_json_content(fields({{"Content-Type", "application/json; charset=utf-8"}})));
  CHECK(has_json_content(fields({{"content-type", "Application/JSON"}})));
  CHECK_FALSE(has_json_content(fields({{"Content-Type", "text/plain"}})));
  CHECK_FALSE(has_json_content(fields({{"Content-Type", "application/jsonx"}})));
  CHECK_FALSE(has_json_content({}));
}

TEST_CASE("Host must be loopback or listed") {
  const HttpOrigins none;
  for (const char* good : {"localhost", "localhost:80", "127.0.0.1:8765", "[::1]", "[::1]:1",
                           "LocalHost:3", "localhost.", "LOCALHOST.:80"}) {
    CHECK(host_allowed(fields({{"Host", good}}), none));
  }
  for (const char* bad :
       {"", "evil.example.com", "localhost.evil.com", "127.0.0.1.evil.com", "localhost:80x",
        "localhost:", "localhost..", ".", "[::1", "127.0.0.2", "evil:80@localhost"}) {
    CHECK_FALSE(host_allowed(fields({{"Host", bad}}), none));
  }
  CHECK_FALSE(host_allowed({}, none));
  CHECK(host_allowed(fields({{"Host", "Backup.lan:8765"}}), {{"backup.lan"}, {}}));
}

TEST_CASE("Origin may be absent, loopback or listed exactly") {
  const HttpOrigins listed{{}, {"https://app.example"}};
  CHECK(origin_allowed({}, listed));
  CHECK(origin_allowed(fields({{"Origin", "http://localhost:5173"}}), listed));
  CHECK(origin_allowed(fields({{"Origin", "http://[::1]"}}), listed));
  CHECK(origin_allowed(fields({{"Origin", "https://app.example"}}), listed));
  CHECK(origin_allowed(fields({{"Origin", "HTTPS://App.Example."}}), listed));
  CHECK(origin_allowed(fields({{"Origin", "HTTP://LOCALHOST.:80"}}), listed));
  CHECK(origin_listed(fields({{"Origin", "https://APP.example"}}), listed));
  CHECK_FALSE(origin_listed(fields({{"Origin", "http://localhost"}}), listed));
  CHECK_FALSE(origin_listed({}, listed));
  for (const char* bad : {"null", "", "http://evil.example.com", "https://app.example.evil.com",
                          "https://app.example:444", "http://localhost.evil.com",
                          "http://localhost/path", "file://", "http://127.0.0.1@evil.com"}) {
    CHECK_FALSE(origin_allowed(fields({{"Origin", bad}}), listed));
  }
}

TEST_CASE("The bearer token must match whole") {
  CHECK(bearer_matches(fields({{"Authorization", "Bearer secret"}}), "secret"));
  CHECK(bearer_matches(fields({{"authorization", "bearer secret"}}), "secret"));
  for (const char* bad : {"secret", "Bearer", "Bearer ", "Bearer secre", "Bearer secrets",
                          "Bearer SECRET", "Basic secret", "Bearer secretsecret"}) {
    CHECK_FALSE(bearer_matches(fields({{"Authorization", bad}}), "secret"));
  }
  CHECK_FALSE(bearer_matches({}, "secret"));
  CHECK_FALSE(bearer_matches(fields({{"Authorization", "Bearer "}}), ""));
}

TEST_CASE("The facts for the dispatcher name parameters in lower case") {
  const HeaderFacts facts = header_facts(fields({{"mcp-protocol-version", "2026-07-28"},
                                                 {"Mcp-Method", "tools/call"},
                                                 {"Mcp-Param-Region", "eu"}}));
  CHECK(facts.protocol_version == "2026-07-28");
  CHECK(facts.method == "tools/call");
  CHECK_FALSE(facts.name);
  CHECK(facts.params.at("region") == "eu");
}
