#include "core/platform/folder_lock.h"

#include "core/platform/windows/system.h"

namespace core {

// The right to add files to the folder, which only one handle at a time gets, as it does not share
// it. Nobody else asks for it: who makes a file in a folder does not open the folder.
FolderLock::Outcome FolderLock::try_lock(const Folder& folder) {
  folder_ = owned(::CreateFileW(system_path(folder.path()).c_str(), FILE_ADD_FILE | SYNCHRONIZE,
                                FILE_SHARE_READ, nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS,
                                nullptr));
  if (folder_) return Outcome::locked;
  return ::GetLastError() == ERROR_SHARING_VIOLATION ? Outcome::taken : Outcome::cannot;
}

}  // namespace core
