// The middle of the server.
#include "server/mcp/dispatcher.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "server/base/log.h"
#include "server/jsonrpc/glance.h"
#include "server/mcp/legacy.h"
#include "server/mcp/modern.h"
#include "server/mcp/versions.h"

namespace server {
namespace {

constexpr std::size_t kMaxBatch = 100;   // messages
constexpr std::size_t kTaskWorkers = 8;  // tasks that run at once
constexpr std::string_view kBatchVersion = "2025-03-26";

RpcError invalid_request(std::string message) {
  return RpcError{rpc_code::kInvalidRequest, std::move(message), nullptr, 400};
}

bool has_claim(const Json& message) {
  const Json* params = member(message, "params");
  const Json* meta = params != nullptr ? member(*params, "_meta") : nullptr;
  return meta != nullptr && given_member(*meta, kMetaVersion) != nullptr;
}

// JSON-RPC 2.0, sections 4.1 and 5: a notification and a response are never answered, however
// malformed. Two peers that did would go on for ever.
bool may_be_answered(const Json& message) {
  if (given_member(message, "method") != nullptr) return member(message, "id") != nullptr;
  return member(message, "result") == nullptr && member(message, "error") == nullptr;
}

// Gathers the replies of a batch and sends them as one array when the last has come.
class BatchChannel final : public ReplyChannel {
 public:
  BatchChannel(std::shared_ptr<ReplyChannel> whole, std::size_t expected)
      : whole_(std::move(whole)), missing_(expected) {}

  void send(std::string_view text) override { whole_->send(text); }
  void send_or_drop(std::string_view text) override { whole_->send_or_drop(text); }
  void release_stream() override { whole_->release_stream(); }
  void reply(std::string_view text, int) override { one_less(text); }
  void abandon() override { one_less({}); }

 private:
  void one_less(std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (!text.empty()) (replies_ += replies_.empty() ? "" : ",") += text;
    if (--missing_ > 0) return;
    if (replies_.empty()) {
      whole_->abandon();
    } else {
      whole_->reply("[" + replies_ + "]", 200);
    }
  }

  std::shared_ptr<ReplyChannel> whole_;
  std::mutex mutex_;
  std::size_t missing_;
  std::string replies_;
};

}  // namespace

MessageKind classify(const Json& message, const std::optional<HeaderFacts>& headers) {
  if (has_claim(message)) return MessageKind::modern;
  if (headers && headers->protocol_version == kModernVersion) return MessageKind::modern;
  return string_member(message, "method") == "initialize" ? MessageKind::legacy_initialize
                                                          : MessageKind::legacy;
}

class Dispatcher::Impl {
 public:
  Impl(const ServerDefinition& definition, core::Clock& clock, DispatcherOptions options)
      : definition_(definition),
        registry_(definition, options.check_output),
        shelf_(definition),
        methods_(definition, registry_, shelf_),
        streams_(calls_),
        states_(std::move(options.request_state_key), clock),
        tasks_(task_executor_, clock,
               [this](const std::string& id, const Json& task) { streams_.on_task(id, task); }),
        watch_(definition, executor_, alarms_, options.watch_interval,
               [this] { return someone_subscribed(); }),
        context_{definition_, methods_, executor_, alarms_, calls_,
                 tasks_,      streams_, states_,   watch_,  options.question_timeout},
        modern_(context_),
        legacy_(context_),
        listener_(definition.changes->listen([this](const Change& change) { on_change(change); })),
        executor_(options.workers, kMaxQueued),
        task_executor_(kTaskWorkers, TaskStore::kMaxTasks) {}

  ~Impl() {
    shutdown({}, {});
    alarms_.stop();
    executor_.join();
    task_executor_.join();
    definition_.changes->forget(listener_);
  }

  std::shared_ptr<Session> make_session(std::shared_ptr<SessionOutlet> outlet) {
    auto session = std::make_shared<Session>(std::move(outlet));
    const std::lock_guard lock(sessions_mutex_);
    std::erase_if(sessions_, [](const auto& known) { return known.expired(); });
    sessions_.push_back(session);
    return session;
  }

