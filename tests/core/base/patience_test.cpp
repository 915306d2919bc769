// Questions to places that may never answer.
#include "core/base/patience.h"

#include <future>

#include "support/catch.h"

namespace {

using core::within;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

TEST_CASE("A place that answers is heard") {
  CHECK(within(1s, "quick", {}, [] { return 7; }) == 7);
  CHECK(within(1s, "quick", {}, [] { return 8; }) == 8);
}

TEST_CASE("A place that hangs is given up in time, and asked again only when it has answered") {
  std::promise<void> answer;
  const auto answered = answer.get_future().share();
  const auto ask = [answered] {
    answered.wait();
    return 1;
  };
  const auto begun = steady_clock::now();
  CHECK_FALSE(within(50ms, "hangs", {}, ask));
  const auto second = steady_clock::now();
  CHECK_FALSE(within(10s, "hangs", {}, ask));  // at once: the first question still waits
  CHECK(steady_clock::now() - second < 1s);
  CHECK(second - begun < 5s);
  CHECK(within(5s, "elsewhere", {}, [] { return 2; }) == 2);
  answer.set_value();
  for (int i = 0; i < 500 && !within(10ms, "hangs", {}, ask); ++i) {
    std::this_thread::sleep_for(10ms);
  }
  CHECK(within(5s, "hangs", {}, ask) == 1);
}

TEST_CASE("Who asks while another does waits for his turn") {
  std::promise<void> begun;
  std::optional<int> answer;  // looked at by this thread alone: the test library is for one
  std::thread first([&] {
    answer = within(10s, "shared", {}, [&] {
      begun.set_value();
      std::this_thread::sleep_for(100ms);
      return 1;
    });
  });
  begun.get_future().wait();
  CHECK(within(10s, "shared", {}, [] { return 2; }) == 2);
  first.join();
  CHECK(answer == 1);
}

TEST_CASE("A stop ends the waiting at once") {
  std::promise<void> answer;
  const auto answered = answer.get_future().share();
  std::stop_source stop;
  std::thread stopper([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  const auto begun = steady_clock::now();
  CHECK_FALSE(within(60s, "stopped", stop.get_token(), [answered] {
    answered.wait();
    return 1;
  }));
  CHECK(steady_clock::now() - begun < 5s);
  stopper.join();
  answer.set_value();
}

}  // namespace
