// What of files is mapped into the memory of this process (Linux; elsewhere 0).
#pragma once

#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace test {

// Third number of https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html
inline std::size_t resident_file_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0, resident = 0, shared = 0;
  statm >> size >> resident >> shared;
  return shared * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace test
