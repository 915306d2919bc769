// A program that is started with closed descriptors, and one whose starter ends.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "core/platform/standard_files.h"
#include "support/catch.h"

namespace {

int status_of(pid_t child) {
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace

TEST_CASE("Closed standard descriptors are taken, so that no file gets their numbers") {
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int number : {0, 1, 2}) ::close(number);
    core::hold_standard_files();
    char byte = 'x';
    const bool held = ::open("/dev/null", O_RDONLY | O_CLOEXEC) > 2;
    const bool fail =
        ::read(0, &byte, 1) < 0 && ::write(1, &byte, 1) < 0 && ::write(2, &byte, 1) < 0;
    ::_exit(held && fail ? 0 : 1);
  }
  CHECK(status_of(child) == 0);
}

TEST_CASE("Standard descriptors that are open stay what they are") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], 1);
    ::close(0);
    core::hold_standard_files();
    ::_exit(::write(1, "x", 1) == 1 ? 0 : 1);
  }
  CHECK(status_of(child) == 0);
  char byte = 0;
  CHECK(::read(ends[0], &byte, 1) == 1);
  for (const int end : ends) ::close(end);
}

TEST_CASE("Whoever started this process is seen to end") {
  CHECK_FALSE(core::Starter().gone());
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t starter = ::fork();
  if (starter == 0) {
    if (::fork() == 0) {
      const core::Starter watched;
      const bool at_first = watched.gone();
      (void)::write(ends[1], "r", 1);
      for (int i = 0; i < 1000 && !watched.gone(); ++i) ::usleep(10'000);
      (void)::write(ends[1], !at_first && watched.gone() ? "y" : "n", 1);
      ::_exit(0);
    }
    char ready = 0;
    (void)::read(ends[0], &ready, 1);
    ::_exit(0);
  }
  CHECK(status_of(starter) == 0);
  char verdict = 0;
  CHECK(::read(ends[0], &verdict, 1) == 1);
  CHECK(verdict == 'y');
  for (const int end : ends) ::close(end);
}
