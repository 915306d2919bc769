// An HTTP client as rude or as slow as a test needs it: bytes out, bytes in.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace test {

struct RawReply {
  int status = 0;  // 0: the server closed the connection without an answer
  std::string head;
  std::string body;

  // The value of that header; the name's case is ignored. Empty: there is none.
  std::string header(std::string_view name) const;
};

// One connection to 127.0.0.1. Every wait ends within kPatience.
class RawHttp {
 public:
  static constexpr std::chrono::milliseconds kPatience{10'000};

  explicit RawHttp(int port);
  ~RawHttp();
  RawHttp(const RawHttp&) = delete;
  RawHttp& operator=(const RawHttp&) = delete;

  bool connected() const { return socket_ >= 0; }
  void send(std::string_view bytes) const;
  // Up to the blank line.
  RawReply read_head();
  // With the body, by its length or chunks.
  RawReply read_reply();
  // The next `data:` of an event stream; empty at its end. Comments and ids are skipped.
  std::string read_event();
  // The `id:` line that came last.
  const std::string& last_event_id() const { return last_event_id_; }
  // Whether the server closes within the patience.
  bool closed_by_server();
  void close();

 private:
  bool more();  // reads what is there into buffer_
  std::string read_line();
  std::string read_bytes(std::size_t count);

  std::intptr_t socket_ = -1;
  std::string buffer_;
  std::string events_;  // decoded chunks of an event stream
  std::string last_event_id_;
  bool events_ended_ = false;
};

}  // namespace test
