#include "core/platform/folder_lock.h"

#include "core/base/paths.h"
#include "core/platform/folder.h"
#include "core/platform/windows/system.h"

namespace core {
namespace {

constexpr std::chrono::milliseconds kFolderLockPause{25};

}  // namespace

// The right to add files to the folder, which only one handle at a time gets, as it does not share
// it. Nobody else asks for it: who makes a file in a folder does not open the folder.
Expected<FolderLock> FolderLock::acquire(const fs::path& folder, std::chrono::milliseconds timeout,
                                         const Env& env, std::stop_token stop) {
  BPD_TRY_AS(opened, Folder::open(folder));
  const auto deadline = env.clock.steady_now() + timeout;
  while (true) {
    Descriptor locked = owned(::CreateFileW(system_path(folder).c_str(),
                                            FILE_ADD_FILE | SYNCHRONIZE, FILE_SHARE_READ, nullptr,
                                            OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
    if (locked) return FolderLock(std::move(locked));
    if (::GetLastError() != ERROR_SHARING_VIOLATION) return FolderLock(Descriptor());
    if (env.clock.steady_now() >= deadline) {
      return fail(ErrorCode::busy,
                  "Another run, of another user or machine, is at work in " + text_of(folder) + ".",
                  "Let that run end, and try again.");
    }
    if (!env.clock.sleep_for(kFolderLockPause, stop)) {
      return fail(ErrorCode::cancelled, "stopped while waiting for " + text_of(folder) + ".");
    }
  }
}

}  // namespace core
