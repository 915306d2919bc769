// One run at a time for one thing: a lock file that dies with its holder.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "core/env.h"
#include "core/error.h"

namespace core {

// Held until destruction; the system releases it when the process ends in any way. The lock file
// itself stays: removing it would let two runs hold two files of one name.
class RunLock {
 public:
  // Waits up to `timeout` for the lock on `key` (any text; `what` says it for people, as in
  // "snapshots of /x/global.db to /y"). busy past it, naming the holder: its process id, since
  // when, and what it is at; cancelled on a stop request, within 100 ms. Excludes other threads of
  // this process as well. Lock files lie under <state>/locks, which is created (0700). Where that
  // file system has no locks, Linux's kernel keeps the lock without a file, for this machine.
  static Expected<RunLock> acquire(const std::string& key, const std::string& what,
                                   std::chrono::milliseconds timeout, const Env& env,
                                   std::stop_token stop);
  ~RunLock();
  RunLock(RunLock&& other) noexcept;
  RunLock& operator=(RunLock&&) = delete;

 private:
  explicit RunLock(int fd) : fd_(fd) {}
  bool try_hold(const std::string& key);  // errno says why not

  int fd_ = -1;
  int name_fd_ = -1;  // where the file system has no locks
};

}  // namespace core
