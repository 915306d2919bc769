#include "core/platform/folder.h"

#include <algorithm>

#include "core/base/paths.h"
#include "core/platform/windows/system.h"

namespace core {
namespace fs = std::filesystem;

Error link_error(const fs::path& path) {
  return Error{ErrorCode::conflict,
               text_of(path) +
                   " leads through a symbolic link or a junction that was not there before, or "
                   "that may not be followed here.",
               "Name the folder that it leads to, or see who changes links there."};
}

// Links are followed, and then it is seen whether there were any: what is open is where its path
// says, and stays there. Asking for FILE_TRAVERSE and not sharing deletion is what keeps it: a
// handle for attributes alone would hold nothing.
Expected<Folder> Folder::open(const fs::path& path) {
  const bool has_way_up = std::find(path.begin(), path.end(), L"..") != path.end();
  if (!path.is_absolute() || has_way_up) {
    return fail(ErrorCode::invalid_argument, text_of(path) + " is no absolute path without \"..\".",
                "Give the whole path.");
  }
  HANDLE handle = INVALID_HANDLE_VALUE;
  const bool opened = with_patience([&] {
    handle = ::CreateFileW(system_path(path).c_str(), FILE_TRAVERSE | FILE_READ_ATTRIBUTES,
                           FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_EXISTING,
                           FILE_FLAG_BACKUP_SEMANTICS, nullptr);
    return handle != INVALID_HANDLE_VALUE;
  });
  if (!opened) return fail_last("open the folder", path);
  Folder folder(owned(handle), path);
  BY_HANDLE_FILE_INFORMATION info{};
  if (!::GetFileInformationByHandle(handle, &info)) return fail_last("open the folder", path);
  if ((info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
    return fail(error_from_system(ERROR_DIRECTORY, "cannot open the folder " + text_of(path)));
  }
  const fs::path final = final_path(handle);
  if (final.empty()) {
    return fail(ErrorCode::unsupported,
                "The file system of " + text_of(path) +
                    " does not tell where an open folder lies, so that no link can be ruled out.",
                "Choose a folder on a local disk, or on a share of a Windows server.");
  }
  if (!same_path(final, path.has_filename() ? path : path.parent_path()))
    return fail(link_error(path));
  return folder;
}

Expected<Folder> Folder::of(const fs::path& file) {
  return open(file.parent_path());
}

std::string Folder::way_to(const std::string& name) const {
  return narrow(system_path(path_ / path_of(name)));
}

}  // namespace core
