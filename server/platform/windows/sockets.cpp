#include "server/platform/sockets.h"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <array>
#include <memory>

#include "server/platform/windows/waiting.h"

namespace server {
namespace {

SOCKET socket_of(const SocketDescriptor& descriptor) {
  return static_cast<SOCKET>(descriptor.get());
}

SocketDescriptor owned_socket(SOCKET made) {
  return SocketDescriptor(static_cast<core::Descriptor::Handle>(made));  // INVALID_SOCKET is -1
}

bool is_ready(const SocketDescriptor& descriptor, short events, std::chrono::milliseconds timeout) {
  WSAPOLLFD entry{socket_of(descriptor), events, 0};
  return ::WSAPoll(&entry, 1, static_cast<int>(timeout.count())) > 0;
}

std::optional<std::size_t> moved(int bytes) {
  if (bytes >= 0) return static_cast<std::size_t>(bytes);
  const int error = ::WSAGetLastError();
  return error == WSAEWOULDBLOCK || error == WSAEINTR ? std::optional<std::size_t>(0)
                                                      : std::nullopt;
}

// The end of what the peer sends comes as 0 bytes.
std::optional<std::size_t> received(int bytes) {
  return bytes == 0 ? std::nullopt : moved(bytes);
}

bool is_shortage(int error) {
  return error == WSAEMFILE || error == WSAENOBUFS;
}

// The listening socket itself is of no use any more. Everything else concerns one connection.
bool is_fatal(int error) {
  return error == WSAENOTSOCK || error == WSAEINVAL || error == WSAEOPNOTSUPP ||
         error == WSAEFAULT || error == WSANOTINITIALISED || error == WSAENETDOWN;
}

// Never blocks, tells nobody, and no child has it.
void make_plain(SOCKET accepted) {
  ::WSAEventSelect(accepted, nullptr, 0);  // takes after the listening one
  u_long yes = 1;
  ::ioctlsocket(accepted, FIONBIO, &yes);
  ::SetHandleInformation(system_handle(static_cast<core::Descriptor::Handle>(accepted)),
                         HANDLE_FLAG_INHERIT, 0);
}

SocketDescriptor bind_to(const addrinfo& address, int backlog) {
  SocketDescriptor bound =
      owned_socket(::WSASocketW(address.ai_family, address.ai_socktype, address.ai_protocol,
                                nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
  if (!bound) return bound;
  const SOCKET its = socket_of(bound);
  const DWORD yes = 1, no = 0;
  const auto set = [its](int level, int option, const DWORD& value) {
    ::setsockopt(its, level, option, reinterpret_cast<const char*>(&value), sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, yes);
  // SO_REUSEADDR lets another program take the port away here; without either it may, too.
  set(SOL_SOCKET, SO_EXCLUSIVEADDRUSE, yes);
  if (address.ai_family == AF_INET6) set(IPPROTO_IPV6, IPV6_V6ONLY, no);
  const bool good = ::bind(its, address.ai_addr, static_cast<int>(address.ai_addrlen)) == 0 &&
                    ::listen(its, backlog) == 0;
  return good ? std::move(bound) : SocketDescriptor();
}

int port_of(const SocketDescriptor& bound) {
  sockaddr_storage address{};
  int size = sizeof address;
  if (::getsockname(socket_of(bound), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                   : reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

}  // namespace

void SocketDescriptor::close() {
  if (*this) ::closesocket(static_cast<SOCKET>(release()));
}

bool Socket::wait_readable(std::chrono::milliseconds timeout) const {
  return is_ready(descriptor_, POLLRDNORM, timeout);
}

bool Socket::wait_writable(std::chrono::milliseconds timeout) const {
  return is_ready(descriptor_, POLLWRNORM, timeout);
}

std::optional<std::size_t> Socket::receive(char* to, std::size_t size) {
  return received(::recv(socket_of(descriptor_), to, core::int_size(size), 0));
}

std::optional<std::size_t> Socket::peek() const {
  char next = 0;
  return received(::recv(socket_of(descriptor_), &next, 1, MSG_PEEK));
}

std::optional<std::size_t> Socket::send(std::string_view bytes) {
  return moved(::send(socket_of(descriptor_), bytes.data(), core::int_size(bytes.size()), 0));
}

void Socket::end_sending() {
  ::shutdown(socket_of(descriptor_), SD_SEND);
}

void Socket::shut_down() {
  ::shutdown(socket_of(descriptor_), SD_BOTH);
}

void turn_away(Socket socket, std::string_view text) {
  (void)socket.send(text);
  socket.end_sending();
}

// `beside_` is the event that says a connection waits, or that nobody is to wait for one any more.
ListeningSocket::ListeningSocket(SocketDescriptor descriptor, int port)
    : descriptor_(std::move(descriptor)),
      beside_(core::owned(::CreateEventW(nullptr, FALSE, FALSE, nullptr))),
      port_(port) {
  ::WSAEventSelect(socket_of(descriptor_), system_handle(beside_.get()), FD_ACCEPT);
}

std::optional<ListeningSocket> ListeningSocket::open(const std::string& host, int port,
                                                     int backlog) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (!core::has_sockets() ||
      ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return std::nullopt;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, &::freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    if (SocketDescriptor bound = bind_to(*address, backlog)) {
      const int its_port = port_of(bound);
      return ListeningSocket(std::move(bound), its_port);
    }
  }
  return std::nullopt;
}

// The event is set again by an accept that leaves another connection waiting.
ListeningSocket::Outcome ListeningSocket::accept(Socket& accepted,
                                                 std::chrono::milliseconds timeout) {
  if (!is_set_before(system_handle(beside_.get()), static_cast<DWORD>(timeout.count()))) {
    return Outcome::none;
  }
  if (*ended_) {
    descriptor_.close();
    return Outcome::broken;
  }
  SocketDescriptor connection = owned_socket(::accept(socket_of(descriptor_), nullptr, nullptr));
  if (!connection) {
    const int error = ::WSAGetLastError();
    if (is_shortage(error)) return Outcome::shortage;
    return is_fatal(error) ? Outcome::broken : Outcome::none;
  }
  make_plain(socket_of(connection));
  accepted = Socket(std::move(connection));
  return Outcome::accepted;
}

// There is no bound on descriptors that one kept back would help with.
void ListeningSocket::turn_one_away(std::string_view text) {
  Socket connection;
  if (accept(connection, std::chrono::milliseconds(0)) == Outcome::accepted) {
    turn_away(std::move(connection), text);
  }
}

// Nothing shuts a listening socket here but closing it, which is for the one who accepts.
void ListeningSocket::shut_down() {
  *ended_ = true;
  ::SetEvent(system_handle(beside_.get()));
}

}  // namespace server
