// Arguments as models write them.
#include "server/mcp/lenient_arguments.h"

#include "support/catch.h"
#include "tests/server/support/demo_server.h"

namespace {

using server::Json;
using server::take_leniently;

const Json kSchema = core::json_of(R"({
  "type": "object",
  "properties": {
    "text": {"type": "string"},
    "count": {"type": "integer", "maximum": 9},
    "ratio": {"type": "number"},
    "flag": {"type": "boolean"},
    "list": {"type": "array", "items": {"type": "integer"}},
    "form": {"type": "object", "properties": {"deep": {"type": "boolean"}}},
    "either": {"type": ["integer", "string"]},
    "maybe": {"type": ["string", "null"]},
    "level": {"enum": ["low", "high"]},
    "free": {}
  },
  "required": ["text"]
})");

Json taken(const char* arguments) {
  return take_leniently(kSchema, core::json_of(arguments)).arguments;
}

std::size_t warnings(const char* arguments) {
  return take_leniently(kSchema, core::json_of(arguments)).warnings.size();
}

}  // namespace

TEST_CASE("Arguments that can mean only one thing are taken as that, with a warning") {
  CHECK(taken(R"({"count":"7","ratio":"-2.5","flag":"true"})") ==
        core::json_of(R"({"count":7,"ratio":-2.5,"flag":true})"));
  CHECK(taken(R"({"list":"[1, 2]","form":"{\"deep\":\"false\"}"})") ==
        core::json_of(R"({"list":[1,2],"form":{"deep":false}})"));
  CHECK(taken(R"({"list":["1",2],"form":{"deep":"true"}})") ==
        core::json_of(R"({"list":[1,2],"form":{"deep":true}})"));
  const auto told = take_leniently(kSchema, core::json_of(R"({"list":["1"]})")).warnings;
  REQUIRE(told.size() == 1);
  CHECK(told[0] == "The argument 'list[0]' was given as a text; it was taken as 1.");
}

TEST_CASE("A whole number with a fraction of nothing is an integer, which needs no warning") {
  CHECK(taken(R"({"count":5.0})").at("count").is_number_integer());
  CHECK(warnings(R"({"count":5.0})") == 0);
  CHECK(taken(R"({"count":5.5})").at("count") == 5.5);
  CHECK(taken(R"({"count":1e300})").at("count").is_number_float());
}

TEST_CASE("A null for what is optional counts as not given; any other stays") {
  CHECK(taken(R"({"count":null,"level":null,"list":null})") == Json::object());
  CHECK(warnings(R"({"count":null})") == 1);
  for (const char* kept : {R"({"text":null})", R"({"maybe":null})", R"({"free":null})",
                           R"({"other":null})", R"({"list":[null]})"}) {
    CHECK(taken(kept) == core::json_of(kept));
    CHECK(warnings(kept) == 0);
  }
}

TEST_CASE("Arguments that could mean more than one thing, or nothing, stay as they are") {
  for (const char* kept :
       {R"({"text":"7"})",    R"({"text":7})",       R"({"either":"7"})",
        R"({"free":"7"})",    R"({"count":""})",     R"({"count":"-"})",
        R"({"count":" 7"})",  R"({"count":"7 "})",   R"({"count":"0x7"})",
        R"({"count":"7.0"})", R"({"count":"+7"})",   R"({"count":"99999999999999999999"})",
        R"({"flag":"yes"})",  R"({"flag":"True"})",  R"({"flag":1})",
        R"({"count":true})",  R"({"ratio":"nan"})",  R"({"list":"1"})",
        R"({"list":"[1"})",   R"({"list":"{}"})",    R"({"form":"[]"})",
        R"({"level":"LOW"})", R"({"list":{"0":1}})", R"({"unknown":"7"})"}) {
    CAPTURE(kept);
    CHECK(taken(kept) == core::json_of(kept));
    CHECK(warnings(kept) == 0);
  }
}

TEST_CASE("However much is read leniently, the warnings are few and short") {
  Json arguments{{"list", Json::array()}};
  for (int i = 0; i < 100; ++i) arguments["list"].push_back("1");
  const auto many = take_leniently(kSchema, arguments);
  CHECK(many.arguments.at("list").back() == 1);
  CHECK(many.warnings.size() == 5);
  const auto large = take_leniently(kSchema, {{"list", "[" + std::string(500, '1') + "]"}});
  const auto nested = take_leniently(kSchema, {{"list", std::string(1000, '[')}});
  CHECK(nested.arguments.at("list").is_string());
  for (const auto& warning : large.warnings) CHECK(warning.size() < 200);
}

TEST_CASE("Arguments given whole as one text are taken as the object that it spells") {
  const auto spelt = server::take_whole(R"({"count": 7})");
  REQUIRE(spelt.has_value());
  CHECK(spelt->arguments == Json{{"count", 7}});
  REQUIRE(spelt->warnings.size() == 1);
  CHECK(spelt->warnings[0] ==
        "The arguments were given as one text; they were taken as {\"count\":7}.");
  const auto empty = server::take_whole("");
  REQUIRE(empty.has_value());
  CHECK(empty->arguments == Json::object());
  CHECK(empty->warnings.size() == 1);
  const Json large = "{\"text\":\"" + std::string(500, 'x') + "\"}";
  CHECK(server::take_whole(large)->warnings[0].size() < 200);
}

TEST_CASE("An object, and PHP's empty array, are arguments that need no warning") {
  for (const char* given : {R"({"count":"7"})", "{}", "[]"}) {
    const auto whole = server::take_whole(core::json_of(given));
    REQUIRE(whole.has_value());
    CHECK(whole->arguments.is_object());
    CHECK(whole->warnings.empty());
  }
}

TEST_CASE("Arguments that are no object in any reading are refused") {
  for (const char* given : {"7", "true", "[1]", R"("7")", R"("[]")", R"("{\"a\":1")", R"(" ")",
                            R"("null")", R"("\"{}\"")", R"("{} {}")"}) {
    CAPTURE(given);
    CHECK_FALSE(server::take_whole(core::json_of(given)).has_value());
  }
}

TEST_CASE("An argument that nobody knows is refused in whole sentences") {
  test::DemoServer demo;
  const Json reply = demo.ask(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":)"
      R"({"text":"a","task_progress":"1 of 2"}}})");
  CHECK(reply.at("result").at("isError") == true);
  CHECK_THAT(reply.at("result").at("content").at(0).at("text").get<std::string>(),
             Catch::Contains("There is no argument 'task_progress'. Valid: text, style."));
}
