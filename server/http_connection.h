// One accepted TCP connection, with the bounds that cpp-httplib lacks: on header bytes, on the time
// a whole request may take, on waiting for a reader.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "server/http_endpoint.h"
#include "server/http_headers.h"

namespace server {

// Used by the connection's own thread; that thread reaches it by HttpConnection::current().
class HttpConnection {
 public:
  // Closes the socket at its end. Once `cut` turns true nothing is waited for any more.
  HttpConnection(int socket, const HttpLimits& limits, const std::atomic<bool>& cut);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  static HttpConnection& current();

  // Waits for a further request to begin; false when none does within the idle timeout, or the
  // client left, or `stopping` turned true.
  bool await_request(const std::function<bool()>& stopping);
  // The clock of the header fields starts.
  void begin_request();
  // They are read: parses what came by, starts the clock of the body. httplib's own fields will
  // not do: it decodes percent signs in their values.
  void begin_body();
  const HttpHeaders& headers() const { return headers_; }
  // Why the header fields cannot be accepted; empty when they can.
  const std::string& header_fault() const { return header_fault_; }

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

  // The bytes of the request, through a buffer; -1 when there are no more, or a bound is passed
  // (the client was told 431, 408 or 413 then).
  ssize_t read(char* to, std::size_t size);
  // -1 when the client is gone or reads nothing for the write timeout.
  ssize_t write(const char* from, std::size_t size);
  bool has_input() const { return in_begin_ < in_end_; }
  int socket() const { return socket_; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase { header, body };

  bool wait_for(short events, Clock::time_point deadline) const;
  bool send_all(std::string_view bytes);
  // Answers, and lets httplib see a broken connection.
  ssize_t refuse(std::string_view status_line);

  const int socket_;
  const HttpLimits limits_;
  const std::atomic<bool>& cut_;
  Phase phase_ = Phase::header;
  Clock::time_point deadline_;
  std::array<char, 16 << 10> in_{};
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::string header_bytes_;
  HttpHeaders headers_;
  std::string header_fault_;
  std::size_t body_bytes_ = 0;
  std::string out_;
  bool streaming_ = false;
  bool close_after_ = false;
  bool broken_ = false;
};

}  // namespace server
