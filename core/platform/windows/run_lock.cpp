#include "core/platform/run_lock.h"

#include "core/platform/folder.h"
#include "core/platform/windows/system.h"

namespace core {

Expected<Descriptor> RunLock::open_file(fs::path& path, const Env& env) {
  BPD_TRY(env.files.make_folders(path.parent_path(), kPrivateFolder));
  PrivateSecurity security;
  HANDLE handle = INVALID_HANDLE_VALUE;
  const bool opened = with_patience([&] {
    handle = ::CreateFileW(system_path(path).c_str(), GENERIC_READ | GENERIC_WRITE, kShareAll,
                           security.get(), OPEN_ALWAYS,
                           FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
    return handle != INVALID_HANDLE_VALUE;
  });
  if (!opened) return fail_last("open the lock file", path);
  Descriptor file = owned(handle);
  if (is_link(handle)) return fail(link_error(path));
  return file;
}

std::string RunLock::own_process_id() {
  return std::to_string(::GetCurrentProcessId());
}

Expected<bool> RunLock::try_lock(const std::string&, const fs::path& path) {
  if (lock_open_file(handle_of(file_))) return true;
  const DWORD error = ::GetLastError();
  if (error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING) return false;
  return fail_last("lock", path);
}

}  // namespace core
