// The folders that a run keeps to.
#pragma once

#include <memory>
#include <vector>

#include "core/base/env.h"

namespace core {

// The world of a run, in which every path at or below some folders is reached without links
// (FileSystem::no_links): what was judged or resolved when the run began cannot be diverted later.
// All other paths are as in the world around it, and so are our own places (state, settings, data),
// wherever they lie.
class Bounds {
 public:
  // The folders absolute and resolved; an empty path is none. `env` must outlive this.
  Bounds(const Env& env, const std::vector<fs::path>& folders);
  ~Bounds();
  Bounds(const Bounds&) = delete;
  Bounds& operator=(const Bounds&) = delete;

  // Valid as long as this.
  const Env& env() const { return env_; }
  // One folder more. Thread-safe.
  void add(const fs::path& folder);

 private:
  class Files;
  std::unique_ptr<Files> files_;
  Env env_;
};

}  // namespace core
