// One client of the handshake eras.
#include "server/mcp/session.h"

namespace server {

std::string Session::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

ClientAbilities Session::abilities() const {
  const std::lock_guard lock(mutex_);
  return abilities_;
}

void Session::negotiated(std::string version, ClientAbilities abilities) {
  const std::lock_guard lock(mutex_);
  version_ = std::move(version);
  abilities_ = abilities;
}

bool Session::subscribe(const std::string& uri) {
  const std::lock_guard lock(mutex_);
  if (subscriptions_.size() >= kMaxSubscriptions && !subscriptions_.contains(uri)) return false;
  subscriptions_.insert(uri);
  return true;
}

void Session::unsubscribe(const std::string& uri) {
  const std::lock_guard lock(mutex_);
  subscriptions_.erase(uri);
}

bool Session::subscribed(const std::string& uri) const {
  const std::lock_guard lock(mutex_);
  return subscriptions_.contains(uri);
}

bool Session::subscribed_to_any() const {
  const std::lock_guard lock(mutex_);
  return !subscriptions_.empty();
}

std::int64_t Session::expect(Answer answer) {
  const std::lock_guard lock(mutex_);
  const std::int64_t id = next_id_++;
  questions_.emplace(id, std::move(answer));
  return id;
}

void Session::answered(const Response& response) {
  if (!response.id || !std::holds_alternative<std::int64_t>(*response.id)) return;
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    const auto found = questions_.find(std::get<std::int64_t>(*response.id));
    if (found == questions_.end()) return;
    answer = std::move(found->second);
    questions_.erase(found);
  }
  answer(response.outcome);
}

void Session::drop(std::int64_t id, const RpcError& error) {
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    const auto found = questions_.find(id);
    if (found == questions_.end()) return;
    answer = std::move(found->second);
    questions_.erase(found);
  }
  answer(error);
}

void Session::drop_all(const RpcError& error) {
  std::map<std::int64_t, Answer> questions;
  {
    const std::lock_guard lock(mutex_);
    questions.swap(questions_);
  }
  for (auto& [id, answer] : questions) answer(error);
}

}  // namespace server
