// The volume that holds a path.
#include "core/platform/mounts.h"

#include <array>

#include "core/base/paths.h"
#include "core/platform/windows/system.h"

namespace core {

std::optional<Mount> mount_of(const fs::path& path, const FileSystem&) {
  std::wstring root(MAX_PATH + 1, L'\0');
  std::array<wchar_t, MAX_PATH + 1> type{};
  DWORD flags = 0;
  if (!::GetVolumePathNameW(system_path(path).c_str(), root.data(),
                            static_cast<DWORD>(root.size())) ||
      !::GetVolumeInformationW(root.c_str(), nullptr, 0, nullptr, nullptr, &flags, type.data(),
                               static_cast<DWORD>(type.size()))) {
    return std::nullopt;
  }
  root.resize(root.find(L'\0'));
  Mount mount;
  mount.point = root;
  mount.type = narrow(type.data());
  const UINT kind = ::GetDriveTypeW(root.c_str());
  mount.remote = kind == DRIVE_REMOTE;
  mount.never_written = (flags & FILE_READ_ONLY_VOLUME) != 0 && kind != DRIVE_REMOTE;
  return mount;
}

// A file is never mounted by itself.
bool is_mount_point(const fs::path&, const FileSystem&) {
  return false;
}

// Nothing is known that would make it certain.
std::string change_times_since(const fs::path&, const FileSystem&) {
  return "";
}

}  // namespace core