  bool receive(Incoming incoming) {
    if (incoming.message.is_array()) return receive_batch(std::move(incoming));
    const HeaderFacts* headers = incoming.headers ? &*incoming.headers : nullptr;
    const Origin origin{incoming.reply, incoming.session, headers, incoming.principal};
    const MessageKind kind = classify(incoming.message, incoming.headers);
    // A POST gets an answer whatever it holds.
    const bool answered = incoming.headers || may_be_answered(incoming.message);
    return take({decode_message(std::move(incoming.message)), answered}, origin, kind);
  }

  void peer_gone(const ReplyChannel& channel) {
    calls_.cancel_on_channel(channel);
    streams_.prune();
  }

  void end_session(const std::shared_ptr<Session>& session) {
    calls_.cancel_in_session(*session);
    session->drop_all(RpcError{rpc_code::kInternalError, "the session has ended"});
    streams_.prune();
    const std::lock_guard lock(sessions_mutex_);
    std::erase_if(sessions_, [&session](const auto& known) { return known.lock() == session; });
  }

  bool shutdown(std::chrono::milliseconds grace, std::chrono::milliseconds drain) {
    stopping_ = true;
    streams_.close_all(methods_.server_info());
    executor_.wait_idle(drain);
    const auto end = std::chrono::steady_clock::now() + grace;
    tasks_.stop_all();
    calls_.stop_all();
    for (const auto& session : sessions()) {
      session->drop_all(RpcError{rpc_code::kInternalError, "the server is stopping"});
    }
    executor_.close();
    task_executor_.close();
    const auto left = [end] {
      return std::max(std::chrono::milliseconds(0),
                      std::chrono::duration_cast<std::chrono::milliseconds>(
                          end - std::chrono::steady_clock::now()));
    };
    const bool calls_done = executor_.wait_idle(left());
    return task_executor_.wait_idle(left()) && calls_done;
  }

  std::size_t running() const { return calls_.size(); }

 private:
  struct Decoded {
    tl::expected<Message, DecodeFailure> message;
    bool answered = true;  // where it is malformed
  };

  bool take(Decoded decoded, const Origin& origin, MessageKind kind) {
    auto& message = decoded.message;
    if (!message && !decoded.answered) {
      log_warning("A malformed response or notification is left alone: " +
                  message.error().error.message);
      return false;
    }
    if (!message) {
      origin.reply->reply(encode_error(message.error().id, message.error().error), 400);
      return true;
    }
    if (auto* request = std::get_if<Request>(&*message)) {
      take_request(std::move(*request), origin, kind);
      return true;
    }
    if (const auto* response = std::get_if<Response>(&*message)) {
      return take_response(*response, origin, kind);
    }
    take_notification(std::get<Notification>(*message), origin);
    return false;
  }

  void take_request(Request request, const Origin& origin, MessageKind kind) {
    if (stopping_) {
      return reply_now(origin, request.id,
                       RpcError{rpc_code::kInternalError, "The server is stopping.", nullptr, 503});
    }
    // A failure while answering at once (memory, a provider's bug) must cost this request only.
    const RequestId id = request.id;
    try {
      dispatch(std::move(request), origin, kind);
    } catch (const std::exception& error) {
      log_error(std::string("A request failed: ") + error.what());
      reply_now(origin, id, RpcError{rpc_code::kInternalError, "Internal error."});
    }
  }

  void dispatch(Request request, const Origin& origin, MessageKind kind) {
    if (kind == MessageKind::modern) return modern_.handle(std::move(request), origin);
    if (!origin.session) {
      return reply_now(origin, request.id, invalid_request("This request needs a session."));
    }
    legacy_.handle(std::move(request), origin);
  }

  bool take_response(const Response& response, const Origin& origin, MessageKind kind) {
    if (origin.session && kind != MessageKind::modern) {
      origin.session->answered(response);
      return false;
    }
    origin.reply->reply(encode_error({}, invalid_request("No response is awaited here.")), 400);
    return true;
  }

  void take_notification(const Notification& notification, const Origin& origin) {
    // Over HTTP a 2026-07-28 client cancels by disconnecting; there is no session to look in.
    if (notification.method != "notifications/cancelled" || !origin.session) return;
    const Json* id = member(notification.params, "requestId");
    const auto request_id = id != nullptr ? request_id_from(*id) : std::nullopt;
    if (!request_id) return;
    calls_.cancel(*origin.session, *request_id);
    streams_.prune();
  }

