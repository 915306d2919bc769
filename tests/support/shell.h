// The shell of the system that the tests run on.
#pragma once

#include <string>
#include <vector>

namespace test {

// The words that give it a command: to a POSIX shell, or to cmd.
inline std::vector<std::string> in_shell(const std::string& command) {
#ifdef _WIN32
  return {"cmd.exe", "/c", command};
#else
  return {"/bin/sh", "-c", command};
#endif
}

}  // namespace test
