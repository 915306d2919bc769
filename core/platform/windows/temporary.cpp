#include "core/platform/temporary.h"

#include <chrono>

#include "core/base/paths.h"
#include "core/platform/folder.h"
#include "core/platform/windows/system.h"

namespace core {
namespace {

constexpr int kMaxCreateAttempts = 8;
// Far beyond the time that a copy may take, and the difference of two machines' clocks.
constexpr std::chrono::hours kDeadAge{48};

bool still_has_name(HANDLE file) {
  FILE_STANDARD_INFO info{};
  return ::GetFileInformationByHandleEx(file, FileStandardInfo, &info, sizeof info) &&
         !info.DeletePending && info.NumberOfLinks > 0;
}

bool is_old(HANDLE file, Instant now) {
  FILETIME written{};
  return ::GetFileTime(file, nullptr, nullptr, &written) && instant_of(written) + kDeadAge < now;
}

bool is_abandoned(HANDLE file, Instant now) {
  if (lock_open_file(file)) return true;
  const DWORD error = ::GetLastError();
  const bool has_no_locks = error == ERROR_INVALID_FUNCTION || error == ERROR_NOT_SUPPORTED;
  return has_no_locks && is_old(file, now);
}

}  // namespace

// A sweeper that finds the file before it is locked takes it for a dead one and removes it; so the
// lock counts only on a file that still has its name. Without access to delete it: SQLite, which
// opens the file meanwhile, shares no deletion.
Expected<Descriptor> create_locked(const fs::path& path, const Folder*) {
  PrivateSecurity security;
  for (int attempt = 0; attempt < kMaxCreateAttempts; ++attempt) {
    Descriptor file = owned(::CreateFileW(
        system_path(path).c_str(), GENERIC_READ | GENERIC_WRITE, kShareAll, security.get(),
        CREATE_NEW, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
    if (!file) return fail_last("create", path);
    // Where there are no locks, the file's age guards it, and the run's own lock.
    (void)lock_open_file(handle_of(file));
    if (still_has_name(handle_of(file))) return file;
  }
  return fail(ErrorCode::conflict, text_of(path) + " is removed as soon as it is created.",
              "See which other process works in that folder.");
}

Expected<bool> remove_if_abandoned(const fs::path& path, Instant now) {
  BPD_TRY_AS(folder, Folder::of(path));
  const Descriptor file = owned(
      ::CreateFileW(system_path(path).c_str(), GENERIC_READ | GENERIC_WRITE | DELETE, kShareAll,
                    nullptr, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
  if (!file) {
    if (::GetLastError() == ERROR_SHARING_VIOLATION) return false;
    return fail_last("open", path);
  }
  if (!is_abandoned(handle_of(file), now)) return false;
  if (!remove_open_file(handle_of(file))) return fail_last("remove", path);
  return true;
}

}  // namespace core
