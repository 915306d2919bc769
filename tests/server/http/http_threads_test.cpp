// Threads for connections: their bound, and the system's.
#include "server/http/http_threads.h"

#include <atomic>
#include <latch>

#include "support/catch.h"
#include "support/no_threads.h"

using server::ConnectionThreads;
using server::Socket;
using server::Treatment;

TEST_CASE("Connections above the bound are told so, further ones are not taken") {
  std::latch go(1);
  std::atomic<int> served = 0, refused = 0;
  ConnectionThreads threads(2, [&](Socket, Treatment treatment) {
    go.wait();
    ++(treatment == Treatment::serve ? served : refused);
  });
  Socket socket;
  for (std::size_t i = 0; i < 2 + ConnectionThreads::kMaxRefusals; ++i) CHECK(threads.take(socket));
  CHECK_FALSE(threads.take(socket));
  go.count_down();
  threads.shutdown();
  CHECK(served == 2);
  CHECK(refused == static_cast<int>(ConnectionThreads::kMaxRefusals));
}

#ifndef _WIN32
TEST_CASE("Where the system gives no thread, a connection is not taken") {
  CHECK(test::holds_without_threads([] {
    ConnectionThreads threads(2, [](Socket, Treatment) {});
    Socket socket;
    return !threads.take(socket) && !threads.take(socket);
  }));
}
#endif
