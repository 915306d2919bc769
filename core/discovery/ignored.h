// Databases and folders that nobody wants backed up, as the user said: no folder's schedule takes
// them, and no status asks for them.
#pragma once

#include <vector>

#include "core/base/env.h"

namespace core {

// <config>/ignored.json, by path, links resolved; empty where there is none. damaged for what does
// not fit the shape, unsupported for a newer format_version.
Expected<std::vector<fs::path>> read_ignored(const Places& places, const FileSystem& files);
inline constexpr std::size_t kMaxIgnored = 1'000;

// Whether one of them is the path, or a folder that it lies in. Pure.
bool is_ignored(const fs::path& path, const std::vector<fs::path>& ignored);

struct IgnoreResult {
  fs::path path;                  // links resolved
  bool changed = false;           // false: it was so before
  std::vector<fs::path> ignored;  // all, now
};
// From now on `path` is ignored, or no longer: a database, or a folder with all that is and will be
// in it. Refused (invalid_argument) where it is no longer to be ignored, and a folder above it is.
// not_found where there is no such file, unless it is ignored, or the history has runs of it, or of
// what was below it. Processes exclude each other.
Expected<IgnoreResult> set_ignored(const fs::path& path, bool ignored, const Env& env,
                                   std::stop_token stop);

}  // namespace core
