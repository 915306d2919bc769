// Termination signals as a readable descriptor.
#include "server/base/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace server {
namespace {

// Handlers may touch only such things.
volatile std::sig_atomic_t write_end = -1;

void on_signal(int) {
  const int saved = errno;
  const char byte = 1;
  // Nothing can be done about a failure here; the pipe is empty before the first signal.
  [[maybe_unused]] const auto written = write(write_end, &byte, 1);
  errno = saved;
}

}  // namespace

int termination_signals() {
  std::array<int, 2> ends{};
  std::signal(SIGPIPE, SIG_IGN);
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  write_end = ends[1];
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  return ends[0];
}

void die_of_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
}

void hear_of_children() {
  std::signal(SIGCHLD, SIG_DFL);
}

}  // namespace server
