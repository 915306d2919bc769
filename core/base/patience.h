// Asks a disk or file server that may never answer, and goes on without it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "core/base/threads.h"

namespace core {

// What status waits for a destination to answer at all, and to list what it holds.
inline constexpr std::chrono::milliseconds kPatience{2'000};
inline constexpr std::chrono::milliseconds kListPatience{10'000};

// Begins a question to a place, which is asked one at a time. False where an earlier one hangs, or
// does not end before the deadline or a stop.
bool begin_to_ask(const std::string& place, std::chrono::steady_clock::time_point deadline,
                  const std::stop_token& stop);
void end_asking(const std::string& place);
// Notes that the question hangs: until it ends, the place is asked nothing else.
void note_hanging(const std::string& place);

// The result of `ask`, which runs on a thread of its own; nothing when it did not come within
// `limit`, a stop was requested, or an earlier question to that place still hangs. That thread is
// then left to itself, for as long as the process: `ask` must own, or outlive the program with,
// all that it uses.
template <class Ask>
auto within(std::chrono::milliseconds limit, const std::string& place, std::stop_token stop,
            Ask ask) -> std::optional<decltype(ask())> {
  struct Answer {
    std::mutex mutex;
    std::condition_variable_any came;
    std::optional<decltype(ask())> value;
  };
  const auto deadline = std::chrono::steady_clock::now() + limit;
  if (!begin_to_ask(place, deadline, stop)) return std::nullopt;
  const auto answer = std::make_shared<Answer>();
  const auto work = [answer, place, ask = std::move(ask)] {
    auto value = ask();
    end_asking(place);
    const std::lock_guard lock(answer->mutex);
    answer->value.emplace(std::move(value));
    answer->came.notify_all();
  };
  std::thread thread;
  if (start_thread(thread, work)) {
    thread.detach();
  } else {
    work();  // where there is no thread to be had, patience has no bound
  }
  std::unique_lock lock(answer->mutex);
  if (!answer->came.wait_until(lock, stop, deadline, [&] { return answer->value.has_value(); }) &&
      !stop.stop_requested()) {
    note_hanging(place);
  }
  return std::move(answer->value);
}

}  // namespace core
