#include "core/platform/standard_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>

namespace core {
namespace {

// Takes the lowest free number. Opened for what it is not used for: as a closed one does, it fails
// whoever reads or writes it.
void hold(int number) {
  if (open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY) >= 0) return;
  // A system without /dev. Else the next file that is opened, a snapshot maybe, would be printed
  // to.
  std::array<int, 2> ends{};
  if (pipe(ends.data()) == 0) close(ends[1]);
}

}  // namespace

void hold_standard_files() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(number, F_GETFD) < 0 && errno == EBADF) hold(number);  // all below it are taken
  }
}

bool typed_in_terminal() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

Starter::Starter() : id_(getppid()) {}

bool Starter::gone() const {
  return id_ > 1 && getppid() != id_;
}

}  // namespace core
