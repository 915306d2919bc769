#include "core/platform/posix/rename_over.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>

#include "core/base/cannot.h"

namespace core {
namespace {

bool has_entry(const NameAt& at, struct stat& status) {
  return ::fstatat(at.folder, at.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

// A free name for what is there; that name itself when there is none.
NameAt name_aside(const NameAt& at) {
  constexpr int kMaxNames = 100;
  struct stat status {};
  for (int number = 1; number <= kMaxNames; ++number) {
    NameAt aside{at.folder, at.name + ".replaced"};
    if (number > 1) aside.name += "-" + std::to_string(number);
    if (!has_entry(aside, status) && errno == ENOENT) return aside;
  }
  return at;
}

// Where no rename goes over a file. A crash in between leaves the old file under its name aside.
bool step_aside_and_rename(const NameAt& from, const NameAt& to) {
  struct stat status {};
  if (!has_entry(to, status) || !S_ISREG(status.st_mode)) return false;
  const NameAt aside = name_aside(to);
  if (aside.name == to.name || !rename_at(to, aside)) return false;
  if (!rename_at(from, to)) {
    (void)rename_at(aside, to);
    return false;
  }
  ::unlinkat(aside.folder, aside.name.c_str(), 0);
  return true;
}

}  // namespace

bool rename_at(const NameAt& from, const NameAt& to) {
  constexpr auto kCarrying = std::chrono::seconds(2);
  constexpr auto kPause = std::chrono::milliseconds(50);
  const auto end = std::chrono::steady_clock::now() + kCarrying;
  while (::renameat(from.folder, from.name.c_str(), to.folder, to.name.c_str()) != 0) {
    const int error_number = errno;
    if (error_number != EIO || std::chrono::steady_clock::now() >= end) {
      errno = error_number;
      return false;
    }
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

bool rename_over(const NameAt& from, const NameAt& to) {
  if (rename_at(from, to)) return true;
  const int error_number = errno;
  if (means_cannot(Operation::rename_over, error_number) && step_aside_and_rename(from, to)) {
    return true;
  }
  errno = error_number;
  return false;
}

}  // namespace core
