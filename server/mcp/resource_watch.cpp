// Looks for changes of resources that other processes made.
#include "server/mcp/resource_watch.h"

#include <exception>
#include <utility>

#include "server/base/log.h"

namespace server {

void ResourceWatch::start() {
  if (!definition_.resources) return;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(running_, true)) return;
  }
  if (!executor_.submit([this] { begin(); })) {
    const std::lock_guard lock(mutex_);
    running_ = false;
  }
}

void ResourceWatch::heard(const Change& change) {
  if (change.kind != Change::Kind::resource) return;
  const std::lock_guard lock(mutex_);
  if (running_ && heard_.size() < kMaxHeard) heard_.insert(change.uri);
}

void ResourceWatch::begin() {
  changes_ = definition_.resources->watch();
  if (changes_) look_later();  // else it stays "running": there is nothing to begin again
}

void ResourceWatch::look_later() {
  alarms_.after(interval_, [this] {
    if (!executor_.submit([this] { look(); })) look_later();
  });
}

void ResourceWatch::look() {
  {
    const std::lock_guard lock(mutex_);
    if (!wanted_()) {
      heard_.clear();
      running_ = false;
      return;
    }
  }
  try {
    announce(changes_());
  } catch (const std::exception& error) {
    log_warning(std::string("Looking for changed resources failed: ") + error.what());
  }
  look_later();
}

void ResourceWatch::announce(const std::vector<std::string>& uris) {
  std::set<std::string> known;
  {
    const std::lock_guard lock(mutex_);
    known.swap(heard_);
  }
  bool any = false;
  for (const std::string& uri : uris) {
    if (known.contains(uri)) continue;
    any = true;
    definition_.changes->announce({Change::Kind::resource, uri});
    const std::lock_guard lock(mutex_);
    heard_.erase(uri);  // it was this look's own
  }
  if (any) definition_.changes->announce({Change::Kind::resources_list, {}});
}

}  // namespace server
