// What the dispatcher and a transport say to each other: a message coming in with the way back for
// its reply. The dispatcher knows no socket and no pipe; a transport knows no method.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/jsonrpc/json.h"
#include "server/jsonrpc/jsonrpc.h"

namespace server {

class Session;  // session.h

// The way back for one incoming message: the pipe on stdio, that POST's response on HTTP. Texts are
// complete JSON messages without a newline. Methods are called from any thread, never after
// reply() for the same message, and never throw. They must not call the dispatcher.
class ReplyChannel {
 public:
  virtual ~ReplyChannel() = default;

  // A message on the way to the reply: a notification or, in the handshake eras, a request to the
  // client. On HTTP the first one turns the response into an event stream. Delivered in order and
  // at once (flushed). Dropped silently when the peer is gone.
  virtual void send(std::string_view text) = 0;
  // Like send, for what may be lost (progress): must not wait for a slow reader, drops instead.
  virtual void send_or_drop(std::string_view text) { send(text); }
  // The last word: a response, an error, or a batch's array of them. Exactly once per message that
  // receive() said will be answered. `http_status` counts only where nothing was sent before.
  virtual void reply(std::string_view text, int http_status) = 0;
  // Instead of reply(): the call was cancelled and stays without an answer. On HTTP the stream
  // ends.
  virtual void abandon() {}
  // Closes this stream early, where the client can fetch what follows elsewhere (a resumable
  // stream of the handshake eras); otherwise does nothing.
  virtual void release_stream() {}
};

// Where a session of the handshake eras takes messages that belong to no request: the same pipe on
// stdio, the GET stream (kept for replay while there is none) on HTTP. As ReplyChannel::send.
class SessionOutlet {
 public:
  virtual ~SessionOutlet() = default;
  virtual void send(std::string_view text) = 0;
};

// What the HTTP headers of a POST said; surrounding white space trimmed. Nothing on stdio.
struct HeaderFacts {
  std::optional<std::string> protocol_version;  // MCP-Protocol-Version
  std::optional<std::string> method;            // Mcp-Method
  std::optional<std::string> name;              // Mcp-Name, as sent (maybe a base64 sentinel)
  // Mcp-Param-<X>: X in lower case -> value as sent.
  std::map<std::string, std::string> params;
};

struct Incoming {
  Json message;                         // one parsed JSON text: a message or a batch
  std::shared_ptr<ReplyChannel> reply;  // never null
  // The session of the handshake eras: on stdio always the process's one, on HTTP the one named by
  // Mcp-Session-Id (a fresh one for initialize), null for 2026-07-28.
  std::shared_ptr<Session> session;
  std::optional<HeaderFacts> headers;  // HTTP only
  // Who asks, for binding requestState and tasks: a digest of the bearer token, or "local".
  std::string principal = "local";
};

// How a transport must treat a parsed message before it can hand it on. The body decides; headers
// only for messages that may carry no claim.
enum class MessageKind {
  modern,  // carries a claim of per-request metadata (2026-07-28 or an unserved version),
           // or is to be refused as if it did: no session
  legacy_initialize,  // opens a session
  legacy,             // belongs to a session: a request, notification, response or batch
};
MessageKind classify(const Json& message, const std::optional<HeaderFacts>& headers);

}  // namespace server
