#include "core/platform/room.h"

#include "core/platform/windows/system.h"

namespace core {

// The system counts in units of UTF-16, of which a name has no more than bytes.
std::optional<std::size_t> longest_name_in(const fs::path& folder) {
  std::wstring root(MAX_PATH + 1, L'\0');
  DWORD longest = 0;
  if (!::GetVolumePathNameW(system_path(folder).c_str(), root.data(),
                            static_cast<DWORD>(root.size())) ||
      !::GetVolumeInformationW(root.c_str(), nullptr, 0, nullptr, &longest, nullptr, nullptr, 0)) {
    return std::nullopt;
  }
  return longest;
}

}  // namespace core
