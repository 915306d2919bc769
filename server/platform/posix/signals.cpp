#include "server/platform/signals.h"

#include <atomic>
#include <csignal>

namespace server {
namespace {

// Handlers may touch only such things.
std::atomic<const Event*> heard = nullptr;
static_assert(std::atomic<const Event*>::is_always_lock_free);

void on_signal(int) {
  heard.load()->set();
}

}  // namespace

core::Expected<const Event*> termination_signals() {
  // A write that cannot be fails with an error that says why; these would end the process instead,
  // the second at a limit on the size of files.
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
  auto made = Event::make();
  if (!made) {
    made.error().message = "cannot listen for signals: " + made.error().message;
    return core::fail(std::move(made).error());
  }
  static const Event* const event = new Event(std::move(*made));  // handlers may run to the last
  heard = event;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
  return event;
}

void die_of_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
}

void hear_of_children() {
  std::signal(SIGCHLD, SIG_DFL);
}

}  // namespace server
