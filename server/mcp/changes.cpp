// Announcements of changes.
#include "server/mcp/changes.h"

#include <utility>

namespace server {

void Changes::announce(const Change& change) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, listener] : listeners_) listener(change);
}

bool Changes::is_heard() {
  const std::lock_guard lock(mutex_);
  return !listeners_.empty();
}

int Changes::listen(std::function<void(const Change&)> listener) {
  const std::lock_guard lock(mutex_);
  listeners_.emplace(next_, std::move(listener));
  return next_++;
}

void Changes::forget(int listener) {
  const std::lock_guard lock(mutex_);
  listeners_.erase(listener);
}

}  // namespace server
