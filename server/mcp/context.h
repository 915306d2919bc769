// The parts of a running server that the era layers work with. Owned by the dispatcher.
#pragma once

#include "core/base/env.h"
#include "server/base/executor.h"
#include "server/mcp/call.h"
#include "server/mcp/listen_streams.h"
#include "server/mcp/methods.h"
#include "server/mcp/request_state.h"
#include "server/mcp/resource_watch.h"
#include "server/mcp/tasks.h"

namespace server {

struct ServerContext {
  const ServerDefinition& definition;
  Methods& methods;
  Executor& executor;
  Alarms& alarms;
  CallTable& calls;
  TaskStore& tasks;
  ListenStreams& streams;
  RequestStates& states;
  ResourceWatch& watch;
  std::chrono::milliseconds question_timeout;
};

// What an era layer needs of an incoming request besides the request.
struct Origin {
  std::shared_ptr<ReplyChannel> reply;
  std::shared_ptr<Session> session;
  const HeaderFacts* headers = nullptr;  // only while the request is taken in
  std::string principal;
};

// Opens a call and runs `body` on the executor; a used id or a full queue is replied to at once.
// `body` must end with a reply, or hand the call on, before calls.close().
void start_call(ServerContext& context, const RequestId& id, const Origin& origin, bool modern,
                std::function<void(const std::shared_ptr<Call>&)> body);

// Replies without a call on record, for what is answered at once.
void reply_now(const Origin& origin, const RequestId& id, std::string_view result);
void reply_now(const Origin& origin, const RequestId& id, const RpcError& error);

}  // namespace server
