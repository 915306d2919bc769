// POST, GET and DELETE on the MCP endpoint.
#include "server/http/http_endpoint.h"

#include <mutex>

#include "server/jsonrpc/glance.h"
#include "server/jsonrpc/jsonrpc.h"
#include "server/mcp/versions.h"

namespace server {
namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kEventStream = "text/event-stream";
// The first version whose clients understand an opening event without data.
constexpr const char* kPrimingSince = "2025-11-25";
// What we ask clients to wait before they come back to a stream.
constexpr std::chrono::milliseconds kRetry{500};

HttpAnswer json_answer(std::string body, int status) {
  HttpAnswer answer;
  answer.status = status;
  answer.content_type = kJson;
  answer.body = std::move(body);
  return answer;
}

HttpAnswer empty_answer(int status) {
  HttpAnswer answer;
  answer.status = status;
  return answer;
}

HttpAnswer not_allowed(const char* allow, const char* why) {
  HttpAnswer answer = http_refusal(405, why);
  answer.headers.emplace_back("Allow", allow);
  return answer;
}

HttpAnswer busy(const char* what) {
  HttpAnswer answer = http_refusal(503, what, rpc_code::kInternalError);
  answer.headers.emplace_back("Retry-After", "5");
  return answer;
}

bool names_modern_version(const HttpHeaders& headers) {
  const std::string* version = headers.find("MCP-Protocol-Version");
  return version != nullptr && *version == kModernVersion;
}

}  // namespace

HttpAnswer http_refusal(int status, std::string message, int code) {
  const Response response{std::nullopt, RpcError{code, std::move(message), nullptr, status}};
  return json_answer(encode_message(response), status);
}

// The way back for one POST: a plain JSON reply, or an event stream from the first message on.
class HttpEndpoint::PostChannel final : public ReplyChannel {
 public:
  // `session_version`: empty in 2026-07-28 and before initialize.
  PostChannel(const std::string& session_version, bool prefers_stream)
      : resumable_(session_version >= kPrimingSince),
        prefers_stream_(prefers_stream),
        stream_(std::make_shared<EventStream>(!session_version.empty())),
        ticket_(stream_->attach().ticket) {}

  void send(std::string_view text) override {
    begin_streaming();
    stream_->push(std::string(text));
  }

  void send_or_drop(std::string_view text) override {
    begin_streaming();
    stream_->push_or_drop(std::string(text));
  }

  void reply(std::string_view text, int http_status) override {
    {
      const std::lock_guard lock(mutex_);
      if (!streaming_ && !(prefers_stream_ && http_status == 200)) {
        plain_ = json_answer(std::string(text), http_status);
      }
    }
    if (!plain()) stream_->push(std::string(text));
    stream_->finish();
  }

  void release_stream() override {
    if (!resumable_) return;
    begin_streaming();
    stream_->release();
  }

  void abandon() override {
    begin_streaming();
    stream_->finish();
  }

  std::optional<HttpAnswer> plain() const {
    const std::lock_guard lock(mutex_);
    return plain_;
  }
  bool streaming() const {
    const std::lock_guard lock(mutex_);
    return streaming_;
  }
  // The reply, if it has not come yet, comes as an event.
  void begin_streaming() {
    const std::lock_guard lock(mutex_);
    streaming_ = streaming_ || !plain_;
  }
  const std::shared_ptr<EventStream>& stream() const { return stream_; }
  std::uint64_t ticket() const { return ticket_; }

 private:
  const bool resumable_;
  const bool prefers_stream_;
  const std::shared_ptr<EventStream> stream_;
  const std::uint64_t ticket_;
  mutable std::mutex mutex_;
  bool streaming_ = false;
  std::optional<HttpAnswer> plain_;
};

namespace {

// Messages of a session that belong to no request wait on its listen stream.
class ListenOutlet final : public SessionOutlet {
 public:
  explicit ListenOutlet(std::shared_ptr<EventStream> stream) : stream_(std::move(stream)) {}
  void send(std::string_view text) override { stream_->push(std::string(text)); }

 private:
  std::shared_ptr<EventStream> stream_;
};

HttpAnswer stream_answer(HttpStreamBody::Parts parts, const HttpLimits& limits) {
  HttpAnswer answer;
  answer.content_type = kEventStream;
  answer.headers = {{"Cache-Control", "no-cache, no-transform"}, {"X-Accel-Buffering", "no"}};
  answer.stream = std::make_shared<HttpStreamBody>(std::move(parts), limits);
  return answer;
}

// A request, or a batch that may hold one; answers and notifications must always get in.
bool asks(const Json& message) {
  return message.is_array() || (given_member(message, "id") && given_member(message, "method"));
}

}  // namespace

HttpStreamBody::HttpStreamBody(Parts parts, const HttpLimits& limits)
    : parts_(std::move(parts)), limits_(limits) {}

HttpStreamBody::~HttpStreamBody() {
  parts_.stream->detach(parts_.ticket);
}

