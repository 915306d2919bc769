// One request being served, and the table of them.
#include "server/mcp/call.h"

#include <cassert>

namespace server {

void Call::send(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (!replied_ && !silenced_) channel_->send(text);
}

void Call::send_or_drop(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (!replied_ && !silenced_) channel_->send_or_drop(text);
}

void Call::release_stream() {
  const std::lock_guard lock(mutex_);
  if (!replied_ && !silenced_) channel_->release_stream();
}

bool Call::reply(std::string_view text, int http_status) {
  const std::lock_guard lock(mutex_);
  if (silenced_) return false;
  assert(!replied_ && "a request is replied to once");
  if (replied_) return false;
  replied_ = true;
  listener_.settled(*this);
  channel_->reply(text, http_status);
  listener_.written(*this);
  return true;
}

bool Call::reply_result(std::string_view result) {
  return reply(encode_result(id_, result), 200);
}

bool Call::reply_error(const RpcError& error) {
  return reply(encode_error(id_, error), error.http_status);
}

void Call::cancel() {
  {
    const std::lock_guard lock(mutex_);
    if (!silenced_ && !replied_) {
      listener_.settled(*this);
      channel_->abandon();
      listener_.written(*this);
    }
    silenced_ = true;
  }
  stop_.request_stop();
}

bool Call::over() const {
  const std::lock_guard lock(mutex_);
  return replied_ || silenced_;
}

void Call::await_written() const {
  const std::lock_guard lock(mutex_);
}

std::shared_ptr<Call> CallTable::open(const RequestId& id, std::shared_ptr<ReplyChannel> channel,
                                      std::shared_ptr<Session> session, bool modern, bool http) {
  const void* space = http || session == nullptr ? static_cast<const void*>(channel.get())
                                                 : static_cast<const void*>(session.get());
  const Key key{space, id};
  auto call = std::make_shared<Call>(id, std::move(channel), std::move(session), space, modern,
                                     Call::Listener{[this](const Call& one) { settle(one); },
                                                    [this](const Call& one) { forget(one); }});
  const std::lock_guard lock(mutex_);
  return calls_.emplace(key, call).second ? call : nullptr;
}

void CallTable::close(const Call& call) {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find({call.space(), call.id()});
  // The id may be in use again by a later call.
  if (found != calls_.end() && found->second.get() == &call) calls_.erase(found);
}

void CallTable::settle(const Call& call) {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find({call.space(), call.id()});
  if (found == calls_.end() || found->second.get() != &call) return;
  leaving_.push_back(std::move(found->second));
  calls_.erase(found);
}

void CallTable::forget(const Call& call) {
  const std::lock_guard lock(mutex_);
  std::erase_if(leaving_, [&call](const auto& one) { return one.get() == &call; });
}

std::vector<std::shared_ptr<Call>> CallTable::matching(
    const std::function<bool(const Call&)>& wanted) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Call>> found;
  for (const auto& [key, call] : calls_) {
    if (wanted(*call)) found.push_back(call);
  }
  return found;
}

bool CallTable::cancel(const Session& session, const RequestId& id) {
  std::vector<std::shared_ptr<Call>> meant, leaving;
  {
    const auto is_meant = [&](const Call& candidate) {
      return candidate.session().get() == &session && candidate.id() == id;
    };
    const std::lock_guard lock(mutex_);
    for (const auto& [key, call] : calls_) {
      if (is_meant(*call)) meant.push_back(call);
    }
    for (const auto& call : leaving_) {
      if (is_meant(*call)) leaving.push_back(call);
    }
  }
  for (const auto& call : leaving) call->await_written();
  if (meant.size() != 1) return false;
  meant.front()->cancel();
  return true;
}

void CallTable::cancel_on_channel(const ReplyChannel& channel) {
  for (const auto& call : matching([&channel](const Call& candidate) {
         return candidate.modern() && candidate.channel() == &channel;
       })) {
    call->cancel();
  }
}

void CallTable::cancel_in_session(const Session& session) {
  for (const auto& call : matching(
           [&session](const Call& candidate) { return candidate.session().get() == &session; })) {
    call->cancel();
  }
}

void CallTable::stop_all() {
  for (const auto& call : matching([](const Call&) { return true; })) call->request_stop();
}

std::size_t CallTable::size() const {
  const std::lock_guard lock(mutex_);
  return calls_.size();
}

}  // namespace server
