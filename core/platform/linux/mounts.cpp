// The mount that holds a path, as the kernel lists it.
#include "core/platform/mounts.h"

#include <algorithm>
#include <array>

namespace core {
namespace {

constexpr std::size_t kMaxMountinfoBytes = 4 << 20;
constexpr std::uint64_t kMaxMountsBytes = 4 << 20;
constexpr std::size_t kMaxBootIdBytes = 64;
// Of disks of this machine, with times in nanoseconds. overlay hands on what lies below.
constexpr std::array<std::string_view, 7> kTypesWithTrueTimes{"ext2",  "ext3", "ext4",   "xfs",
                                                              "btrfs", "f2fs", "overlay"};

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

std::string change_times_since(const fs::path& path, const FileSystem& files) {
  const auto mount = mount_of(path, files);
  if (!mount || std::find(kTypesWithTrueTimes.begin(), kTypesWithTrueTimes.end(), mount->type) ==
                    kTypesWithTrueTimes.end()) {
    return "";
  }
  const auto id = files.read_start("/proc/sys/kernel/random/boot_id", kMaxBootIdBytes);
  return id ? id->substr(0, id->find('\n')) : "";
}

}  // namespace core
