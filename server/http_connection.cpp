// Reading and writing one TCP connection within bounds.
#include "server/http_connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace server {
namespace {

using std::chrono::milliseconds;

thread_local HttpConnection* current_connection = nullptr;

// How long a client may take to read the answer to a request that we did not read to its end.
constexpr milliseconds kLinger{1'000};
constexpr milliseconds kStopCheck{200};
constexpr std::size_t kMaxLingerBytes = 64 << 20;
// Body bytes may exceed the body's bound by the framing of chunks.
constexpr std::size_t kFramingSlack = 64 << 10;

bool poll_one(int socket, short events, milliseconds timeout) {
  pollfd entry{socket, events, 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, static_cast<int>(timeout.count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace

HttpConnection::HttpConnection(int socket, const HttpLimits& limits, const std::atomic<bool>& cut)
    : socket_(socket), limits_(limits), cut_(cut), deadline_(Clock::now()) {
  current_connection = this;
}

HttpConnection::~HttpConnection() {
  current_connection = nullptr;
  ::shutdown(socket_, SHUT_RDWR);
  ::close(socket_);
}

HttpConnection& HttpConnection::current() {
  return *current_connection;
}

bool HttpConnection::wait_for(short events, Clock::time_point deadline) const {
  while (!cut_) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      return false;
    }
    if (poll_one(socket_, events, std::min(left, kStopCheck))) {
      return true;
    }
  }
  return false;
}

bool HttpConnection::await_request(const std::function<bool()>& stopping) {
  const auto deadline = Clock::now() + limits_.idle_timeout;
  while (!has_input()) {
    if (stopping() || closes() || Clock::now() >= deadline) {
      return false;
    }
    if (wait_for(POLLIN, std::min(deadline, Clock::now() + kStopCheck))) {
      char first = 0;
      return ::recv(socket_, &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
    }
  }
  return true;
}

void HttpConnection::begin_request() {
  phase_ = Phase::header;
  deadline_ = Clock::now() + limits_.header_timeout;
  header_bytes_.clear();
  streaming_ = false;
}

void HttpConnection::begin_body() {
  phase_ = Phase::body;
  deadline_ = Clock::now() + limits_.body_timeout;
  body_bytes_ = 0;
  const std::string_view all = header_bytes_;
  const auto line_end = all.find('\n');
  auto parsed = parse_header_fields(line_end == std::string_view::npos ? std::string_view()
                                                                       : all.substr(line_end + 1));
  headers_ = parsed ? std::move(*parsed) : HttpHeaders();
  header_fault_ = parsed ? std::string() : std::move(parsed.error());
}

bool HttpConnection::peer_gone() const {
  if (broken_) {
    return true;
  }
  char next = 0;
  const auto got = ::recv(socket_, &next, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void HttpConnection::stream_from_here() {
  streaming_ = true;
  flush();
}

bool HttpConnection::flush() {
  const std::string bytes = std::exchange(out_, {});
  return bytes.empty() || send_all(bytes);
}

void HttpConnection::linger() {
  ::shutdown(socket_, SHUT_WR);
  const auto deadline = Clock::now() + kLinger;
  std::size_t dropped = 0;
  while (dropped < kMaxLingerBytes && wait_for(POLLIN, deadline)) {
    const auto got = ::recv(socket_, in_.data(), in_.size(), MSG_DONTWAIT);
    if (got <= 0) {
      return;
    }
    dropped += static_cast<std::size_t>(got);
  }
}

void HttpConnection::send_and_close(std::string_view text) {
  out_.clear();
  send_all(text);
  close_after_ = true;
}

ssize_t HttpConnection::refuse(std::string_view status_line) {
  if (!broken_) {
    send_and_close("HTTP/1.1 " + std::string(status_line) +
                   "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    broken_ = true;
  }
  return -1;
}

ssize_t HttpConnection::read(char* to, std::size_t size) {
  if (broken_ || size == 0 || !flush()) {
    return -1;
  }
  if (!has_input()) {
    if (!wait_for(POLLIN, deadline_)) {
      return refuse("408 Request Timeout");
    }
    const auto got = ::recv(socket_, in_.data(), in_.size(), 0);
    if (got <= 0) {
      broken_ = true;
      return got;
    }
    in_begin_ = 0;
    in_end_ = static_cast<std::size_t>(got);
  }
  const std::size_t count = std::min(size, in_end_ - in_begin_);
  std::memcpy(to, in_.data() + in_begin_, count);
  in_begin_ += count;
  if (phase_ == Phase::header) {
    header_bytes_.append(to, count);
    if (header_bytes_.size() > limits_.max_header_bytes) {
      return refuse("431 Request Header Fields Too Large");
    }
  } else if ((body_bytes_ += count) > limits_.max_body_bytes + kFramingSlack) {
    return refuse("413 Content Too Large");
  }
  return static_cast<ssize_t>(count);
}

ssize_t HttpConnection::write(const char* from, std::size_t size) {
  if (broken_) {
    return -1;
  }
  if (!streaming_) {
    out_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  return send_all({from, size}) ? static_cast<ssize_t>(size) : -1;
}

bool HttpConnection::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    const bool refused = sent < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK;
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (refused || !wait_for(POLLOUT, Clock::now() + limits_.write_timeout)) {
      broken_ = true;
      return false;
    }
  }
  return true;
}

}  // namespace server
