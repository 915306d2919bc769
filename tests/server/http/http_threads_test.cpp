// Threads for connections: their bound, and the system's.
#include "server/http/http_threads.h"

#include <atomic>
#include <latch>

#include "support/catch.h"
#include "support/no_threads.h"

using server::ConnectionThreads;
using server::Treatment;

TEST_CASE("Connections above the bound are told so, further ones are not taken") {
  std::latch go(1);
  std::atomic<int> served = 0, refused = 0;
  ConnectionThreads threads(2, [&](int, Treatment treatment) {
    go.wait();
    ++(treatment == Treatment::serve ? served : refused);
  });
  for (std::size_t i = 0; i < 2 + ConnectionThreads::kMaxRefusals; ++i) CHECK(threads.take(0));
  CHECK_FALSE(threads.take(0));
  go.count_down();
  threads.shutdown();
  CHECK(served == 2);
  CHECK(refused == static_cast<int>(ConnectionThreads::kMaxRefusals));
}

TEST_CASE("Where the system gives no thread, a connection is not taken") {
  CHECK(test::holds_without_threads([] {
    ConnectionThreads threads(2, [](int, Treatment) {});
    return !threads.take(0) && !threads.take(0);
  }));
}
