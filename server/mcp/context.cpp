// What the era layers share.
#include "server/mcp/context.h"

namespace server {

void start_call(ServerContext& context, const RequestId& id, const Origin& origin, bool modern,
                std::function<void(const std::shared_ptr<Call>&)> body) {
  const auto call =
      context.calls.open(id, origin.reply, origin.session, modern, origin.headers != nullptr);
  if (!call) {
    reply_now(origin, id,
              RpcError{rpc_code::kInvalidRequest,
                       "This id belongs to a request still being served.", nullptr, 400});
    return;
  }
  const auto job = [&calls = context.calls, call, body = std::move(body)] {
    if (call->over()) return calls.close(*call);  // cancelled while it waited
    body(call);
  };
  if (context.executor.submit(job)) return;
  call->reply_error(RpcError{rpc_code::kInternalError,
                             "The server has too many requests waiting, or the system gives it no "
                             "thread; try again later.",
                             nullptr, 503});
  context.calls.close(*call);
}

void reply_now(const Origin& origin, const RequestId& id, std::string_view result) {
  origin.reply->reply(encode_result(id, result), 200);
}

void reply_now(const Origin& origin, const RequestId& id, const RpcError& error) {
  origin.reply->reply(encode_error(id, error), error.http_status);
}

}  // namespace server
