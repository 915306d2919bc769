#include "server/platform/streams.h"

#include <unistd.h>

#include <algorithm>
#include <climits>

#include "server/platform/posix/waiting.h"

namespace server {
namespace {

// A pipe that polls as writable takes this much without blocking.
constexpr std::size_t kWriteChunk = PIPE_BUF;  // bytes

bool means_again(int error_number) {
  return error_number == EINTR || error_number == EAGAIN;
}

// Waits until one of them is ready; false when the wait fails or the peer has gone.
template <std::size_t N>
bool wait_for_any(std::array<pollfd, N>& all, const WaitEnds& ends) {
  if (!ends.peer_gone) return poll_all(all, kForEver);
  for (;;) {
    if (poll_all(all, static_cast<int>(kPeerCheck.count()))) return true;
    if (ends.peer_gone()) return false;
  }
}

}  // namespace

Input::Input(core::Descriptor::Handle handle) : handle_(handle) {}

Output::Output(core::Descriptor::Handle handle) : handle_(handle) {}

Input Input::standard() {
  return Input(STDIN_FILENO);
}

Output Output::standard() {
  return Output(STDOUT_FILENO);
}

std::optional<std::size_t> Input::read(char* to, std::size_t size, const WaitEnds& ends) {
  for (;;) {
    std::array<pollfd, 2> both{pollfd{handle_, POLLIN, 0}, pollfd{handle_of(ends.stop), POLLIN, 0}};
    if (!wait_for_any(both, ends) || both[1].revents != 0) return std::nullopt;
    const ssize_t count = ::read(handle_, to, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (!means_again(errno)) return std::nullopt;
  }
}

bool Output::write(std::string_view bytes, const WaitEnds& ends,
                   std::chrono::milliseconds last_wait) {
  while (!bytes.empty()) {
    std::array<pollfd, 2> both{pollfd{handle_, POLLOUT, 0},
                               pollfd{handle_of(ends.stop), POLLIN, 0}};
    wait_for_any(both, ends);
    if (both[0].revents == 0 && !poll_one(handle_, POLLOUT, static_cast<int>(last_wait.count()))) {
      return false;
    }
    const ssize_t written = ::write(handle_, bytes.data(), std::min(bytes.size(), kWriteChunk));
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (!means_again(errno)) {
      return false;
    }
  }
  return true;
}

bool Output::reader_gone() const {
  pollfd out{handle_, 0, 0};  // errors and hang-ups are told all the same
  return ::poll(&out, 1, 0) == 1;
}

bool Output::has_room_for(std::size_t bytes) const {
  return bytes <= kWriteChunk && poll_one(handle_, POLLOUT, 0);
}

}  // namespace server
