// What Linux and macOS have alike of finding who has a file open.
#include "core/platform/posix/openers.h"

#include <pwd.h>

#include <array>

#include "core/base/side_files.h"

namespace core {

std::vector<FileId> files_of(const fs::path& database, const FileSystem& files) {
  std::vector<FileId> ids;
  const auto note = [&](const fs::path& path) {
    if (const auto id = files.cached_id(path)) ids.push_back(*id);
  };
  note(database);
  for (const fs::path& side : side_paths_of(database)) note(side);
  return ids;
}

std::string name_of_user(uid_t user) {
  struct passwd entry {};
  struct passwd* found = nullptr;
  std::array<char, 4096> buffer;
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return std::to_string(user);
}

}  // namespace core
