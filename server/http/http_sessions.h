// The sessions of the handshake eras over HTTP: their ids, their streams kept for replay, and the
// bound on how many there are.
// https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/http_event_stream.h"
#include "server/jsonrpc/transport.h"
#include "server/mcp/session.h"

namespace server {

// Names one event of one stream of a session: "<stream>.<event>".
struct EventId {
  std::uint64_t stream = 0;
  std::uint64_t event = 0;
};
std::string to_text(const EventId& id);
std::optional<EventId> event_id_from(std::string_view text);

// Thread-safe.
class HttpSession {
 public:
  // Streams kept for a client that comes back; the oldest finished ones go first.
  static constexpr std::size_t kMaxStreams = 16;
  // The stream for messages that belong to no request.
  static constexpr std::uint64_t kListenStream = 0;

  explicit HttpSession(std::string id)
      : id_(std::move(id)), listen_(std::make_shared<EventStream>(true)) {}

  const std::string& id() const { return id_; }
  const std::shared_ptr<EventStream>& listen() const { return listen_; }
  // Set once, before anybody else knows of the session.
  void set_session(std::shared_ptr<Session> session) { session_ = std::move(session); }
  const std::shared_ptr<Session>& session() const { return session_; }

  // Keeps a stream for replay; returns its number.
  std::uint64_t keep(std::shared_ptr<EventStream> stream);
  std::shared_ptr<EventStream> stream(std::uint64_t number) const;
  // While this lives a POST waits for its reply.
  std::shared_ptr<void> begin_call();
  // Whether some connection reads from this session or waits for a reply in it.
  bool attended() const;
  // Ends every stream.
  void finish();

 private:
  const std::string id_;
  const std::shared_ptr<EventStream> listen_;
  std::shared_ptr<Session> session_;
  mutable std::mutex mutex_;
  std::uint64_t last_stream_ = kListenStream;
  std::map<std::uint64_t, std::shared_ptr<EventStream>> streams_;
  // Its owners but this one are the waiting POSTs.
  const std::shared_ptr<void> calls_ = std::make_shared<char>();
};

// Thread-safe.
class SessionStore {
 public:
  explicit SessionStore(std::size_t max_sessions) : max_sessions_(max_sessions) {}

  // An id that nobody guesses: 128 random bits, visible ASCII.
  static std::string make_id();

  struct Added {
    bool added = false;                    // false: full of sessions that are in use
    std::shared_ptr<HttpSession> evicted;  // made room: not used for the longest time
  };
  Added add(std::shared_ptr<HttpSession> session);
  // Marks it as used.
  std::shared_ptr<HttpSession> find(std::string_view id);
  std::shared_ptr<HttpSession> remove(std::string_view id);
  std::vector<std::shared_ptr<HttpSession>> remove_all();
  std::size_t size() const;

 private:
  struct Entry {
    std::shared_ptr<HttpSession> session;
    std::uint64_t used = 0;
  };
  const std::size_t max_sessions_;
  mutable std::mutex mutex_;
  std::uint64_t uses_ = 0;
  std::map<std::string, Entry, std::less<>> sessions_;
};

}  // namespace server
