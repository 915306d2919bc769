// One request being served: its stop signal, and the guarantee of one reply and nothing after it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/jsonrpc/transport.h"
#include "server/mcp/session.h"

namespace server {

// Thread-safe. Lives as long as its handler or its stream.
class Call {
 public:
  // Each is called once: `settled` before the client can know, at the reply or when it is
  // cancelled, `written` after that reply or end went out.
  struct Listener {
    std::function<void(const Call&)> settled;
    std::function<void(const Call&)> written;
  };
  // `space`: within which the id is unique.
  Call(RequestId id, std::shared_ptr<ReplyChannel> channel, std::shared_ptr<Session> session,
       const void* space, bool modern, Listener listener)
      : id_(std::move(id)),
        channel_(std::move(channel)),
        session_(std::move(session)),
        space_(space),
        modern_(modern),
        listener_(std::move(listener)) {}

  const RequestId& id() const { return id_; }
  const std::shared_ptr<Session>& session() const { return session_; }
  ReplyChannel* channel() const { return channel_.get(); }
  const void* space() const { return space_; }
  bool modern() const { return modern_; }
  std::stop_token stop() const { return stop_.get_token(); }

  // Nothing is sent any more once the call was replied to or silenced.
  void send(std::string_view text);
  void send_or_drop(std::string_view text);
  void release_stream();
  // The one reply; later ones are a bug, unless the call was silenced. Returns whether it was sent.
  bool reply_result(std::string_view result);
  bool reply_error(const RpcError& error);

  // Asks the handler to stop; its reply is still wanted.
  void request_stop() { stop_.request_stop(); }
  // The client cancelled or went away: stop, and say nothing more.
  void cancel();
  // The session or process ends: as cancel.
  bool over() const;
  // Waits while a reply is being written.
  void await_written() const;

 private:
  bool reply(std::string_view text, int http_status);

  const RequestId id_;
  const std::shared_ptr<ReplyChannel> channel_;
  const std::shared_ptr<Session> session_;
  const void* const space_;
  const bool modern_;
  const Listener listener_;
  std::stop_source stop_;
  mutable std::mutex mutex_;
  bool replied_ = false;
  bool silenced_ = false;
};

// The calls under way, by the id space they came in and their id. Thread-safe. A call is forgotten
// before its reply is written, and when it is cancelled: the id may be used again at once. The
// space is the pipe's session on stdio. Over HTTP it is the POST, whose reply has its own way back:
// there two calls of a session may bear one id.
class CallTable {
 public:
  // Null when that id is in use in its space. `http`: the channel is a POST's.
  std::shared_ptr<Call> open(const RequestId& id, std::shared_ptr<ReplyChannel> channel,
                             std::shared_ptr<Session> session, bool modern, bool http);
  void close(const Call& call);
  // Cancels the one call of that id in the session; false when there is none such. Of several none:
  // which is meant nobody can tell. Waits for a reply of that id that is being written: the client
  // may use the id again at once, and the next answer must not come first.
  bool cancel(const Session& session, const RequestId& id);
  void cancel_on_channel(const ReplyChannel& channel);  // 2026-07-28 only
  void cancel_in_session(const Session& session);
  void stop_all();
  std::size_t size() const;

 private:
  using Key = std::pair<const void*, RequestId>;
  std::vector<std::shared_ptr<Call>> matching(const std::function<bool(const Call&)>& wanted) const;

  void settle(const Call& call);
  void forget(const Call& call);

  mutable std::mutex mutex_;
  std::map<Key, std::shared_ptr<Call>> calls_;
  std::vector<std::shared_ptr<Call>> leaving_;  // no longer in calls_, their replies being written
};

}  // namespace server
