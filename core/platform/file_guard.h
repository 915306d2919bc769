// Keeps a file from being opened while its name is given to another one.
#pragma once

#include <filesystem>

#include "core/base/error.h"
#include "core/platform/descriptor.h"

namespace core {

// Windows renames nothing, and nothing over a file, that SQLite has open; so SQLite has to let go
// of a database before it is replaced, and its lock goes with that. This takes the place of the
// lock: whoever else opens the file meanwhile is refused, as by a lock. Elsewhere SQLite keeps its
// lock, and there is nothing to hold.
class FileGuard {
 public:
#ifdef _WIN32
  static constexpr bool kNeeded = true;
#else
  static constexpr bool kNeeded = false;
#endif

  // busy where somebody has it open. No link is followed: the path must be resolved.
  static Expected<FileGuard> take(const std::filesystem::path& file);
  void release() {
    file_.close();
  }

 private:
  explicit FileGuard(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace core
