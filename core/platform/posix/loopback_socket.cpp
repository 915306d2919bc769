#include "core/platform/loopback_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace core {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;  // by SO_NOSIGPIPE there
#endif

template <class Move>
std::optional<std::size_t> moved(const Move& move) {
  ssize_t bytes = -1;
  do {
    bytes = move();
  } while (bytes < 0 && errno == EINTR);
  return bytes < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(bytes));
}

}  // namespace

LoopbackSocket LoopbackSocket::connect(std::uint16_t port) {
  LoopbackSocket made(::socket(AF_INET, SOCK_STREAM, 0));
  if (!made) return made;
  ::fcntl(made.handle_, F_SETFD, FD_CLOEXEC);
#ifdef SO_NOSIGPIPE
  const int yes = 1;
  ::setsockopt(made.handle_, SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes);
#endif
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool good =
      ::connect(made.handle_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  return good ? std::move(made) : LoopbackSocket(-1);
}

LoopbackSocket::~LoopbackSocket() {
  if (handle_ >= 0) ::close(handle_);
}

bool LoopbackSocket::wait(bool for_reading, std::chrono::milliseconds timeout) const {
  pollfd entry{handle_, static_cast<short>(for_reading ? POLLIN : POLLOUT), 0};
  return ::poll(&entry, 1, static_cast<int>(timeout.count())) > 0;
}

std::optional<std::size_t> LoopbackSocket::send(std::string_view bytes) const {
  return moved([&] { return ::send(handle_, bytes.data(), bytes.size(), kSendFlags); });
}

std::optional<std::size_t> LoopbackSocket::receive(char* to, std::size_t size) const {
  return moved([&] { return ::recv(handle_, to, size, 0); });
}

}  // namespace core
