// What the MCP endpoint answers to each HTTP request, in both eras; knows no socket.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/http_event_stream.h"
#include "server/http/http_headers.h"
#include "server/http/http_sessions.h"
#include "server/mcp/dispatcher.h"

namespace server {

inline constexpr const char* kHttpPath = "/mcp";  // or with a slash behind it

struct HttpLimits {
  std::size_t max_body_bytes = 4 << 20;
  std::size_t max_header_bytes = 32 << 10;
  std::size_t max_connections = 256;  // each has a thread while it is open
  std::size_t max_streams = 128;      // of 2026-07-28, or opened by GET
  // Of the handshake eras, under way at once. With the streams it leaves threads for the answers to
  // what such calls ask, and for the plain calls of 2026-07-28.
  std::size_t max_session_calls = 96;
  std::size_t max_sessions = 128;
  std::chrono::milliseconds header_timeout{10'000};  // for all header fields of a request
  std::chrono::milliseconds body_timeout{30'000};    // for the whole body
  std::chrono::milliseconds idle_timeout{15'000};    // between requests of a connection
  std::chrono::milliseconds write_timeout{10'000};   // without progress
  // How often a connection that waits looks whether its client is still there.
  std::chrono::milliseconds poll_interval{100};
  // Comments on silent streams. A call that takes as long becomes one, where its client takes
  // streams: a proxy on the way would give up on a POST that says nothing.
  std::chrono::milliseconds keep_alive_interval{15'000};
};

struct HttpCall {
  std::string method;
  HttpHeaders headers;
  std::string body;
  std::function<bool()> peer_gone;  // whether the client has closed the connection
};

// The body of an answer that is an event stream. Used by one thread.
class HttpStreamBody {
 public:
  struct Parts {
    std::shared_ptr<EventStream> stream;
    std::uint64_t ticket = 0;
    // The number that event ids begin with; absent: events bear no ids.
    std::optional<std::uint64_t> number;
    std::uint64_t after = 0;      // the event read last, for the first event's id
    bool prime = false;           // whether to open with an empty event that bears id and retry
    std::function<void()> gone;   // the client went away
    std::shared_ptr<void> place;  // gives back its place among the streams
  };
  HttpStreamBody(Parts parts, const HttpLimits& limits);
  ~HttpStreamBody();
  HttpStreamBody(const HttpStreamBody&) = delete;
  HttpStreamBody& operator=(const HttpStreamBody&) = delete;

  enum class Step { more, end, broken };
  // Writes what there is, waiting at most HttpLimits::poll_interval; `write` returns false when the
  // client is gone.
  Step pump(const std::function<bool(std::string_view)>& write,
            const std::function<bool()>& peer_gone);

 private:
  Step broken();

  Parts parts_;
  const HttpLimits limits_;
  std::chrono::milliseconds silent_for_{0};
};

struct HttpAnswer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string content_type;  // empty: no body
  std::string body;
  std::shared_ptr<HttpStreamBody> stream;  // instead of body
};

// An error as JSON-RPC spells it, for requests that never become messages.
HttpAnswer http_refusal(int status, std::string message, int code = rpc_code::kInvalidRequest);

// Thread-safe.
class HttpEndpoint {
 public:
  HttpEndpoint(Dispatcher& dispatcher, HttpLimits limits, std::string principal);

  // Answers POST, GET and DELETE; waits for a reply as long as the client does.
  HttpAnswer handle(const HttpCall& call);
  // Ends the sessions and their streams. Call after Dispatcher::shutdown.
  void close();

  std::size_t open_streams() const { return streams_->load(); }
  std::size_t open_sessions() const { return sessions_.size(); }

 private:
  class PostChannel;

  HttpAnswer post(const HttpCall& call);
  HttpAnswer initialize(const HttpCall& call, Incoming incoming,
                        const std::shared_ptr<PostChannel>& channel);
  HttpAnswer get(const HttpCall& call);
  HttpAnswer remove(const HttpCall& call);
  // The session that Mcp-Session-Id names, or the refusal.
  tl::expected<std::shared_ptr<HttpSession>, HttpAnswer> session_of(const HttpCall& call);
  HttpAnswer await_reply(const HttpCall& call, const std::shared_ptr<PostChannel>& channel,
                         const std::shared_ptr<HttpSession>& session, std::shared_ptr<void> place);
  using Places = std::shared_ptr<std::atomic<std::size_t>>;  // how many are taken
  // One of `limit` places, given back when the last copy goes; null: none is free.
  static std::shared_ptr<void> take_place(const Places& taken, std::size_t limit);
  void drop(const std::shared_ptr<HttpSession>& session);

  Dispatcher& dispatcher_;
  const HttpLimits limits_;
  const std::string principal_;
  SessionStore sessions_;
  std::atomic<bool> closing_{false};
  Places streams_;
  Places session_calls_;
};

}  // namespace server
