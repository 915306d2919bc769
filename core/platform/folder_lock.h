// One writer at a time in a folder that several users, containers or machines of one name share.
#pragma once

#include <chrono>
#include <stop_token>

#include "core/base/env.h"
#include "core/platform/descriptor.h"
#include "core/platform/folder.h"

namespace core {

// A lock (flock; on Windows a handle that is not shared) on the folder itself: nothing is left
// behind in it, and the system releases it when the process ends in any way. Unlike RunLock, it
// needs no state folder in common. Held until destruction, and for short: while names get other
// content.
class FolderLock {
 public:
  // Waits up to `timeout`; busy past it, cancelled on a stop request, within 100 ms. Where the file
  // system has no such locks, or does not let us read the folder, nothing is locked: then what is
  // published has to be looked at afterwards (core/snapshot/publish.h). `folder` must be resolved.
  static Expected<FolderLock> acquire(const fs::path& folder, std::chrono::milliseconds timeout,
                                      const Env& env, std::stop_token stop);
  FolderLock(FolderLock&&) = default;
  FolderLock& operator=(FolderLock&&) = delete;

  bool held() const { return static_cast<bool>(folder_); }

 private:
  enum class Outcome { locked, taken, cannot };
  explicit FolderLock(Descriptor folder) : folder_(std::move(folder)) {}
  // Does not wait. Where the system cannot lock it, nothing is held.
  Outcome try_lock(const Folder& folder);

  Descriptor folder_;
};

}  // namespace core
