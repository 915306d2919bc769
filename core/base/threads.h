// Starts a thread where the system gives one: under `ulimit -u` or a limit on pids the system
// refuses one.
#pragma once

#include <system_error>
#include <thread>
#include <utility>

namespace core {

// False, and nothing runs, where the system gives no thread. (std::async with both policies does
// its work later, on the thread that asks for its result.)
template <class Work>
[[nodiscard]] bool start_thread(std::thread& thread, Work work) {
  try {
    thread = std::thread(std::move(work));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace core