  bool receive_batch(Incoming incoming) {
    const auto refuse = [&](const char* why) {
      incoming.reply->reply(encode_error({}, invalid_request(why)), 400);
      return true;
    };
    if (!incoming.session || incoming.session->version() != kBatchVersion) {
      return refuse("Batches belong to protocol version 2025-03-26 only.");
    }
    if (incoming.message.empty()) return refuse("An empty batch.");
    if (incoming.message.size() > kMaxBatch) return refuse("A batch has at most 100 messages.");
    std::vector<Decoded> messages;
    for (Json& element : incoming.message) {
      if (string_member(element, "method") == "initialize") {
        return refuse("initialize must not be part of a batch.");
      }
      if (has_claim(element)) return refuse("2026-07-28 has no batches.");
      const bool answered = may_be_answered(element);
      messages.push_back({decode_message(std::move(element)), answered});
    }
    const auto expected = std::count_if(messages.begin(), messages.end(), [](const Decoded& one) {
      return one.message ? std::holds_alternative<Request>(*one.message) : one.answered;
    });
    const std::shared_ptr<ReplyChannel> gathered =
        expected > 0 ? std::make_shared<BatchChannel>(incoming.reply, expected) : incoming.reply;
    const Origin origin{gathered, incoming.session, incoming.headers ? &*incoming.headers : nullptr,
                        incoming.principal};
    for (Decoded& message : messages) take(std::move(message), origin, MessageKind::legacy);
    return expected > 0;
  }

  std::vector<std::shared_ptr<Session>> sessions() {
    const std::lock_guard lock(sessions_mutex_);
    std::vector<std::shared_ptr<Session>> alive;
    for (const auto& known : sessions_) {
      if (auto session = known.lock()) alive.push_back(std::move(session));
    }
    return alive;
  }

  bool someone_subscribed() {
    if (streams_.want_resources()) return true;
    const auto alive = sessions();
    return std::any_of(alive.begin(), alive.end(),
                       [](const auto& session) { return session->subscribed_to_any(); });
  }

  void on_change(const Change& change) {
    watch_.heard(change);
    streams_.on_change(change);
    for (const auto& session : sessions()) legacy_.on_change(*session, change);
  }

  const ServerDefinition& definition_;
  ToolRegistry registry_;
  SkillShelf shelf_;
  Methods methods_;
  CallTable calls_;
  ListenStreams streams_;
  RequestStates states_;
  TaskStore tasks_;
  ResourceWatch watch_;
  ServerContext context_;
  ModernEra modern_;
  LegacyEra legacy_;
  std::mutex sessions_mutex_;
  std::vector<std::weak_ptr<Session>> sessions_;
  std::atomic<bool> stopping_{false};
  int listener_;
  // Last, so that they are destroyed first: their threads use everything above.
  Alarms alarms_;
  Executor executor_;
  Executor task_executor_;
};

Dispatcher::Dispatcher(const ServerDefinition& definition, core::Clock& clock,
                       DispatcherOptions options)
    : impl_(std::make_unique<Impl>(definition, clock, std::move(options))) {}
Dispatcher::~Dispatcher() = default;

std::shared_ptr<Session> Dispatcher::make_session(std::shared_ptr<SessionOutlet> outlet) {
  return impl_->make_session(std::move(outlet));
}
bool Dispatcher::receive(Incoming incoming) {
  return impl_->receive(std::move(incoming));
}
void Dispatcher::refuse(const RpcError& error, std::string_view text, ReplyChannel& channel) {
  const Glance glance = glance_at(text);
  if (!glance.answered) {
    log_warning("An unreadable response or notification is left alone: " + error.message);
    return;
  }
  channel.reply(encode_error(glance.id, error), error.http_status);
}
void Dispatcher::peer_gone(const ReplyChannel& channel) {
  impl_->peer_gone(channel);
}
void Dispatcher::end_session(const std::shared_ptr<Session>& session) {
  impl_->end_session(session);
}
bool Dispatcher::shutdown(std::chrono::milliseconds grace, std::chrono::milliseconds drain) {
  return impl_->shutdown(grace, drain);
}
std::size_t Dispatcher::running() const {
  return impl_->running();
}

}  // namespace server
