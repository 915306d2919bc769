// What memory this process has (Linux; elsewhere 0).
#pragma once

#ifndef _WIN32
#include <unistd.h>
#endif

#include <cstddef>
#include <fstream>
#include <string>

namespace test {

// Of mapped files. Third number of https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html
inline std::size_t resident_file_bytes() {
#ifdef _WIN32
  return 0;
#else
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0, resident = 0, shared = 0;
  statm >> size >> resident >> shared;
  return shared * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
#endif
}

// The most that was resident at any time since forget_peak, in bytes.
// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
inline std::size_t peak_resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}
inline void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

#ifdef BPD_SANITIZED
inline constexpr bool kMemoryIsOurs = false;  // most of it is the sanitizer's
#else
inline constexpr bool kMemoryIsOurs = true;
#endif

}  // namespace test
