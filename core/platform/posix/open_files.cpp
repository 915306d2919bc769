// What Linux and macOS have alike of finding who has a file open.
#include "core/platform/posix/open_files.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

#include "core/base/side_files.h"
#include "core/platform/open_files.h"

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

std::vector<Opener> other_openers_of(const fs::path& database, const FileSystem& files) {
  std::vector<Opener> openers = openers_of(database, files);
  std::erase_if(openers, [](const Opener& opener) { return opener.process_id == ::getpid(); });
  return openers;
}

}  // namespace core
