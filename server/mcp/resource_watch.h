// Looks for changes of resources that other processes made, while somebody here is subscribed.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/base/executor.h"
#include "server/mcp/server_definition.h"

namespace server {

// Thread-safe. The executor and the alarms must have stopped before it is destroyed.
class ResourceWatch {
 public:
  // `wanted`: whether anybody is subscribed; must not call back into this object.
  ResourceWatch(const ServerDefinition& definition, Executor& executor, Alarms& alarms,
                std::chrono::milliseconds interval, std::function<bool()> wanted)
      : definition_(definition),
        executor_(executor),
        alarms_(alarms),
        interval_(interval),
        wanted_(std::move(wanted)) {}

  // Somebody has subscribed: looks every interval from now on, until nobody is.
  void start();
  // What was announced already, so that it is not announced again when it is found.
  void heard(const Change& change);

 private:
  static constexpr std::size_t kMaxHeard = 1024;

  void begin();
  void look();
  void look_later();
  void announce(const std::vector<std::string>& uris);

  const ServerDefinition& definition_;
  Executor& executor_;
  Alarms& alarms_;
  const std::chrono::milliseconds interval_;
  const std::function<bool()> wanted_;
  std::function<std::vector<std::string>()> changes_;  // used by one job at a time
  std::mutex mutex_;
  bool running_ = false;
  std::set<std::string> heard_;  // since the last look
};

}  // namespace server
