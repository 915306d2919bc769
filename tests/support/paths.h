// Paths of tests as this system has them and as texts hold them.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/paths.h"

namespace test {

// "/a/b" as an absolute path: on Windows one begins with a drive.
inline std::filesystem::path absolute(std::string_view path) {
#ifdef _WIN32
  return core::path_of("C:" + std::string(path)).make_preferred();
#else
  return core::path_of(path);
#endif
}

// What of a name the system lets a file have.
inline std::string allowed_name(std::string name) {
#ifdef _WIN32
  std::erase_if(
      name, [](char c) { return std::string_view("<>:\"|?*").find(c) != std::string_view::npos; });
#endif
  return name;
}

// A path's text as it stands between the quotes of a JSON text.
inline std::string in_json(const std::string& path) {
  std::string text;
  for (const char c : path) text += c == '\\' ? std::string("\\\\") : std::string(1, c);
  return text;
}
inline std::string in_json(const std::filesystem::path& path) {
  return in_json(core::text_of(path));
}

// A text with paths of another system, with the slashes that they have there: as paths of Windows
// they get backslashes.
inline std::string slashed(std::string text) {
#ifdef _WIN32
  std::replace(text.begin(), text.end(), '\\', '/');
#endif
  return text;
}

}  // namespace test
