#include "server/platform/sockets.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>

#include "server/platform/posix/waiting.h"

namespace server {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
constexpr int kSendFlags = MSG_DONTWAIT;  // SIGPIPE is ignored (signals.h)
#endif

int int_of(std::chrono::milliseconds timeout) {
  return static_cast<int>(timeout.count());
}

bool means_not_now(int error_number) {
  return error_number == EINTR || error_number == EAGAIN || error_number == EWOULDBLOCK;
}

std::optional<std::size_t> moved(ssize_t bytes) {
  if (bytes >= 0) return static_cast<std::size_t>(bytes);
  return means_not_now(errno) ? std::optional<std::size_t>(0) : std::nullopt;
}

// The end of what the peer sends comes as 0 bytes.
std::optional<std::size_t> received(ssize_t bytes) {
  return bytes == 0 ? std::nullopt : moved(bytes);
}

// accept(2) failed for want of descriptors or memory.
bool is_shortage(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
         error_number == ENOMEM;
}

// The listening socket itself is of no use any more. Everything else concerns one connection.
bool is_fatal(int error_number) {
  return error_number == EBADF || error_number == EINVAL || error_number == ENOTSOCK ||
         error_number == EOPNOTSUPP || error_number == EFAULT;
}

void close_on_exec(int fd) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

core::Descriptor spare_descriptor() {
  return core::Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

SocketDescriptor accept_on(int listening) {
#ifdef __linux__
  return SocketDescriptor(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC));
#else
  SocketDescriptor accepted(::accept(listening, nullptr, nullptr));
  if (accepted) {
    close_on_exec(accepted.get());
    ::fcntl(accepted.get(), F_SETFL, 0);  // takes after the listening one there
  }
  return accepted;
#endif
}

SocketDescriptor bind_to(const addrinfo& address, int backlog) {
  SocketDescriptor bound(::socket(address.ai_family, address.ai_socktype, address.ai_protocol));
  if (!bound) return bound;
  close_on_exec(bound.get());
  const int yes = 1, no = 0;
  ::setsockopt(bound.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  // Not SO_REUSEPORT: a second server would take half of our clients unnoticed.
  ::setsockopt(bound.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address.ai_family == AF_INET6) {
    ::setsockopt(bound.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  }
  ::fcntl(bound.get(), F_SETFL, O_NONBLOCK);
  const bool good = ::bind(bound.get(), address.ai_addr, address.ai_addrlen) == 0 &&
                    ::listen(bound.get(), backlog) == 0;
  return good ? std::move(bound) : SocketDescriptor();
}

int port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                   : reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

}  // namespace

void SocketDescriptor::close() {
  Descriptor::close();
}

bool Socket::wait_readable(std::chrono::milliseconds timeout) const {
  return poll_one(descriptor_.get(), POLLIN, int_of(timeout));
}

bool Socket::wait_writable(std::chrono::milliseconds timeout) const {
  return poll_one(descriptor_.get(), POLLOUT, int_of(timeout));
}

std::optional<std::size_t> Socket::receive(char* to, std::size_t size) {
  return received(::recv(descriptor_.get(), to, size, MSG_DONTWAIT));
}

std::optional<std::size_t> Socket::peek() const {
  char next = 0;
  return received(::recv(descriptor_.get(), &next, 1, MSG_PEEK | MSG_DONTWAIT));
}

std::optional<std::size_t> Socket::send(std::string_view bytes) {
  return moved(::send(descriptor_.get(), bytes.data(), bytes.size(), kSendFlags));
}

void Socket::end_sending() {
  ::shutdown(descriptor_.get(), SHUT_WR);
}

void Socket::shut_down() {
  ::shutdown(descriptor_.get(), SHUT_RDWR);
}

void turn_away(Socket socket, std::string_view text) {
  (void)socket.send(text);
  socket.end_sending();
}

// `beside_` is the descriptor that is kept back for a shortage.
ListeningSocket::ListeningSocket(SocketDescriptor descriptor, int port)
    : descriptor_(std::move(descriptor)), beside_(spare_descriptor()), port_(port) {}

std::optional<ListeningSocket> ListeningSocket::open(const std::string& host, int port,
                                                     int backlog) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return std::nullopt;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, &::freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    if (SocketDescriptor bound = bind_to(*address, backlog)) {
      const int its_port = port_of(bound.get());
      return ListeningSocket(std::move(bound), its_port);
    }
  }
  return std::nullopt;
}

ListeningSocket::Outcome ListeningSocket::accept(Socket& accepted,
                                                 std::chrono::milliseconds timeout) {
  if (!poll_one(descriptor_.get(), POLLIN, int_of(timeout))) return Outcome::none;
  SocketDescriptor connection = accept_on(descriptor_.get());
  if (!connection) {
    if (is_shortage(errno)) return Outcome::shortage;
    return is_fatal(errno) ? Outcome::broken : Outcome::none;
  }
  accepted = Socket(std::move(connection));
  return Outcome::accepted;
}

void ListeningSocket::turn_one_away(std::string_view text) {
  if (beside_) {
    beside_.close();
    if (SocketDescriptor connection = accept_on(descriptor_.get())) {
      turn_away(Socket(std::move(connection)), text);
    }
  }
  beside_ = spare_descriptor();
}

void ListeningSocket::shut_down() {
  ::shutdown(descriptor_.get(), SHUT_RDWR);
}

}  // namespace server
