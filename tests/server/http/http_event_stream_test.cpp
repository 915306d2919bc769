// Streams of events: order, replay, bounds, and who reads them.
#include "server/http/http_event_stream.h"

#include <thread>

#include "support/catch.h"

namespace {

using namespace server;
using namespace std::chrono_literals;
using State = EventStream::State;

std::string json_of(EventStream& stream, std::uint64_t ticket) {
  const auto reading = stream.next(ticket, 0ms);
  return reading.state == State::event ? reading.event.json : std::string();
}

}  // namespace

TEST_CASE("An event names its id and retry before its data and ends with a blank line") {
  CHECK(sse_event("{}") == "event: message\ndata: {}\n\n");
  CHECK(sse_event("", "1.0", 500ms) == "id: 1.0\nretry: 500\ndata: \n\n");
  CHECK(sse_comment() == ": keep-alive\n\n");
}

TEST_CASE("Events come in the order they were pushed, then the end") {
  EventStream stream(false);
  const auto ticket = stream.attach().ticket;
  CHECK(stream.next(ticket, 0ms).state == State::idle);
  stream.push("1");
  stream.push("2");
  stream.finish();
  stream.push("too late");
  CHECK(json_of(stream, ticket) == "1");
  CHECK(json_of(stream, ticket) == "2");
  CHECK(stream.next(ticket, 0ms).state == State::finished);
}

TEST_CASE("A reader wakes when something is pushed") {
  EventStream stream(false);
  const auto ticket = stream.attach().ticket;
  std::jthread writer([&] {
    std::this_thread::sleep_for(20ms);
    stream.push("x");
  });
  const auto reading = stream.next(ticket, 10s);
  CHECK(reading.state == State::event);
  CHECK(reading.event.json == "x");
}

TEST_CASE("A client that comes back reads on behind the last event it saw") {
  EventStream stream(true);
  auto ticket = stream.attach().ticket;
  stream.push("1");
  CHECK(json_of(stream, ticket) == "1");
  stream.release();
  CHECK(stream.next(ticket, 0ms).state == State::released);
  stream.detach(ticket);
  CHECK_FALSE(stream.attached());
  stream.push("2");
  stream.push("3");
  stream.finish();
  ticket = stream.attach(1).ticket;
  CHECK(json_of(stream, ticket) == "2");
  CHECK(json_of(stream, ticket) == "3");
  CHECK(stream.next(ticket, 0ms).state == State::finished);
}

TEST_CASE("A reader that names no event goes on where the last one stopped") {
  EventStream stream(true);
  stream.push("1");
  const auto first = stream.attach();
  CHECK(first.after == 0);
  CHECK(json_of(stream, first.ticket) == "1");
  stream.push("2");
  const auto second = stream.attach();
  CHECK(second.after == 1);
  CHECK(json_of(stream, second.ticket) == "2");
}

TEST_CASE("A reader that names an event yet to come misses none") {
  EventStream stream(true);
  stream.push("1");
  const auto place = stream.attach(57);
  CHECK(place.after == 1);
  stream.push_or_drop("2");
  const auto reading = stream.next(place.ticket, 0ms);
  REQUIRE(reading.state == EventStream::State::event);
  CHECK(reading.event.json == "2");
}

TEST_CASE("A second reader displaces the first") {
  EventStream stream(true);
  const auto first = stream.attach().ticket;
  const auto second = stream.attach().ticket;
  stream.push("x");
  CHECK(stream.next(first, 0ms).state == State::displaced);
  CHECK(json_of(stream, second) == "x");
  stream.detach(first);
  CHECK(stream.attached());
}

TEST_CASE("A stream nobody reads stays bounded: replayable ones forget, others end") {
  EventStream replayable(true);
  EventStream once(false);
  const std::string big(EventStream::kMaxHeldBytes / 4, 'x');
  for (int i = 0; i < 10; ++i) {
    replayable.push(big);
    once.push(big);
  }
  const auto ticket = replayable.attach().ticket;
  CHECK(replayable.next(ticket, 0ms).event.number > 1);
  CHECK(once.next(once.attach().ticket, 0ms).state == State::overrun);
}
