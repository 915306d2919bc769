// Paths as text, and what they say of each other, without a look at the disk.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

namespace core {

// A path as text, and text as a path: UTF-8 on Windows, the bytes as they are elsewhere, which need
// be no UTF-8. path::string() and a path made of a std::string go by the code page there.
inline std::string text_of(const std::filesystem::path& path) {
#ifdef _WIN32
  const std::u8string text = path.u8string();
  return std::string(text.begin(), text.end());
#else
  return path.native();
#endif
}
inline std::filesystem::path path_of(std::string_view text) {
#ifdef _WIN32
  return std::filesystem::path(std::u8string(text.begin(), text.end()));
#else
  return std::filesystem::path(text);
#endif
}

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
