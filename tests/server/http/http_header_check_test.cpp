// Mcp-* headers against bodies: the base64 sentinel, Mcp-Method, Mcp-Name, Mcp-Param.
#include "server/mcp/header_check.h"
#include "support/catch.h"

namespace {

using namespace server;

const Json kSchema = core::json_of(R"({"type":"object","properties":{
  "region":{"type":"string","x-mcp-header":"Region"},
  "count":{"type":"integer","x-mcp-header":"Count"},
  "deep":{"type":"object","properties":{"on":{"type":"boolean","x-mcp-header":"On"}}},
  "free":{"type":"string"}}})");

HeaderFacts with_param(const std::string& name, const std::string& value) {
  HeaderFacts facts;
  facts.params[name] = value;
  return facts;
}

Request call(const std::string& name) {
  return {RequestId{std::int64_t{1}}, "tools/call", Json{{"name", name}}};
}

HeaderFacts facts(std::optional<std::string> method, std::optional<std::string> name) {
  HeaderFacts out;
  out.method = std::move(method);
  out.name = std::move(name);
  return out;
}

}  // namespace

TEST_CASE("A header value is literal unless it is wrapped as base64 on both sides") {
  CHECK(decode_header_value("plain") == "plain");
  CHECK(decode_header_value("") == "");
  CHECK(decode_header_value("SGVsbG8=") == "SGVsbG8=");
  CHECK(decode_header_value("=?base64?SGVsbG8=") == "=?base64?SGVsbG8=");
  CHECK(decode_header_value("SGVsbG8=?=") == "SGVsbG8=?=");
  CHECK(decode_header_value("=?BASE64?SGVsbG8=?=") == "=?BASE64?SGVsbG8=?=");
  CHECK(decode_header_value("=?base64?SGVsbG8=?=") == "Hello");
  CHECK(decode_header_value("=?base64?"
                            "?=") == "");
  CHECK(decode_header_value("=?base64?w6TDtsO8?=") == "äöü");
}

TEST_CASE("Base64 that is not canonical, padded and UTF-8 is refused") {
  CHECK_FALSE(decode_header_value("=?base64?SGVsbG8?="));      // no padding
  CHECK_FALSE(decode_header_value("=?base64?SGVs!!!bG8=?="));  // alphabet
  CHECK_FALSE(decode_header_value("=?base64?SGVsbG9=?="));     // bits left over
  CHECK_FALSE(decode_header_value("=?base64?SGVs=bG8?="));     // padding inside
  CHECK_FALSE(decode_header_value("=?base64?====?="));
  CHECK_FALSE(decode_header_value("=?base64?SGVsbG8-?="));  // the URL alphabet
  CHECK_FALSE(decode_header_value("=?base64?/w==?="));      // not UTF-8
  CHECK_FALSE(decode_header_value("=?base64? SGVs ?="));
}

TEST_CASE("Mcp-Method must be there and equal, case and all") {
  const Request list{RequestId{std::int64_t{1}}, "tools/list", Json::object()};
  CHECK_FALSE(check_method_headers(facts("tools/list", {}), list));
  for (const auto& method : {std::optional<std::string>(), std::optional<std::string>("TOOLS/LIST"),
                             std::optional<std::string>("prompts/list")}) {
    const auto refusal = check_method_headers(facts(method, {}), list);
    REQUIRE(refusal);
    CHECK(refusal->code == rpc_code::kHeaderMismatch);
    CHECK(refusal->http_status == 400);
  }
}

TEST_CASE("Mcp-Name repeats the name, the URI or the task id") {
  CHECK_FALSE(check_method_headers(facts("tools/call", "greet"), call("greet")));
  CHECK_FALSE(check_method_headers(facts("tools/call", "=?base64?Z3JlZXQ=?="), call("greet")));
  CHECK(check_method_headers(facts("tools/call", "other"), call("greet")));
  CHECK(check_method_headers(facts("tools/call", {}), call("greet")));
  CHECK(check_method_headers(facts("tools/call", "=?base64?Z3JlZXQ?="), call("greet")));
  const Request read{RequestId{std::int64_t{1}}, "resources/read", Json{{"uri", "a://b"}}};
  CHECK_FALSE(check_method_headers(facts("resources/read", "a://b"), read));
  CHECK(check_method_headers(facts("resources/read", "a://c"), read));
  const Request task{RequestId{std::int64_t{1}}, "tasks/get", Json{{"taskId", "t1"}}};
  CHECK_FALSE(check_method_headers(facts("tasks/get", "t1"), task));
  CHECK(check_method_headers(facts("tasks/get", {}), task));
  const Request skill{RequestId{std::int64_t{1}}, "skills/get", Json{{"uri", "skill://x"}}};
  CHECK_FALSE(check_method_headers(facts("skills/get", {}), skill));
}

TEST_CASE("A name that the body lacks is left to the method's own check") {
  Request bare = call("x");
  bare.params = Json::object();
  CHECK_FALSE(check_method_headers(facts("tools/call", {}), bare));
  bare.params["name"] = 5;
  CHECK_FALSE(check_method_headers(facts("tools/call", {}), bare));
}

TEST_CASE("Mcp-Param headers must agree with the arguments that declare them") {
  CHECK_FALSE(check_param_headers(with_param("region", "eu"), kSchema, Json{{"region", "eu"}}));
  CHECK_FALSE(check_param_headers({}, kSchema, Json{{"free", "x"}}));
  CHECK_FALSE(check_param_headers(with_param("region", "eu"), kSchema, Json::object()));
  CHECK_FALSE(check_param_headers(with_param("region", "eu"), kSchema, Json{{"region", nullptr}}));
  CHECK(check_param_headers({}, kSchema, Json{{"region", "eu"}}));
  CHECK(check_param_headers(with_param("region", "EU"), kSchema, Json{{"region", "eu"}}));
  CHECK(check_param_headers(with_param("region", "[1]"), kSchema, Json{{"region", {1}}}));
}

TEST_CASE("Numbers and booleans in Mcp-Param headers are compared by value") {
  CHECK_FALSE(check_param_headers(with_param("count", "42"), kSchema, Json{{"count", 42}}));
  CHECK_FALSE(check_param_headers(with_param("count", "42.0"), kSchema, Json{{"count", 42}}));
  CHECK(check_param_headers(with_param("count", "42x"), kSchema, Json{{"count", 42}}));
  CHECK(check_param_headers(with_param("count", "9007199254740993"), kSchema,
                            Json{{"count", 9007199254740992}}));
  const Json deep{{"deep", {{"on", true}}}};
  CHECK_FALSE(check_param_headers(with_param("on", "true"), kSchema, deep));
  CHECK(check_param_headers(with_param("on", "TRUE"), kSchema, deep));
}

TEST_CASE("Strange schemas and arguments never trouble the header check") {
  CHECK_FALSE(check_param_headers({}, Json(5), Json::object()));
  CHECK_FALSE(check_param_headers({}, kSchema, Json::array()));
  CHECK_FALSE(check_param_headers({}, Json{{"properties", 5}}, Json{{"a", 1}}));
  CHECK_FALSE(check_param_headers({}, Json{{"properties", {{"a", true}}}}, Json{{"a", 1}}));
}
