// What paths say of each other, without a look at the disk.
#pragma once

#include <algorithm>
#include <filesystem>

namespace core {

// True for the folder itself and everything below it. Both paths absolute, without . and .. in
// them, and with links resolved where that matters to the caller.
inline bool is_inside(const std::filesystem::path& path, const std::filesystem::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

// The path of a side file, as "/x.db-wal".
inline std::filesystem::path with_suffix(std::filesystem::path path, const char* suffix) {
  path += suffix;
  return path;
}

}  // namespace core
