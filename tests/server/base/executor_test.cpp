// Threads for handlers and alarms: bounds and ends.
#include "server/base/executor.h"

#include <atomic>
#include <latch>

#include "support/catch.h"
#include "support/no_threads.h"

using server::Alarms;
using server::Executor;
using namespace std::chrono_literals;

TEST_CASE("Every job that was taken runs, on no more threads than allowed") {
  std::atomic<int> ran = 0;
  std::atomic<int> together = 0;
  std::atomic<int> most = 0;
  {
    Executor executor(3, 100);
    for (int i = 0; i < 50; ++i) {
      REQUIRE(executor.submit([&] {
        most = std::max(most.load(), ++together);
        std::this_thread::sleep_for(1ms);
        --together;
        ++ran;
      }));
    }
  }
  CHECK(ran == 50);
  CHECK(most <= 3);
}

TEST_CASE("A full queue and a closed executor take no more") {
  std::latch go(1);
  std::latch started(1);
  Executor executor(1, 2);
  REQUIRE(executor.submit([&] {
    started.count_down();
    go.wait();
  }));
  started.wait();
  CHECK(executor.submit([] {}));
  CHECK(executor.submit([] {}));
  CHECK_FALSE(executor.submit([] {}));
  CHECK_FALSE(executor.wait_idle(1ms));
  executor.close();
  CHECK_FALSE(executor.submit([] {}));
  go.count_down();
  CHECK(executor.wait_idle(10s));
}

TEST_CASE("An executor that never worked is idle") {
  Executor executor(4, 4);
  CHECK(executor.wait_idle(0ms));
}

TEST_CASE("Alarms go off in order of their time, and cancelled ones never") {
  // On a machine that stands still while they are set, once more with longer times.
  for (auto unit = 1ms; unit < 5s; unit *= 8) {
    std::mutex mutex;
    std::vector<int> rung;
    std::latch last(1);
    Alarms alarms;
    const auto ring = [&](int number) {
      const std::lock_guard lock(mutex);
      rung.push_back(number);
    };
    const auto begin = std::chrono::steady_clock::now();
    alarms.after(30 * unit, [&] {
      ring(3);
      last.count_down();
    });
    alarms.after(unit, [&] { ring(1); });
    const auto never = alarms.after(15 * unit, [&] { ring(2); });
    alarms.cancel(never);
    const bool set_in_time = std::chrono::steady_clock::now() - begin < 15 * unit;
    last.wait();
    const std::lock_guard lock(mutex);
    if (!set_in_time) continue;
    CHECK(rung == std::vector<int>{1, 3});
    return;
  }
  FAIL("the machine stood still for a minute");
}

TEST_CASE("Alarms that are pending at the end are dropped") {
  bool rang = false;
  {
    Alarms alarms;
    alarms.after(1h, [&] { rang = true; });
    alarms.stop();
    alarms.after(0ms, [&] { rang = true; });
  }
  CHECK_FALSE(rang);
}

#ifndef _WIN32
TEST_CASE(
    "Where the system gives no thread, a job is refused and an alarm is late: nothing aborts") {
  CHECK(test::holds_without_threads([] {
    Executor executor(3, 100);
    Alarms alarms;
    alarms.after(1ms, [] {});
    return !executor.submit([] {});
  }));
}
#endif
