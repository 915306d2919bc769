#include "server/platform/console.h"

#include <unistd.h>

#include <iostream>

#include "server/platform/posix/waiting.h"

namespace server {

void prepare_streams() {}

bool input_is_terminal() {
  return ::isatty(STDIN_FILENO) == 1;
}

bool error_is_terminal() {
  return ::isatty(STDERR_FILENO) == 1;
}

std::optional<std::string> read_line(const Event* stop) {
  std::array<pollfd, 2> both{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{handle_of(stop), POLLIN, 0}};
  poll_all(both, kForEver);
  std::string line;
  if (both[1].revents != 0 || !std::getline(std::cin, line)) return std::nullopt;
  return line;
}

}  // namespace server
