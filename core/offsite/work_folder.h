// A folder of our own for what comes from off this machine, empty at first and gone at the end.
#pragma once

#include <stop_token>

#include "core/base/env.h"
#include "core/platform/run_lock.h"

namespace core {

// <state>/fetched/<number>, for its user alone. As many at once as kMaxWorkFolders. What a process
// that was killed left in one is removed by the next that needs one.
class WorkFolder {
 public:
  static Expected<WorkFolder> make(const Env& env, std::stop_token stop);
  ~WorkFolder();
  WorkFolder(WorkFolder&& other) noexcept;
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  WorkFolder(fs::path path, RunLock lock, FileSystem& files)
      : path_(std::move(path)), lock_(std::move(lock)), files_(&files) {}

  fs::path path_;  // empty: moved from
  RunLock lock_;
  FileSystem* files_;
};

inline constexpr int kMaxWorkFolders = 8;

}  // namespace core
