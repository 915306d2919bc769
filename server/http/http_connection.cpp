// Reading and writing one TCP connection within bounds.
#include "server/http/http_connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/http/http_body.h"

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

}  // namespace

HttpConnection::HttpConnection(Socket socket, const HttpLimits& limits,
                               const std::atomic<bool>& cut)
    : socket_(std::move(socket)), limits_(limits), cut_(cut), deadline_(Clock::now()) {
  current_connection = this;
}

HttpConnection::~HttpConnection() {
  current_connection = nullptr;
  socket_.shut_down();
}

HttpConnection& HttpConnection::current() {
  return *current_connection;
}

bool HttpConnection::wait_for(Wait ready, Clock::time_point deadline) const {
  while (!cut_) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    if ((socket_.*ready)(std::min(left, kStopCheck))) return true;
  }
  return false;
}

bool HttpConnection::await_request(const std::function<bool()>& stopping) {
  const auto deadline = Clock::now() + limits_.idle_timeout;
  while (!has_input()) {
    if (stopping() || closes() || Clock::now() >= deadline) return false;
    if (wait_for(&Socket::wait_readable, std::min(deadline, Clock::now() + kStopCheck))) {
      return socket_.peek().value_or(0) > 0;
    }
  }
  return true;
}

HttpConnection::Filled HttpConnection::fill() {
  if (broken_ || !flush()) return Filled::gone;
  while (wait_for(&Socket::wait_readable, deadline_)) {
    const auto got = socket_.receive(in_.data(), in_.size());
    if (!got) {
      broken_ = true;
      return Filled::gone;
    }
    in_begin_ = 0;
    in_end_ = *got;
    if (has_input()) return Filled::some;
  }
  return Filled::timeout;
}

bool HttpConnection::read_head() {
  deadline_ = Clock::now() + limits_.header_timeout;
  streaming_ = false;
  head_ = {};
  fault_.reset();
  std::string text;
  std::size_t line_begin = 0;
  do {
    const Filled filled = has_input() ? Filled::some : fill();
    if (filled == Filled::gone) return false;
    if (filled == Filled::timeout) {
      fault_ = HttpFault{408, "The header fields took too long"};
    }
  } while (!fault_ && !take_head_bytes(text, line_begin));
  if (!fault_) {
    if (auto parsed = parse_head(text)) {
      head_ = std::move(*parsed);
    } else {
      fault_ = HttpFault{400, "Malformed request: " + parsed.error()};
    }
  }
  if (fault_) {
    close_after();  // where the next request would begin is unknown
  }
  relay_ = std::string(head_.method == "HEAD" ? "HEAD" : "POST") + " / HTTP/1.1\r\n" +
           (closes() || !head_.keep_alive ? "Connection: close\r\n\r\n" : "\r\n");
  relayed_ = 0;
  return true;
}

bool HttpConnection::take_head_bytes(std::string& text, std::size_t& line_begin) {
  while (has_input()) {
    const std::string_view bytes = input();
    const auto newline = bytes.find('\n');
    const bool ended = newline != std::string_view::npos;
    const std::size_t count = ended ? newline + 1 : bytes.size();
    text.append(bytes.substr(0, count));
    in_begin_ += count;
    if (text.size() > limits_.max_header_bytes) {
      fault_ = HttpFault{431, "The header fields are longer than " +
                                  std::to_string(limits_.max_header_bytes) + " bytes"};
      return true;
    }
    if (!ended) continue;
    // The lone LF of a faulty line ends the reading here; the parser tells of it.
    const std::string_view line = std::string_view(text).substr(line_begin);
    if (line == "\r\n" || !line.ends_with("\r\n")) return true;
    line_begin = text.size();
  }
  return false;
}

tl::expected<std::string, HttpFault> HttpConnection::read_body(const BodyFraming& framing) {
  deadline_ = Clock::now() + limits_.body_timeout;
  if (framing.awaits_continue && !has_input() && !send_all("HTTP/1.1 100 Continue\r\n\r\n")) {
    return tl::unexpected(broken_body(Filled::gone));
  }
  ChunkedBody chunks(limits_.max_body_bytes);
  std::string body;
  std::size_t taken = 0;  // with the framing of chunks
  auto state =
      framing.chunked || framing.bytes > 0 ? ChunkedBody::State::more : ChunkedBody::State::done;
  while (state == ChunkedBody::State::more) {
    if (const Filled filled = has_input() ? Filled::some : fill(); filled != Filled::some) {
      return tl::unexpected(broken_body(filled));
    }
    std::string_view bytes = input();
    const std::size_t before = bytes.size();
    if (framing.chunked) {
      state = chunks.take(bytes);
    } else {
      const auto count = std::min<std::size_t>(bytes.size(), framing.bytes - body.size());
      body.append(bytes.substr(0, count));
      bytes.remove_prefix(count);
      if (body.size() == framing.bytes) state = ChunkedBody::State::done;
    }
    in_begin_ += before - bytes.size();
    taken += before - bytes.size();
    if (state == ChunkedBody::State::more && taken > limits_.max_body_bytes + kFramingSlack) {
      state = ChunkedBody::State::too_large;
    }
  }
  if (state == ChunkedBody::State::done) {
    return framing.chunked ? std::move(chunks.body()) : std::move(body);
  }
  close_after();
  return tl::unexpected(
      state == ChunkedBody::State::malformed
          ? HttpFault{400, "Malformed request: the body is not in chunks as they should be"}
          : HttpFault{413, "The body is larger than " + std::to_string(limits_.max_body_bytes) +
                               " bytes"});
}

HttpFault HttpConnection::broken_body(Filled filled) {
  close_after();
  return filled == Filled::timeout ? HttpFault{408, "The body took too long"}
                                   : HttpFault{400, "The body ended early"};
}

bool HttpConnection::peer_gone() const {
  if (broken_) return true;
  return !socket_.peek();
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
  socket_.end_sending();
  const auto deadline = Clock::now() + kLinger;
  std::size_t dropped = 0;
  while (dropped < kMaxLingerBytes && wait_for(&Socket::wait_readable, deadline)) {
    const auto got = socket_.receive(in_.data(), in_.size());
    if (got.value_or(0) == 0) return;
    dropped += *got;
  }
}

void HttpConnection::send_and_close(std::string_view text) {
  out_.clear();
  send_all(text);
  close_after_ = true;
}

std::ptrdiff_t HttpConnection::read(char* to, std::size_t size) {
  const std::size_t count = std::min(size, relay_.size() - relayed_);
  if (count == 0) return -1;
  std::memcpy(to, relay_.data() + relayed_, count);
  relayed_ += count;
  return static_cast<std::ptrdiff_t>(count);
}

std::ptrdiff_t HttpConnection::write(const char* from, std::size_t size) {
  if (broken_) return -1;
  if (!streaming_) {
    out_.append(from, size);
    return static_cast<std::ptrdiff_t>(size);
  }
  return send_all({from, size}) ? static_cast<std::ptrdiff_t>(size) : -1;
}

bool HttpConnection::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = socket_.send(bytes);
    if (sent && *sent > 0) {
      bytes.remove_prefix(*sent);
    } else if (!sent || !wait_for(&Socket::wait_writable, Clock::now() + limits_.write_timeout)) {
      broken_ = true;
      return false;
    }
  }
  return true;
}

}  // namespace server
