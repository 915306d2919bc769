// Events, and what waits for them.
#include "server/platform/event.h"

#ifndef _WIN32
#include <unistd.h>
#endif

#include <thread>

#include "server/platform/sockets.h"
#include "support/catch.h"

using namespace std::chrono_literals;
using server::Event;
using server::ListeningSocket;
using server::Socket;

TEST_CASE("An event stays set, however often it is set and looked at") {
  const Event event = *Event::make();
  CHECK_FALSE(event.is_set());
  CHECK_FALSE(event.wait_for(1ms));
  for (int i = 0; i < 100'000; ++i) event.set();  // more than a pipe holds
  CHECK(event.is_set());
  CHECK(event.wait_for(10s));
}

#ifndef _WIN32
TEST_CASE("An event that cannot be written to wakes its waiters all the same") {
  const Event event = *Event::make();
  // The two ends of a pipe have neighbouring numbers.
  REQUIRE(::close(handle_of(&event) + 1) == 0);
  event.set();
  CHECK(event.is_set());
  event.set();
  CHECK(event.is_set());
}
#endif

TEST_CASE("A wait for two events ends with either, and tells which") {
  const Event first = *Event::make(), second = *Event::make();
  std::thread thread([&second] { second.set(); });
  CHECK_FALSE(is_set_first(first, second));
  thread.join();
  first.set();
  CHECK(is_set_first(first, second));
}

TEST_CASE("An address is had once, and nobody connects to a socket that was shut down") {
  auto listening = ListeningSocket::open("127.0.0.1", 0, 8);
  REQUIRE(listening);
  REQUIRE(listening->port() > 0);
  CHECK_FALSE(ListeningSocket::open("127.0.0.1", listening->port(), 8));
  CHECK_FALSE(ListeningSocket::open("no address", 0, 8));
  Socket nobody;
  CHECK(listening->accept(nobody, 1ms) == ListeningSocket::Outcome::none);
  listening->shut_down();
  CHECK(listening->accept(nobody, 10s) == ListeningSocket::Outcome::broken);
}
