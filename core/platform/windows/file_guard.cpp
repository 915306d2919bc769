#include "core/platform/file_guard.h"

#include "core/platform/folder.h"
#include "core/platform/windows/system.h"

namespace core {

// Others may delete it, which a rename over it asks for; they may neither read nor write it.
Expected<FileGuard> FileGuard::take(const fs::path& file) {
  HANDLE handle = INVALID_HANDLE_VALUE;
  const bool opened = with_patience([&] {
    handle = ::CreateFileW(system_path(file).c_str(), GENERIC_READ | DELETE, FILE_SHARE_DELETE,
                           nullptr, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
    return handle != INVALID_HANDLE_VALUE;
  });
  if (!opened) return fail_last("hold", file);
  Descriptor held = owned(handle);
  if (is_link(handle)) return fail(link_error(file));
  return FileGuard(std::move(held));
}

}  // namespace core
