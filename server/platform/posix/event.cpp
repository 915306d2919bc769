// An event is a pipe with a byte in it.
#include "server/platform/event.h"

#include <fcntl.h>
#include <unistd.h>

#include "server/platform/posix/waiting.h"

namespace server {
namespace {

bool prepare(int fd) {
  return ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && ::fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

}  // namespace

core::Expected<Event> Event::make() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) {
    return core::fail(core::error_from_errno(errno, "cannot make a pipe"));
  }
  Event event{core::Descriptor(ends[0]), core::Descriptor(ends[1])};
  if (!prepare(ends[0]) || !prepare(ends[1])) {
    return core::fail(core::error_from_errno(errno, "cannot make a pipe"));
  }
  return event;
}

void Event::set() const {
  const int saved = errno;
  const char byte = 1;
  ssize_t written = 0;
  do {
    written = ::write(told_.get(), &byte, 1);
  } while (written < 0 && errno == EINTR);
  // A full pipe is set already. Else the end to write to is given up, which wakes a reader as well:
  // whoever waits without a bound must not wait for ever.
  if (written < 0 && errno != EAGAIN) ::dup2(heard_.get(), told_.get());
  errno = saved;
}

bool Event::wait_for(std::chrono::milliseconds timeout) const {
  return poll_one(heard_.get(), POLLIN, static_cast<int>(timeout.count()));
}

bool is_set_first(const Event& first, const Event& second) {
  std::array<pollfd, 2> both{pollfd{handle_of(&first), POLLIN, 0},
                             pollfd{handle_of(&second), POLLIN, 0}};
  poll_all(both, kForEver);
  return both[0].revents != 0;
}

}  // namespace server