HttpStreamBody::Step HttpStreamBody::broken() {
  parts_.stream->detach(parts_.ticket);
  if (parts_.gone) std::exchange(parts_.gone, nullptr)();
  return Step::broken;
}

HttpStreamBody::Step HttpStreamBody::pump(const std::function<bool(std::string_view)>& write,
                                          const std::function<bool()>& peer_gone) {
  const auto id = [&](std::uint64_t event) {
    return parts_.number ? to_text(EventId{*parts_.number, event}) : std::string();
  };
  if (std::exchange(parts_.prime, false) && !write(sse_event("", id(parts_.after), kRetry))) {
    return broken();
  }
  const auto reading = parts_.stream->next(parts_.ticket, limits_.poll_interval);
  switch (reading.state) {
    case EventStream::State::event:
      silent_for_ = {};
      // Who reads the last event knows that a place is free.
      if (parts_.stream->ends_at(reading.event.number)) parts_.place.reset();
      return write(sse_event(reading.event.json, id(reading.event.number))) ? Step::more : broken();
    case EventStream::State::idle:
      if (peer_gone()) return broken();
      silent_for_ += limits_.poll_interval;
      if (silent_for_ >= limits_.keep_alive_interval) {
        silent_for_ = {};
        return write(sse_comment()) ? Step::more : broken();
      }
      return Step::more;
    case EventStream::State::overrun:
      return broken();
    case EventStream::State::released:
    case EventStream::State::finished:
    case EventStream::State::displaced:
      break;
  }
  return Step::end;
}

HttpEndpoint::HttpEndpoint(Dispatcher& dispatcher, HttpLimits limits, std::string principal)
    : dispatcher_(dispatcher),
      limits_(limits),
      principal_(std::move(principal)),
      sessions_(limits.max_sessions),
      streams_(std::make_shared<std::atomic<std::size_t>>(0)),
      session_calls_(std::make_shared<std::atomic<std::size_t>>(0)) {}

HttpAnswer HttpEndpoint::handle(const HttpCall& call) {
  if (call.method == "POST") return post(call);
  if (call.method == "GET") return get(call);
  if (call.method == "DELETE") return remove(call);
  return not_allowed("POST, GET, DELETE", "This endpoint takes POST, GET and DELETE");
}

void HttpEndpoint::close() {
  closing_ = true;
  for (const auto& session : sessions_.remove_all()) drop(session);
}

void HttpEndpoint::drop(const std::shared_ptr<HttpSession>& session) {
  dispatcher_.end_session(session->session());
  session->finish();
}

HttpAnswer HttpEndpoint::post(const HttpCall& call) {
  if (!has_json_content(call.headers)) {
    return http_refusal(415, "The body must be application/json");
  }
  if (!accepts(call.headers, kJson) && !accepts(call.headers, kEventStream)) {
    return http_refusal(406, "The client must accept application/json and text/event-stream");
  }
  auto message = parse_json(call.body);
  if (!message) return json_answer(encode_error(glance_at(call.body).id, message.error()), 400);
  Incoming incoming;
  incoming.headers = header_facts(call.headers);
  incoming.principal = principal_;
  incoming.message = std::move(*message);
  const MessageKind kind = classify(incoming.message, incoming.headers);

  std::shared_ptr<HttpSession> session;
  std::shared_ptr<void> calling;
  std::shared_ptr<void> place;
  if (kind == MessageKind::legacy) {
    auto found = session_of(call);
    if (!found) return std::move(found.error());
    session = std::move(*found);
    calling = session->begin_call();
    incoming.session = session->session();
    // Before anything is under way: such a call goes on whatever happens to its POST, so "try
    // again" would have it done twice.
    if (asks(incoming.message)) {
      place = take_place(session_calls_, limits_.max_session_calls);
      if (place == nullptr) return busy("Too many calls are under way: try again later");
    }
  }
  const auto channel = std::make_shared<PostChannel>(
      session ? session->session()->version() : std::string(), prefers_event_stream(call.headers));
  incoming.reply = channel;
  if (kind == MessageKind::legacy_initialize) return initialize(call, std::move(incoming), channel);
  if (!dispatcher_.receive(std::move(incoming))) return empty_answer(202);
  return await_reply(call, channel, session, std::move(place));
}

HttpAnswer HttpEndpoint::initialize(const HttpCall& call, Incoming incoming,
                                    const std::shared_ptr<PostChannel>& channel) {
  const auto session = std::make_shared<HttpSession>(SessionStore::make_id());
  session->set_session(dispatcher_.make_session(std::make_shared<ListenOutlet>(session->listen())));
  incoming.session = session->session();
  if (!dispatcher_.receive(std::move(incoming))) return empty_answer(202);
  HttpAnswer answer = await_reply(call, channel, nullptr, nullptr);
  if (session->session()->version().empty()) return answer;
  const auto [added, evicted] = sessions_.add(session);
  if (evicted) drop(evicted);
  if (!added) {
    drop(session);
    return busy("Too many sessions are in use: end one, or try again later");
  }
  answer.headers.emplace_back("Mcp-Session-Id", session->id());
  return answer;
}

