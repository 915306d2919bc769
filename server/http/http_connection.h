// One accepted TCP connection, with the bounds that cpp-httplib lacks: on header bytes, on the time
// a whole request may take, on waiting for a reader.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/http_endpoint.h"
#include "server/http/http_headers.h"
#include "server/platform/sockets.h"

namespace server {

// Used by the connection's own thread; that thread reaches it by HttpConnection::current().
class HttpConnection {
 public:
  // Closes the socket at its end. Once `cut` turns true nothing is waited for any more.
  HttpConnection(Socket socket, const HttpLimits& limits, const std::atomic<bool>& cut);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  static HttpConnection& current();

  // Waits for a further request to begin; false when none does within the idle timeout, or the
  // client left, or `stopping` turned true.
  bool await_request(const std::function<bool()>& stopping);
  // Reads the request's head, within its bounds. False: the client left. Otherwise fault() says
  // what is to be answered instead, or head() is good.
  bool read_head();
  const HttpHead& head() const { return head_; }
  const std::optional<HttpFault>& fault() const { return fault_; }
  // Reads the body, within its bounds; once, after a good head.
  tl::expected<std::string, HttpFault> read_body(const BodyFraming& framing);

  // Whether the client closed its side. Bytes of a next request do not matter.
  bool peer_gone() const;
  // Answers are collected and sent at once; a stream sends each event by itself from here on.
  void stream_from_here();
  bool flush();
  // The connection must not be used again after this request (its body was not read).
  void close_after() { close_after_ = true; }
  bool closes() const { return close_after_ || broken_; }
  // Says goodbye so that the client can still read the answer: waits a little for its end.
  void linger();
  // Sends a whole answer without reading anything, at most once.
  void send_and_close(std::string_view text);

  // What cpp-httplib gets to read of the request: a head of our own that says no more than how to
  // write the answer. So there are no two readers to see two requests.
  std::ptrdiff_t read(char* to, std::size_t size);
  // -1 when the client is gone or reads nothing for the write timeout.
  std::ptrdiff_t write(const char* from, std::size_t size);
  bool has_input() const { return in_begin_ < in_end_; }
  bool has_head() const { return relayed_ < relay_.size(); }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Filled { some, timeout, gone };

  using Wait = bool (Socket::*)(std::chrono::milliseconds) const;
  bool wait_for(Wait ready, Clock::time_point deadline) const;
  bool send_all(std::string_view bytes);
  // Receives what there is, waiting for it until deadline_.
  Filled fill();
  std::string_view input() const { return {in_.data() + in_begin_, in_end_ - in_begin_}; }
  // Adds bytes up to the end of the head to `text`; true when it has ended or is faulty.
  bool take_head_bytes(std::string& text, std::size_t& line_begin);
  HttpFault broken_body(Filled filled);

  Socket socket_;
  const HttpLimits limits_;
  const std::atomic<bool>& cut_;
  Clock::time_point deadline_;
  std::array<char, 16 << 10> in_{};
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  HttpHead head_;
  std::optional<HttpFault> fault_;
  std::string relay_;
  std::size_t relayed_ = 0;
  std::string out_;
  bool streaming_ = false;
  bool close_after_ = false;
  bool broken_ = false;
};

}  // namespace server
