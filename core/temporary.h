// A temporary file that does not outlive a failure.
#pragma once

#include <utility>

#include "core/env.h"

namespace core {

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
