#include "core/platform/loopback_socket.h"

// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
// clang-format on

#include "core/platform/windows/system.h"

namespace core {
namespace {

SOCKET socket_of(Descriptor::Handle handle) {
  return static_cast<SOCKET>(handle);
}

std::optional<std::size_t> moved(int bytes) {
  return bytes < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(bytes));
}

}  // namespace

LoopbackSocket LoopbackSocket::connect(std::uint16_t port) {
  if (!has_sockets()) return LoopbackSocket(-1);
  LoopbackSocket made(static_cast<Descriptor::Handle>(
      ::WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                   WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT)));  // INVALID_SOCKET is -1
  if (!made) return made;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool good = ::connect(socket_of(made.handle_), reinterpret_cast<const sockaddr*>(&address),
                              sizeof address) == 0;
  return good ? std::move(made) : LoopbackSocket(-1);
}

LoopbackSocket::~LoopbackSocket() {
  if (handle_ >= 0) ::closesocket(socket_of(handle_));
}

bool LoopbackSocket::wait(bool for_reading, std::chrono::milliseconds timeout) const {
  const SHORT events = for_reading ? POLLRDNORM : POLLWRNORM;
  WSAPOLLFD entry{socket_of(handle_), events, 0};
  return ::WSAPoll(&entry, 1, static_cast<int>(timeout.count())) > 0;
}

std::optional<std::size_t> LoopbackSocket::send(std::string_view bytes) const {
  return moved(::send(socket_of(handle_), bytes.data(), int_size(bytes.size()), 0));
}

std::optional<std::size_t> LoopbackSocket::receive(char* to, std::size_t size) const {
  return moved(::recv(socket_of(handle_), to, int_size(size), 0));
}

}  // namespace core
