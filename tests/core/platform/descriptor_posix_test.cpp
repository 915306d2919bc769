// Descriptors that close themselves.
#include <fcntl.h>

#include <cerrno>

#include "core/platform/descriptor.h"
#include "support/catch.h"

using core::Descriptor;

namespace {

Descriptor open_null() {
  return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

}  // namespace

TEST_CASE("A descriptor closes what it holds, once, and not what it gave away") {
  int first = -1, moved = -1, released = -1;
  {
    Descriptor one = open_null();
    REQUIRE(one);
    first = one.get();
    Descriptor other = open_null();
    moved = other.get();
    Descriptor to = std::move(other);
    CHECK_FALSE(other);  // NOLINT(bugprone-use-after-move): a moved one holds nothing
    CHECK(to.get() == moved);
    Descriptor given = open_null();
    released = given.release();
    CHECK_FALSE(given);
  }
  CHECK_FALSE(is_open(first));
  CHECK_FALSE(is_open(moved));
  CHECK(is_open(released));
  Descriptor(released).close();
  CHECK_FALSE(is_open(released));
}

TEST_CASE("A descriptor that gets another one closes its own") {
  Descriptor one = open_null();
  const int first = one.get();
  Descriptor second = open_null();
  const int other = second.get();
  one = std::move(second);
  second.close();
  CHECK_FALSE(is_open(first));
  CHECK(one.get() == other);
}

TEST_CASE("Closing leaves alone what failed before") {
  Descriptor bad(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int fd = bad.get();
  Descriptor twice(fd);
  bad.close();
  errno = ENOENT;
  twice.close();  // EBADF by now
  CHECK(errno == ENOENT);
}
