// Temporary files beside what they are to become: their names, and how those of dead processes are
// told from those at work.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/env.h"
#include "core/platform/descriptor.h"
#include "core/platform/folder.h"

namespace core {

// `.~<file name>.<random>.tmp` in the folder of the file.
fs::path temporary_path_of(const fs::path& file);
// The name of the file that a temporary one is to become; nothing for any other name.
std::optional<std::string> name_of_temporary(std::string_view file_name);

// Creates a file (which must not exist), for its user alone, and locks it (flock) until the
// descriptor is closed: a file without that lock was left by a process that has ended. `within`,
// where given, is its folder, and no link on the path is followed.
Expected<Descriptor> create_locked(const fs::path& path, const Folder* within = nullptr);
// Removes a file that create_locked made in a process which has ended; false when it is still at
// work. Where the file system has no flock, one that was not written to for two days counts as
// abandoned. The file must not be open in this process. Follows no link: the path must be resolved.
Expected<bool> remove_if_abandoned(const fs::path& path, Instant now);

// Removes the temporary file on every way out but success, which calls release(). `files` must
// outlive it. One thread at a time.
class Temporary {
 public:
  Temporary(fs::path path, FileSystem& files) : path_(std::move(path)), files_(files) {}
  ~Temporary() {
    if (!path_.empty()) (void)files_.remove(path_);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  const fs::path& path() const { return path_; }
  void release() { path_.clear(); }

 private:
  fs::path path_;
  FileSystem& files_;
};

}  // namespace core
