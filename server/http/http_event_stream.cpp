// Server-Sent Events and the queue behind them.
#include "server/http/http_event_stream.h"

#include <algorithm>
#include <utility>

namespace server {

std::string sse_event(std::string_view data, std::string_view id,
                      std::optional<std::chrono::milliseconds> retry) {
  std::string out;
  out.reserve(data.size() + id.size() + 48);
  if (!data.empty()) out.append("event: message\n");
  if (!id.empty()) out.append("id: ").append(id).append("\n");
  if (retry) out.append("retry: ").append(std::to_string(retry->count())).append("\n");
  out.append("data: ").append(data).append("\n\n");
  return out;
}

std::string sse_comment() {
  return ": keep-alive\n\n";
}

void EventStream::push(std::string json) {
  const std::lock_guard lock(mutex_);
  append(std::move(json));
}

void EventStream::push_or_drop(std::string json) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t waiting = last_number_ - read_up_to_;
  const bool crowded = waiting > kMaxHeldEvents / 2 ||
                       (waiting > 1 && !replayable_ && held_bytes_ > kMaxHeldBytes / 2);
  if (!crowded) append(std::move(json));
}

void EventStream::append(std::string json) {
  if (finished_ || overrun_) return;
  held_bytes_ += json.size();
  events_.push_back({++last_number_, std::move(json)});
  while ((held_bytes_ > kMaxHeldBytes || events_.size() > kMaxHeldEvents) && events_.size() > 1) {
    if (!replayable_) {
      overrun_ = true;
      break;
    }
    held_bytes_ -= events_.front().json.size();
    events_.pop_front();
  }
  changed_.notify_all();
}

void EventStream::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

void EventStream::release() {
  const std::lock_guard lock(mutex_);
  released_ = true;
  changed_.notify_all();
}

EventStream::Place EventStream::attach(std::optional<std::uint64_t> after) {
  const std::lock_guard lock(mutex_);
  // A client may name an event of another session, which came to more than ours.
  read_up_to_ = std::min(after.value_or(read_up_to_), last_number_);
  released_ = false;
  attached_ = true;
  changed_.notify_all();
  return {++ticket_, read_up_to_};
}

bool EventStream::wait(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] {
    return overrun_ || released_ || finished_ ||
           (!events_.empty() && events_.back().number > read_up_to_);
  });
}

EventStream::Reading EventStream::next(std::uint64_t ticket, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const auto waiting = [&] { return events_.empty() || events_.back().number <= read_up_to_; };
  changed_.wait_for(lock, timeout, [&] {
    return ticket != ticket_ || overrun_ || released_ || finished_ || !waiting();
  });
  if (ticket != ticket_) {
    return {State::displaced, {}};
  }
  if (overrun_) {
    return {State::overrun, {}};
  }
  if (waiting()) {
    return {finished_ ? State::finished : released_ ? State::released : State::idle, {}};
  }
  const auto at = std::find_if(events_.begin(), events_.end(), [&](const StreamEvent& event) {
    return event.number > read_up_to_;
  });
  Reading reading{State::event, *at};
  read_up_to_ = at->number;
  if (!replayable_) {
    held_bytes_ -= at->json.size();
    events_.erase(events_.begin(), at + 1);
  }
  return reading;
}

bool EventStream::attached() const {
  const std::lock_guard lock(mutex_);
  return attached_;
}

bool EventStream::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

bool EventStream::ends_at(std::uint64_t after) const {
  const std::lock_guard lock(mutex_);
  return finished_ && last_number_ <= after;
}

void EventStream::detach(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  if (ticket == ticket_) attached_ = false;
}

}  // namespace server
