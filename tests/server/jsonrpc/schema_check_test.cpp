// What is said about arguments that do not fit.
#include "server/jsonrpc/schema_check.h"

#include "support/catch.h"

using server::Json;
using server::SchemaCheck;

namespace {

const Json kSchema = core::json_of(R"({
  "type": "object",
  "properties": {
    "source": {"type": "string", "minLength": 1},
    "verify": {"type": "string", "enum": ["quick", "full", "none"]},
    "retain_days": {"type": "integer", "minimum": 1},
    "flat": {"type": "boolean"},
    "paths": {"type": "array", "items": {"type": "string"}}
  },
  "required": ["source"],
  "additionalProperties": false
})");

std::string problem(const char* value) {
  return SchemaCheck(kSchema).problem(core::json_of(value), "argument").value_or("");
}

}  // namespace

TEST_CASE("Arguments that fit have no problem") {
  CHECK(problem(R"({"source":"a","verify":"full","retain_days":3,"flat":true,"paths":["x"]})")
            .empty());
}

TEST_CASE("A whole number is an integer however it is written") {
  CHECK(problem(R"({"source":"a","retain_days":5.0})").empty());
  CHECK(problem(R"({"source":"a","retain_days":1e2})").empty());
  CHECK_FALSE(problem(R"({"source":"a","retain_days":5.5})").empty());
  CHECK_FALSE(problem(R"({"source":"a","retain_days":1e300})").empty());
}

TEST_CASE("A problem names the argument, what is wrong, and what would be right") {
  CHECK(problem("{}") == "The argument 'source' is missing: give a string, of length at least 1.");
  CHECK(problem(R"({"source":"a","verify":"fast"})") ==
        "The argument 'verify' is \"fast\"; it must be one of \"quick\", \"full\", \"none\".");
  CHECK(problem(R"({"source":"a","retain_days":0})") ==
        "The argument 'retain_days' is 0; it must be an integer, at least 1.");
  CHECK(problem(R"({"source":"a","flat":"yes"})") ==
        "The argument 'flat' is \"yes\", which is of the wrong type; it must be a boolean.");
  CHECK(problem(R"({"source":"a","retain_day":2})") ==
        "There is no argument 'retain_day'; did you mean 'retain_days'? Valid: source, verify, "
        "retain_days, flat, paths.");
}

TEST_CASE("Several problems are told at once, and long values are cut") {
  const std::string text = problem(R"({"verify":"x","flat":1})");
  CHECK(text.find("'source'") != std::string::npos);
  CHECK(text.find("'verify'") != std::string::npos);
  CHECK(text.find("'flat'") != std::string::npos);
  CHECK(problem((R"({"source":"a","verify":")" + std::string(5000, 'x') + "\"}").c_str()).size() <
        300);
}

TEST_CASE("A text too long to be matched is refused before it is") {
  const SchemaCheck check(
      core::json_of(R"({"properties":{"a":{"type":"string","pattern":"(x|y)*"}}})"));
  CHECK_FALSE(check.problem(Json{{"a", std::string(1000, 'x')}}, "argument"));
  CHECK(check.problem(Json{{"a", std::string(5'000'000, 'x')}}, "argument"));
}

TEST_CASE("A problem deep inside is told by its path") {
  CHECK(problem(R"({"source":"a","paths":["x",1]})").find("paths") != std::string::npos);
}

TEST_CASE("Words of 2020-12 that mean the same are understood") {
  const SchemaCheck check(core::json_of(R"({
    "type": "object",
    "$defs": {"day": {"type": "string", "minLength": 10}},
    "properties": {"from": {"$ref": "#/$defs/day"}, "kind": {"const": "a"}},
    "if": {"properties": {"kind": {"const": "a"}}, "required": ["kind"]},
    "then": {"required": ["from"]}
  })"));
  CHECK(check.defect().empty());
  CHECK_FALSE(check.problem(core::json_of(R"({"from":"2026-11-23"})"), "argument"));
  CHECK(check.problem(core::json_of(R"({"from":"today"})"), "argument"));
  CHECK(check.problem(core::json_of(R"({"kind":"a"})"), "argument"));
}

TEST_CASE("Who words the members says what they are called, and what a pattern expects") {
  const SchemaCheck check(core::json_of(
      R"({"properties":{"time":{"type":"string","pattern":"^[0-9]+$"},"kind":{"enum":["a"]}}})"));
  const server::MemberWords words{
      .subject = [](const std::string& name) { return "Flag --" + name; },
      .expected = [](const std::string& name) { return name == "time" ? "digits" : ""; }};
  CHECK(check.problem(Json{{"time", "noon"}}, "argument", words) ==
        "Flag --time is \"noon\"; it must be digits.");
  CHECK(check.problem(Json{{"kind", "b"}}, "argument", words) ==
        "Flag --kind is \"b\"; it must be one of \"a\".");
}

TEST_CASE("A schema that cannot be used says so instead of letting everything through") {
  const SchemaCheck check(core::json_of(R"({"$ref":"https://example.org/schema.json"})"));
  CHECK_FALSE(check.defect().empty());
  CHECK(check.problem(Json::object(), "argument"));
}

TEST_CASE("The nearest word is one that a slip explains") {
  const std::vector<std::string> verbs = {"snapshot", "list", "verify", "serve"};
  CHECK(server::nearest("snapshto", verbs) == "snapshot");
  CHECK(server::nearest("lst", verbs) == "list");
  CHECK(server::nearest("frobnicate", verbs).empty());
}
