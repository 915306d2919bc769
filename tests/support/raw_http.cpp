// The rude HTTP client.
#include "support/raw_http.h"

#ifdef _WIN32
#include <winsock2.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <array>
#include <cstdlib>

namespace test {
namespace {

// What the systems call differently.
#ifdef _WIN32
using Length = int;
constexpr int kSendFlags = 0;

bool start_sockets() {
  WSADATA data{};
  return ::WSAStartup(MAKEWORD(2, 2), &data) == 0;
}
int wait_to_read(std::intptr_t socket, int timeout_ms) {
  WSAPOLLFD entry{static_cast<SOCKET>(socket), POLLRDNORM, 0};
  return ::WSAPoll(&entry, 1, timeout_ms);
}
void close_socket(std::intptr_t socket) {
  ::closesocket(static_cast<SOCKET>(socket));
}
auto native(std::intptr_t socket) {
  return static_cast<SOCKET>(socket);
}
#else
using Length = std::size_t;
constexpr int kSendFlags = MSG_NOSIGNAL;

bool start_sockets() {
  return true;
}
int wait_to_read(std::intptr_t socket, int timeout_ms) {
  pollfd entry{static_cast<int>(socket), POLLIN, 0};
  return ::poll(&entry, 1, timeout_ms);
}
void close_socket(std::intptr_t socket) {
  ::close(static_cast<int>(socket));
}
auto native(std::intptr_t socket) {
  return static_cast<int>(socket);
}
#endif

constexpr std::size_t kMaxSend = 1 << 20;

std::intptr_t make_socket() {
  static const bool started = start_sockets();
  if (!started) return -1;
#ifdef SOCK_CLOEXEC
  return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
#else
  return static_cast<std::intptr_t>(::socket(AF_INET, SOCK_STREAM, 0));
#endif
}

bool same_name(std::string_view a, std::string_view b) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return small(x) == small(y); });
}

}  // namespace

std::string RawReply::header(std::string_view name) const {
  std::size_t at = 0;
  while (at < head.size()) {
    const auto end = head.find("\r\n", at);
    const std::string_view line = std::string_view(head).substr(at, end - at);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        same_name(line.substr(0, name.size()), name)) {
      const auto value = line.find_first_not_of(' ', name.size() + 1);
      return value == std::string_view::npos ? std::string() : std::string(line.substr(value));
    }
    if (end == std::string::npos) break;
    at = end + 2;
  }
  return {};
}

RawHttp::RawHttp(int port) : socket_(make_socket()) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(native(socket_), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
      0) {
    close();
  }
}

RawHttp::~RawHttp() {
  close();
}

void RawHttp::close() {
  if (socket_ >= 0) {
    close_socket(socket_);
    socket_ = -1;
  }
}

void RawHttp::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto sent = ::send(native(socket_), bytes.data(),
                             static_cast<Length>(std::min(bytes.size(), kMaxSend)), kSendFlags);
    if (sent <= 0) {
      return;  // the reply, or its absence, tells
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool RawHttp::more() {
  if (socket_ < 0 || wait_to_read(socket_, static_cast<int>(kPatience.count())) <= 0) return false;
  std::array<char, 4096> bytes{};
  const auto got = ::recv(native(socket_), bytes.data(), static_cast<Length>(bytes.size()), 0);
  if (got <= 0) return false;
  buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

std::string RawHttp::read_line() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!more()) return {};
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

std::string RawHttp::read_bytes(std::size_t count) {
  while (buffer_.size() < count && more()) {
  }
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

RawReply RawHttp::read_head() {
  RawReply reply;
  for (std::string line = read_line(); !line.empty(); line = read_line()) {
    reply.head += line + "\r\n";
  }
  if (reply.head.size() > 12) reply.status = std::atoi(reply.head.c_str() + 9);
  return reply;
}

RawReply RawHttp::read_reply() {
  RawReply reply = read_head();
  if (const std::string length = reply.header("Content-Length"); !length.empty()) {
    reply.body = read_bytes(std::strtoull(length.c_str(), nullptr, 10));
    return reply;
  }
  if (reply.header("Transfer-Encoding") == "chunked") {
    for (;;) {
      const auto size = std::strtoull(read_line().c_str(), nullptr, 16);
      if (size == 0) {
        read_line();
        break;
      }
      reply.body += read_bytes(size);
      read_line();
    }
  }
  return reply;
}

std::string RawHttp::read_event() {
  for (;;) {
    const auto end = events_.find("\n\n");
    if (end != std::string::npos) {
      const std::string event = events_.substr(0, end + 1);
      events_.erase(0, end + 2);
      std::string data;
      bool has_data = false;
      for (std::size_t at = 0; at < event.size();) {
        const auto stop = event.find('\n', at);
        const std::string line = event.substr(at, stop - at);
        if (line.starts_with("data: ")) {
          data = line.substr(6);
          has_data = true;
        } else if (line.starts_with("id: ")) {
          last_event_id_ = line.substr(4);
        }
        at = stop + 1;
      }
      if (has_data && !data.empty()) return data;
      continue;
    }
    if (events_ended_) return {};
    const std::string size_line = read_line();
    const auto size = std::strtoull(size_line.c_str(), nullptr, 16);
    if (size == 0) {
      events_ended_ = true;
      continue;
    }
    events_ += read_bytes(size);
    read_line();
  }
}

bool RawHttp::closed_by_server() {
  const std::size_t before = buffer_.size();
  while (more()) {
    if (buffer_.size() - before > (1 << 20)) return false;
  }
  char byte = 0;
  return wait_to_read(socket_, 0) > 0 && ::recv(native(socket_), &byte, 1, MSG_PEEK) <= 0;
}

}  // namespace test
