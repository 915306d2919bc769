#include "server/platform/signals.h"

#include <atomic>

#include "server/platform/windows/waiting.h"

namespace server {
namespace {

// What the system gives a program whose window is closed, or whose user logs off.
constexpr DWORD kLastMoment = 5'000;  // ms

std::atomic<const Event*> heard = nullptr;
std::atomic<bool> was_heard = false;

// Runs on a thread of the system's.
BOOL WINAPI on_control(DWORD kind) {
  const bool first = !was_heard.exchange(true);
  heard.load()->set();
  if (kind == CTRL_C_EVENT || kind == CTRL_BREAK_EVENT) return first ? TRUE : FALSE;
  ::Sleep(kLastMoment);  // the process ends as soon as this returns
  return TRUE;
}

}  // namespace

core::Expected<const Event*> termination_signals() {
  auto made = Event::make();
  if (!made) {
    made.error().message = "cannot listen for signals: " + made.error().message;
    return core::fail(std::move(made).error());
  }
  static const Event* const event = new Event(std::move(*made));  // handlers may run to the last
  heard = event;
  if (::SetConsoleCtrlHandler(on_control, TRUE) == 0) {
    return core::fail(core::error_from_system(::GetLastError(), "cannot listen for signals"));
  }
  return event;
}

void die_of_signals() {
  ::SetConsoleCtrlHandler(on_control, FALSE);
}

void hear_of_children() {}

}  // namespace server
