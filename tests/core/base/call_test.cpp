#include "core/base/call.h"

#include <set>

#include "support/catch.h"

using core::Action;
using core::Call;
using core::say;
using core::say_parameter;
using core::spell_calls;

namespace {

std::vector<Call> calls_in(const std::string& text) {
  std::vector<Call> calls;
  spell_calls(text, [&calls](const Call& call) {
    calls.push_back(call);
    return std::string();
  });
  return calls;
}

}  // namespace

TEST_CASE("A call comes out of a text as it went in, whatever its values hold") {
  const std::string path = "/a b/\x02\x03\n\"'`\\ü.db";
  const std::string text =
      "Do " +
      say(Action::restore, {{"snapshot", path},
                            {"in_place", true},
                            {"reindex", false},
                            {"pattern", std::vector<std::string>{"*.db", "a b"}}}) +
      ", or " + say_parameter("dry_run") + ".";
  CHECK(text.find('\n') == std::string::npos);
  const auto calls = calls_in(text);
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].action == "restore");
  REQUIRE(calls[0].parameters.size() == 4);
  CHECK(calls[0].parameters[0].name == "snapshot");
  CHECK(std::get<std::string>(calls[0].parameters[0].value) == path);
  CHECK(std::get<bool>(calls[0].parameters[1].value));
  CHECK_FALSE(std::get<bool>(calls[0].parameters[2].value));
  CHECK(std::get<std::vector<std::string>>(calls[0].parameters[3].value) ==
        std::vector<std::string>{"*.db", "a b"});
  CHECK(calls[1].action.empty());
  CHECK(std::holds_alternative<std::monostate>(calls[1].parameters.at(0).value));
  CHECK(spell_calls(text, [](const Call&) { return "X"; }) == "Do X, or X.");
}

TEST_CASE("Every action has a name of its own") {
  std::set<std::string_view> names;
  for (int action = 0; action <= static_cast<int>(Action::remove_schedule); ++action) {
    const auto name = to_string(static_cast<Action>(action));
    CHECK_FALSE(name.empty());
    CHECK(names.insert(name).second);
  }
}

TEST_CASE("What only looks like a call stays as it is") {
  for (const std::string text :
       {"", "plain", "\x02", "\x03", "a\x03 b\x02", "\x02\x03", "\x02restore {\x03",
        "\x02restore []\x03 x", "\x02restore {\"a\":1}\x03"}) {
    CAPTURE(text);
    CHECK(calls_in(text).empty());
    CHECK(core::plain_text(text) == text);
  }
}

TEST_CASE("A log, whose reader nobody knows, has calls in plain words") {
  CHECK(core::plain_text("Use " + say(Action::restore, {{"snapshot", "/x"}, {"in_place", true}}) +
                         " with " + say_parameter("confirmed", true) + ".") ==
        "Use restore snapshot /x in_place with confirmed.");
}
