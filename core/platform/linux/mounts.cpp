// The mount that holds a path, as the kernel lists it.
#include "core/platform/mounts.h"

namespace core {
namespace {

constexpr std::size_t kMaxMountinfoBytes = 4 << 20;
constexpr std::uint64_t kMaxMountsBytes = 4 << 20;

}  // namespace

std::optional<Mount> mount_of(const fs::path& path, const FileSystem& files) {
  const auto text = files.read_start("/proc/self/mountinfo", kMaxMountinfoBytes);
  if (!text) return std::nullopt;
  return mount_of(path, *text);
}

bool is_mount_point(const fs::path& path, const FileSystem& files) {
  const auto mounts = files.read("/proc/mounts", kMaxMountsBytes);
  return mounts && is_mount_point(path, *mounts);
}

}  // namespace core
