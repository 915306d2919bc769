// One run at a time for one thing: a lock file that dies with its holder.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "core/base/env.h"
#include "core/base/error.h"
#include "core/platform/descriptor.h"

namespace core {

// Held until destruction; the system releases it when the process ends in any way. The lock file
// itself stays: removing it would let two runs hold two files of one name.
class RunLock {
 public:
  // Waits up to `timeout` for the lock on `key` (any text; `what` says it for people, as in
  // "snapshots of /x/global.db to /y"). busy past it, naming the holder: its process id, since
  // when, and what it is at; cancelled on a stop request, within 100 ms. Excludes other threads of
  // this process as well. Lock files lie under <state>/locks, which is created (0700); where that
  // cannot be written, in the user's runtime folder or one of our own in /tmp. Where their file
  // system knows no flock (NFS without its lock service, some FUSE), the lock is an abstract socket
  // of this machine and user (Linux).
  static Expected<RunLock> acquire(const std::string& key, const std::string& what,
                                   std::chrono::milliseconds timeout, const Env& env,
                                   std::stop_token stop);
  RunLock(RunLock&&) = default;
  RunLock& operator=(RunLock&&) = delete;

 private:
  explicit RunLock(Descriptor file) : file_(std::move(file)) {}
  // The lock file, made where it is not there; `path` becomes where it lies.
  static Expected<Descriptor> open_file(fs::path& path, const Env& env);
  static std::string own_process_id();
  // False when somebody else has it.
  Expected<bool> try_lock(const std::string& name, const fs::path& path);

  Descriptor file_;
  Descriptor socket_;  // holds the lock in place of the file, which then only says whose it is
};

}  // namespace core
