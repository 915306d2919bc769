#include "server/platform/console.h"

#include <sys/ioctl.h>
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

std::size_t output_columns() {
  constexpr std::size_t kUsual = 80;
  if (::isatty(STDOUT_FILENO) != 1) return 0;
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsual;
}

std::optional<std::string> read_line(const Event* stop) {
  std::array<pollfd, 2> both{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{handle_of(stop), POLLIN, 0}};
  poll_all(both, kForEver);
  std::string line;
  if (both[1].revents != 0 || !std::getline(std::cin, line)) return std::nullopt;
  return line;
}

}  // namespace server
