// Sessions of the handshake eras over HTTP.
#include "server/http/http_sessions.h"

#include <algorithm>
#include <charconv>

#include "core/base/hex.h"
#include "core/platform/secrets.h"

namespace server {
namespace {

std::optional<std::uint64_t> number_from(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && error == std::errc() && end == text.data() + text.size()
             ? std::optional(value)
             : std::nullopt;
}

}  // namespace

std::string to_text(const EventId& id) {
  return std::to_string(id.stream) + "." + std::to_string(id.event);
}

std::optional<EventId> event_id_from(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto stream = number_from(text.substr(0, dot));
  const auto event = number_from(text.substr(dot + 1));
  return stream && event ? std::optional(EventId{*stream, *event}) : std::nullopt;
}

std::uint64_t HttpSession::keep(std::shared_ptr<EventStream> stream) {
  const std::lock_guard lock(mutex_);
  if (streams_.size() >= kMaxStreams) {
    auto oldest = std::find_if(streams_.begin(), streams_.end(),
                               [](const auto& kept) { return kept.second->finished(); });
    streams_.erase(oldest == streams_.end() ? streams_.begin() : oldest);
  }
  streams_.emplace(++last_stream_, std::move(stream));
  return last_stream_;
}

std::shared_ptr<EventStream> HttpSession::stream(std::uint64_t number) const {
  if (number == kListenStream) return listen_;
  const std::lock_guard lock(mutex_);
  const auto at = streams_.find(number);
  return at == streams_.end() ? nullptr : at->second;
}

std::shared_ptr<void> HttpSession::begin_call() {
  return calls_;
}

bool HttpSession::attended() const {
  const std::lock_guard lock(mutex_);
  return calls_.use_count() > 1 || listen_->attached() ||
         std::any_of(streams_.begin(), streams_.end(),
                     [](const auto& kept) { return kept.second->attached(); });
}

void HttpSession::finish() {
  const std::lock_guard lock(mutex_);
  listen_->finish();
  for (const auto& [number, stream] : streams_) stream->finish();
}

std::string SessionStore::make_id() {
  constexpr std::size_t kRandomBytes = 16;
  return core::hex_of(core::random_bytes(kRandomBytes));
}

SessionStore::Added SessionStore::add(std::shared_ptr<HttpSession> session) {
  const std::lock_guard lock(mutex_);
  Added result;
  if (sessions_.size() >= max_sessions_) {
    auto oldest = sessions_.end();
    for (auto at = sessions_.begin(); at != sessions_.end(); ++at) {
      if (!at->second.session->attended() &&
          (oldest == sessions_.end() || at->second.used < oldest->second.used)) {
        oldest = at;
      }
    }
    if (oldest == sessions_.end()) return result;
    result.evicted = oldest->second.session;
    sessions_.erase(oldest);
  }
  const std::string id = session->id();
  sessions_[id] = Entry{std::move(session), ++uses_};
  result.added = true;
  return result;
}

std::shared_ptr<HttpSession> SessionStore::find(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto at = sessions_.find(id);
  if (at == sessions_.end()) return nullptr;
  at->second.used = ++uses_;
  return at->second.session;
}

std::shared_ptr<HttpSession> SessionStore::remove(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto at = sessions_.find(id);
  if (at == sessions_.end()) return nullptr;
  auto session = at->second.session;
  sessions_.erase(at);
  return session;
}

std::vector<std::shared_ptr<HttpSession>> SessionStore::remove_all() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<HttpSession>> all;
  for (const auto& [id, entry] : sessions_) all.push_back(entry.session);
  sessions_.clear();
  return all;
}

std::size_t SessionStore::size() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace server
