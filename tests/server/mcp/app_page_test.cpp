// A server's page as an MCP App.
#include "support/catch.h"
#include "tests/server/support/demo_server.h"

using server::Json;
using test::DemoServer;

namespace {

constexpr const char* kUri = "ui://demo/page.html";

void offer_page(DemoServer& demo) {
  demo.definition.app = {kUri, "page", "A page", "<!doctype html><p>hello</p>"};
}

// Of a resources/list or resources/read result, the entry with that URI.
Json entry_of(const Json& list) {
  for (const Json& entry : list) {
    if (entry.at("uri") == kUri) return entry;
  }
  return nullptr;
}

void check_page(const Json& listed, const Json& read) {
  const Json entry = entry_of(listed.at("result").at("resources"));
  REQUIRE_FALSE(entry.is_null());
  CHECK(entry.at("mimeType") == "text/html;profile=mcp-app");
  const Json page = entry_of(read.at("result").at("contents"));
  REQUIRE_FALSE(page.is_null());
  CHECK(page.at("mimeType") == "text/html;profile=mcp-app");
  CHECK(page.at("text") == "<!doctype html><p>hello</p>");
  CHECK(page.at("_meta").at("ui") == Json{{"csp", Json::object()}, {"prefersBorder", true}});
}

}  // namespace

TEST_CASE("A server with a page says so, lists it and gives it, in both eras") {
  const Json wanted{{"mimeTypes", {"text/html;profile=mcp-app"}}};
  const std::string uri = std::string(R"("uri":")") + kUri + "\"";
  DemoServer modern;
  offer_page(modern);
  const Json discovered = modern.ask(test::modern("1", "server/discover"));
  CHECK(discovered.at("result")
            .at("capabilities")
            .at("extensions")
            .at("io.modelcontextprotocol/ui") == wanted);
  check_page(modern.ask(test::modern("2", "resources/list")),
             modern.ask(test::modern("3", "resources/read", uri)));

  DemoServer older;
  offer_page(older);
  const Json begun = older.ask(test::initialize());
  CHECK(begun.at("result").at("capabilities").at("extensions").at("io.modelcontextprotocol/ui") ==
        wanted);
  older.send(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  check_page(older.ask(test::legacy("2", "resources/list")),
             older.ask(test::legacy("3", "resources/read", uri)));
}

TEST_CASE("A server without a page says nothing of one") {
  DemoServer demo;
  const Json begun = demo.ask(test::initialize());
  CHECK_THAT(begun.dump(), !Catch::Contains("io.modelcontextprotocol/ui"));
}
