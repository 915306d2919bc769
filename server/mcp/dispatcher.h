// The middle of the server: sorts messages by era, records running calls, ties every way of
// cancelling to one stop source, and sees that each request gets one reply.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "core/base/env.h"
#include "server/jsonrpc/transport.h"
#include "server/mcp/server_definition.h"
#include "server/mcp/session.h"

namespace server {

struct DispatcherOptions {
  // Secret of requestState signatures, at least 32 bytes, asked for on first use. Processes that
  // share it can serve each other's retries. Empty: a random one per process.
  std::function<std::string()> request_state_key;
  // Handlers that run at once; more wait in a queue of kMaxQueued.
  std::size_t workers = 16;
  // How long the client may take over a question (handshake eras).
  std::chrono::milliseconds question_timeout{600'000};
  // How often to look for resources that other processes changed, while somebody is subscribed.
  std::chrono::milliseconds watch_interval{2'000};
  // Checks every structuredContent against its outputSchema and turns a misfit into an internal
  // error: for tests and debugging.
  bool check_output = false;
};

// Thread-safe. Must outlive the transports' use of it; the definition and clock must outlive it.
class Dispatcher {
 public:
  static constexpr std::size_t kMaxQueued = 1024;

  Dispatcher(const ServerDefinition& definition, core::Clock& clock,
             DispatcherOptions options = {});
  ~Dispatcher();  // as shutdown(), and waits for handlers as long as they take
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // A session of the handshake eras whose unsolicited messages go to `outlet`.
  std::shared_ptr<Session> make_session(std::shared_ptr<SessionOutlet> outlet);

  // Takes one message. Cheap methods (ping, lists, initialize, discover, …) are answered before it
  // returns; anything that runs a handler goes to the executor, so the reader is never held up.
  // Returns whether the reply channel gets (or got) a reply; false: a notification or a response
  // was taken (HTTP: 202).
  bool receive(Incoming incoming);

  // For `text` that could not be parsed: replies with parse_json's error, under the request's id if
  // that can be made out; not at all to what is surely a response or a notification.
  void refuse(const RpcError& error, std::string_view text, ReplyChannel& channel);

  // The peer of this channel has gone. Calls of 2026-07-28 that would reply on it are cancelled
  // and stay silent, listen streams on it end; calls of the handshake eras go on.
  void peer_gone(const ReplyChannel& channel);

  // The session is over (DELETE, or the end of input on stdio): its calls are cancelled, its
  // questions dropped, nothing more is sent on it.
  void end_session(const std::shared_ptr<Session>& session);

  // Ends listen streams with their result, lets handlers go on for up to `drain`, then asks them to
  // stop and waits up to `grace` for them to return; their replies are still sent. Later requests
  // are refused. Returns whether all handlers returned. Idempotent.
  bool shutdown(std::chrono::milliseconds grace,
                std::chrono::milliseconds drain = std::chrono::milliseconds(0));

  // Requests without a reply so far, listen streams included.
  std::size_t running() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace server
