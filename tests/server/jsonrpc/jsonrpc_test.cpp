// Decoding and encoding of messages.
#include "server/jsonrpc/jsonrpc.h"

#include "support/catch.h"

using server::Json;
using server::RequestId;
namespace code = server::rpc_code;

namespace {

int refusal(const std::string& text) {
  const auto value = server::parse_json(text);
  if (!value) return value.error().code;
  const auto message = server::decode_message(*value);
  return message ? 0 : message.error().error.code;
}

}  // namespace

TEST_CASE("Text that is not one JSON value is a parse error") {
  for (const char* text :
       {"", "{", "{} {}", "nul", "{\"a\":\"\xff\"}", "\"\xed\xa0\x80\"", "[1,]"}) {
    INFO(text);
    CHECK(refusal(text) == code::kParseError);
  }
}

TEST_CASE("Nesting is bounded, and brackets in strings do not nest") {
  const std::string deep(server::kMaxJsonDepth, '[');
  const std::string close(server::kMaxJsonDepth, ']');
  CHECK(server::parse_json(deep + close));
  CHECK_FALSE(server::parse_json("[" + deep + close + "]"));
  CHECK_FALSE(server::parse_json(std::string(1'000'000, '[')));
  CHECK(server::parse_json("\"" + std::string(1000, '[') + "\\\"" + std::string(1000, '{') + "\""));
}

TEST_CASE("Members are bounded over all objects, and colons in strings are none") {
  const auto objects = [](int count) {
    std::string text = "[{}";
    for (int i = 0; i < count; ++i) text += R"(,{"a:":1})";
    return text + "]";
  };
  CHECK(server::parse_json(objects(server::kMaxJsonMembers)));
  CHECK_FALSE(server::parse_json(objects(server::kMaxJsonMembers + 1)));
}

TEST_CASE("A message of the wrong shape is an invalid request") {
  for (const char* text :
       {"1", "[]", "{}", R"({"jsonrpc":"1.0","id":1,"method":"m"})", R"({"id":1,"method":"m"})",
        R"({"jsonrpc":"2.0","id":null,"method":"m"})", R"({"jsonrpc":"2.0","id":1.5,"method":"m"})",
        R"({"jsonrpc":"2.0","id":true,"method":"m"})",
        R"({"jsonrpc":"2.0","id":18446744073709551615,"method":"m"})",
        R"({"jsonrpc":"2.0","id":1,"method":2})", R"({"jsonrpc":"2.0","id":1})",
        R"({"jsonrpc":"2.0","id":1,"method":"m","params":[]})",
        R"({"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}})",
        R"({"jsonrpc":"2.0","result":{}})", R"({"jsonrpc":"2.0","id":1,"error":{"code":"x"}})"}) {
    INFO(text);
    CHECK(refusal(text) == code::kInvalidRequest);
  }
}

TEST_CASE("A refusal keeps the id if it could be read") {
  const auto message =
      server::decode_message(core::json_of(R"({"jsonrpc":"2.0","id":"x","params":{}})"));
  REQUIRE_FALSE(message);
  CHECK(message.error().id == RequestId("x"));
}

TEST_CASE("Zero and the empty string are ordinary ids") {
  for (const auto& [text, id] :
       {std::pair<const char*, RequestId>{R"({"jsonrpc":"2.0","id":0,"method":"m"})", 0},
        {R"({"jsonrpc":"2.0","id":"","method":"m"})", ""},
        {R"({"jsonrpc":"2.0","id":-7,"method":"m"})", -7}}) {
    const auto message = server::decode_message(core::json_of(text));
    REQUIRE(message);
    CHECK(std::get<server::Request>(*message).id == id);
  }
}

TEST_CASE("What is decoded can be encoded again") {
  for (const char* text :
       {R"({"jsonrpc":"2.0","id":0,"method":"m","params":{"b":1,"a":[2]}})",
        R"({"jsonrpc":"2.0","method":"n"})", R"({"jsonrpc":"2.0","id":"x","result":{"z":1,"a":2}})",
        R"({"jsonrpc":"2.0","id":5,"error":{"code":-32601,"message":"no","data":{"k":1}}})",
        R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}})"}) {
    const auto message = server::decode_message(core::json_of(text));
    REQUIRE(message);
    CHECK(server::encode_message(*message) == text);
  }
}

TEST_CASE("Bytes that are not UTF-8 are replaced, not thrown over") {
  CHECK(core::lenient_json_text(Json("a\xffz")) == "\"a\xef\xbf\xbdz\"");
}
