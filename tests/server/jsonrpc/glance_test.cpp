// Whom the error about an unreadable message must be addressed to.
#include "server/jsonrpc/glance.h"

#include "support/catch.h"

namespace {

using server::glance_at;
using server::RequestId;

std::string request(const std::string& params, const std::string& id = "7") {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"tools/call","params":)" + params + "}";
}

// As the TypeScript SDK orders it.
std::string id_last(const std::string& params) {
  return R"({"method":"tools/call","params":)" + params + R"(,"jsonrpc":"2.0","id":7})";
}

}  // namespace

TEST_CASE("A request that cannot be read is answered under its id") {
  std::string wide = "{";
  for (int i = 0; i < server::kMaxJsonMembers; ++i) wide += "\"k" + std::to_string(i) + "\":1,";
  wide += "\"k\":1}";
  for (const std::string& params : {
           std::string(R"({"a":"\ud800"})"),
           std::string(R"({"a":"\udfff\\"})"),
           std::string("{\"a\":\"\xff\xfe\"}"),
           std::string("{\"\xc3\":\"\xed\xa0\x80\"}"),
           std::string(100, '[') + std::string(100, ']'),
           wide,
       }) {
    for (const std::string& text : {request(params), id_last(params)}) {
      CAPTURE(text.substr(0, 200));
      CHECK_FALSE(server::parse_json(text));
      CHECK(glance_at(text).id == RequestId(7));
      CHECK(glance_at(text).answered);
    }
  }
  CHECK(glance_at(request("[", "\"a\"")).id == RequestId("a"));
  CHECK(glance_at(request("[", "1.0")).id == RequestId(1));
  CHECK(glance_at(request("{\"id\":9", "7")).id == RequestId(7));
}

TEST_CASE("An id that is not sure is none") {
  for (const std::string& text :
       {std::string("}{"), std::string(), std::string("7"), std::string("[1"),
        std::string("[{\"id\":7,\"method\":\"x\"}"), request("[", "null"), request("[", "1.5"),
        request("[", "\"\xff\""), request("[", "{\"id\":7}"), request("[", "7,\"id\":8"),
        std::string(R"({"method":"tools/call","params":[)"), std::string(R"({"id":7,)")}) {
    CAPTURE(text);
    CHECK_FALSE(glance_at(text).id);
    CHECK(glance_at(text).answered);
  }
}

TEST_CASE("An unreadable response or notification is not answered") {
  for (const std::string& text :
       {std::string(R"({"jsonrpc":"2.0","id":7,"result":{"a":"\ud800"}})"),
        std::string("{\"id\":7,\"error\":{\"message\":\"\xff\"}}"),
        std::string(R"({"jsonrpc":"2.0","id":7,"result":[)"),
        std::string("{\"method\":\"notifications/x\",\"params\":{\"a\":\"\xff\"}}")}) {
    CAPTURE(text);
    CHECK_FALSE(glance_at(text).id);
    CHECK_FALSE(glance_at(text).answered);
  }
}