tl::expected<std::shared_ptr<HttpSession>, HttpAnswer> HttpEndpoint::session_of(
    const HttpCall& call) {
  const std::string* version = call.headers.find("MCP-Protocol-Version");
  if (version != nullptr && !is_legacy_version(*version)) {
    return tl::unexpected(http_refusal(400, "Unsupported MCP-Protocol-Version: " + *version));
  }
  const std::string* id = call.headers.find("Mcp-Session-Id");
  if (id == nullptr) {
    return tl::unexpected(http_refusal(
        400, "The header Mcp-Session-Id is missing: send initialize first, then repeat its id"));
  }
  auto session = sessions_.find(*id);
  if (session == nullptr) {
    return tl::unexpected(
        http_refusal(404, "This session is not known here or has ended: send initialize again"));
  }
  return session;
}

HttpAnswer HttpEndpoint::await_reply(const HttpCall& call,
                                     const std::shared_ptr<PostChannel>& channel,
                                     const std::shared_ptr<HttpSession>& session,
                                     std::shared_ptr<void> place) {
  const auto& stream = channel->stream();
  const bool modern = session == nullptr;
  const bool takes_stream = accepts(call.headers, kEventStream);
  std::chrono::milliseconds silent_for{0};
  while (!channel->streaming() && !stream->wait(limits_.poll_interval)) {
    if (closing_) return busy("The server is stopping");
    if (call.peer_gone()) {
      // In the handshake eras a lost connection cancels nothing; the reply has nowhere to go.
      if (modern) dispatcher_.peer_gone(*channel);
      return empty_answer(499);
    }
    silent_for += limits_.poll_interval;
    if (!takes_stream || silent_for < limits_.keep_alive_interval) continue;
    if (place == nullptr) place = take_place(streams_, limits_.max_streams);
    if (place != nullptr) channel->begin_streaming();
  }
  if (auto plain = channel->plain()) return std::move(*plain);
  HttpStreamBody::Parts parts;
  parts.place = std::move(place);
  if (modern && parts.place == nullptr) {
    parts.place = take_place(streams_, limits_.max_streams);
    if (parts.place == nullptr) {
      dispatcher_.peer_gone(*channel);
      return busy("Too many event streams are open: close one, or try again later");
    }
  }
  parts.stream = stream;
  parts.ticket = channel->ticket();
  if (modern) {
    parts.gone = [this, channel] { dispatcher_.peer_gone(*channel); };
  } else {
    parts.number = session->keep(stream);
    // A stream that ends without a message is not one to come back to.
    parts.prime = session->session()->version() >= kPrimingSince && !stream->ends_at(0);
  }
  return stream_answer(std::move(parts), limits_);
}

HttpAnswer HttpEndpoint::get(const HttpCall& call) {
  if (names_modern_version(call.headers) || call.headers.find("Mcp-Session-Id") == nullptr) {
    return not_allowed("POST", "Only clients with a session may listen by GET");
  }
  if (!accepts(call.headers, kEventStream)) {
    return http_refusal(406, "The client must accept text/event-stream");
  }
  const auto session = session_of(call);
  if (!session) return session.error();
  HttpStreamBody::Parts parts;
  parts.number = HttpSession::kListenStream;
  parts.stream = (*session)->listen();
  std::optional<std::uint64_t> after;
  if (const std::string* last = call.headers.find("Last-Event-ID")) {
    // An id that we forgot or never gave leads to the listen stream: better than a client that
    // gives up listening.
    if (const auto id = event_id_from(*last)) {
      if (auto stream = (*session)->stream(id->stream)) {
        if (stream->ends_at(id->event)) {
          return empty_answer(204);  // makes event sources stop coming back
        }
        parts.stream = std::move(stream);
        parts.number = id->stream;
        after = id->event;
      }
    }
  }
  parts.place = take_place(streams_, limits_.max_streams);
  if (parts.place == nullptr) {
    return busy("Too many event streams are open: close one, or try again later");
  }
  const auto place = parts.stream->attach(after);
  parts.ticket = place.ticket;
  parts.after = place.after;
  parts.prime = (*session)->session()->version() >= kPrimingSince;
  return stream_answer(std::move(parts), limits_);
}

HttpAnswer HttpEndpoint::remove(const HttpCall& call) {
  if (names_modern_version(call.headers)) {
    return not_allowed("POST", "There are no sessions in this protocol version");
  }
  const auto session = session_of(call);
  if (!session) return session.error();
  sessions_.remove((*session)->id());
  drop(*session);
  return empty_answer(204);
}

std::shared_ptr<void> HttpEndpoint::take_place(const Places& taken, std::size_t limit) {
  if (taken->fetch_add(1) >= limit) {
    taken->fetch_sub(1);
    return nullptr;
  }
  return {taken.get(), [taken](void*) { taken->fetch_sub(1); }};
}

}  // namespace server
