// The program's own log, by spdlog.
#include "server/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace server {
namespace {

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made =
        std::make_unique<spdlog::logger>("log", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    return made;
  }();
  return *instance;
}

}  // namespace

void log_warning(std::string_view text) {
  logger().warn("{}", text);
}
void log_error(std::string_view text) {
  logger().error("{}", text);
}

}  // namespace server
