#include "core/platform/room.h"

#include <unistd.h>

namespace core {

std::optional<std::size_t> longest_name_in(const fs::path& folder) {
  const long told = ::pathconf(folder.c_str(), _PC_NAME_MAX);
  if (told <= 0) return std::nullopt;
  return static_cast<std::size_t>(told);
}

}  // namespace core
