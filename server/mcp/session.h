// One client of the handshake eras: what initialize settled, and the questions on their way to it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "server/jsonrpc/transport.h"
#include "server/mcp/tool.h"

namespace server {

// Made by Dispatcher::make_session; shared by a transport (which keeps it alive) and running calls.
// All methods are thread-safe.
class Session {
 public:
  explicit Session(std::shared_ptr<SessionOutlet> outlet) : outlet_(std::move(outlet)) {}

  // Empty until initialize was answered with a result; then one of the handshake versions. An
  // HTTP transport keeps the session, and names it in the reply, only if this is not empty.
  std::string version() const;
  ClientAbilities abilities() const;
  void negotiated(std::string version, ClientAbilities abilities);

  // Log messages below this level are not sent.
  LogLevel log_level() const { return log_level_.load(); }
  void set_log_level(LogLevel level) { log_level_.store(level); }

  bool subscribe(const std::string& uri);  // false: kMaxSubscriptions reached
  void unsubscribe(const std::string& uri);
  bool subscribed(const std::string& uri) const;
  bool subscribed_to_any() const;
  static constexpr std::size_t kMaxSubscriptions = 1024;

  void send(std::string_view text) { outlet_->send(text); }

  // Requests to the client have ids of their own, apart from the client's ids.
  using Answer = std::function<void(std::variant<Json, RpcError>)>;
  // Registers a question; `answer` runs once, on the thread that brings the response or that drops
  // the question.
  std::int64_t expect(Answer answer);
  // The client's response; one to no question of ours is ignored.
  void answered(const Response& response);
  // Gives up on a question: its Answer gets the error, unless the response came first.
  void drop(std::int64_t id, const RpcError& error);
  void drop_all(const RpcError& error);

 private:
  std::shared_ptr<SessionOutlet> outlet_;
  mutable std::mutex mutex_;
  std::string version_;
  ClientAbilities abilities_;
  std::atomic<LogLevel> log_level_{LogLevel::info};
  std::set<std::string> subscriptions_;
  std::int64_t next_id_ = 1;
  std::map<std::int64_t, Answer> questions_;
};

}  // namespace server
