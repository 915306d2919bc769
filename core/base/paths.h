// Paths as text, and what they say of each other, without a look at the disk.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

namespace core {

// A path as text, and text as a path: UTF-8 with backslashes on Windows, the bytes as they are
// elsewhere, which need be no UTF-8. path::string() and a path made of a std::string go by the code
// page there.
inline std::string text_of(const std::filesystem::path& path) {
#ifdef _WIN32
  // Of a place off this machine, "backup:claude/x.db", the slashes stay: no drive has such a name.
  const std::size_t colon = path.native().find(L':');
  const bool is_remote =
      colon != std::wstring::npos && colon > 1 && path.native().find_first_of(L"/\\") > colon;
  const std::u8string text =
      is_remote ? path.generic_u8string() : std::filesystem::path(path).make_preferred().u8string();
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

// Whether two names of files are one to the system: Windows does not tell capitals apart.
#ifdef _WIN32
bool names_one_file(const std::filesystem::path& a, const std::filesystem::path& b);
#else
inline bool names_one_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  return a.native() == b.native();
}
#endif

// True for the folder itself and everything below it. Both paths absolute, without . and .. in
// them, and with links resolved where that matters to the caller.
inline bool is_inside(const std::filesystem::path& path, const std::filesystem::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end(), names_one_file)
             .first == folder.end();
}
// The same path, name by name.
inline bool same_path(const std::filesystem::path& a, const std::filesystem::path& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), names_one_file);
}

// The path of a side file, as "/x.db-wal".
inline std::filesystem::path with_suffix(std::filesystem::path path, const char* suffix) {
  path += suffix;
  return path;
}

}  // namespace core
