// The signed state of questions, and the digests it rests on.
#include "server/mcp/request_state.h"

#include "support/catch.h"
#include "support/fake_env.h"

using server::Json;
using server::RequestStates;

namespace {

const std::string kKey(32, 'k');

struct Fixture {
  test::FakeClock clock;
  RequestStates states{[] { return kKey; }, clock};
  RequestStates::Memory memory{{{"who", {{"action", "accept"}}}}, {{"who", nullptr}}, "round 1"};
};

}  // namespace

TEST_CASE("State comes back as it was signed, from any process with the key") {
  Fixture fixture;
  const std::string text = fixture.states.sign(fixture.memory, "ann", "request");
  RequestStates other([] { return kKey; }, fixture.clock);
  const auto memory = other.verify(text, "ann", "request");
  REQUIRE(memory);
  CHECK(memory->answers == fixture.memory.answers);
  CHECK(memory->asked == fixture.memory.asked);
  CHECK(memory->state == "round 1");
}

TEST_CASE("No changed byte of a state is accepted") {
  Fixture fixture;
  const std::string text = fixture.states.sign(fixture.memory, "ann", "request");
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    INFO("byte " << i);
    CHECK_FALSE(fixture.states.verify(changed, "ann", "request"));
  }
  for (const char* end : {"=", "A", ".", "-TAMPERED", " "}) {
    CHECK_FALSE(fixture.states.verify(text + end, "ann", "request"));
  }
  for (std::size_t size = 0; size < text.size(); ++size) {
    CHECK_FALSE(fixture.states.verify(text.substr(0, size), "ann", "request"));
  }
}

TEST_CASE("State is good for its principal, its request and its time only") {
  Fixture fixture;
  const std::string text = fixture.states.sign(fixture.memory, "ann", "request");
  CHECK_FALSE(fixture.states.verify(text, "bob", "request"));
  CHECK_FALSE(fixture.states.verify(text, "ann", "another"));
  fixture.clock.advance(RequestStates::kLifetime + std::chrono::seconds(1));
  CHECK_FALSE(fixture.states.verify(text, "ann", "request"));
}

TEST_CASE("A key of another server, or one that is too short, opens nothing") {
  Fixture fixture;
  const std::string text = fixture.states.sign(fixture.memory, "ann", "request");
  RequestStates other([] { return std::string(32, 'x'); }, fixture.clock);
  CHECK_FALSE(other.verify(text, "ann", "request"));
  RequestStates short_key([] { return std::string("kkk"); }, fixture.clock);
  RequestStates random_key({}, fixture.clock);
  CHECK_FALSE(random_key.verify(short_key.sign({}, "a", "r"), "a", "r"));
}

TEST_CASE("Two states of one request differ") {
  Fixture fixture;
  CHECK(fixture.states.sign(fixture.memory, "ann", "r") !=
        fixture.states.sign(fixture.memory, "ann", "r"));
}

TEST_CASE("A request is the same in another order of keys, and without its round's own fields") {
  const auto digest = [](const char* params) {
    return server::request_digest("tools/call", core::json_of(params));
  };
  CHECK(digest(R"({"name":"t","arguments":{"a":1,"b":2}})") ==
        digest(R"({"arguments":{"b":2,"a":1},"name":"t","_meta":{},"requestState":"x",
                   "inputResponses":{}})"));
  CHECK(digest(R"({"name":"t"})") != digest(R"({"name":"u"})"));
  CHECK(digest(R"({"name":"t"})") != digest(R"({"name":"t","arguments":{"a":1}})"));
}
