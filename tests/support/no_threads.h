// A process that gets no further thread, for what must go on all the same.
#pragma once

#ifndef _WIN32
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace test {

// Whether `holds`, in a child process whose user may have no more threads. Root has no such bound,
// so the child becomes nobody.
template <class Check>
bool holds_without_threads(Check holds) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none{0, 0};
    constexpr uid_t kNobody = 65534;
    const bool bound =
        ::setrlimit(RLIMIT_NPROC, &none) == 0 && (::getuid() != 0 || ::setuid(kNobody) == 0);
    ::_exit(bound && holds() ? 0 : 1);
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace test
#endif
