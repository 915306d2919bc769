#include "core/status/survival.h"

#include <algorithm>

#include "core/base/paths.h"

namespace core {
namespace {

// Encryption on volumes on an array: more is nobody's.
constexpr int kMaxLayers = 8;
constexpr std::size_t kMaxBelow = 256;  // devices that one is made of

// `device` as it stands below /sys/devices. A partition lies in the folder of its disk.
// https://www.kernel.org/doc/html/latest/admin-guide/sysfs-rules.html
void add_disks(const fs::path& device, int layer, std::set<std::string>& disks,
               const FileSystem& files) {
  if (layer > kMaxLayers) return;
  const bool is_partition = files.info(device / "partition").has_value();
  const fs::path disk = is_partition ? device.parent_path() : device;
  const auto below = files.list(disk / "slaves", kMaxBelow);
  if (!below || below->empty()) {
    disks.insert(text_of(disk.filename()));
    return;
  }
  for (const DirEntry& entry : *below) {
    const auto lower = files.canonical(disk / "slaves" / path_of(entry.name));
    if (lower) add_disks(*lower, layer + 1, disks, files);
  }
}

}  // namespace

std::set<std::string> disks_of(const Mount& mount, const FileSystem& files) {
  std::set<std::string> disks;
  if (mount.type == "zfs") {
    disks.insert("zpool:" + mount.device.substr(0, mount.device.find('/')));
  } else if (mount.device.starts_with("/dev/")) {
    const auto node = files.canonical(path_of(mount.device));
    const auto device =
        node ? files.canonical(fs::path("/sys/class/block") / node->filename()) : node;
    if (device) add_disks(*device, 0, disks, files);
  }
  return disks;
}

Medium Media::of(const fs::path& path) {
  fs::path there = path;
  auto info = files_.info(there);
  while (!info && there.has_relative_path()) {
    there = there.parent_path();
    info = files_.info(there);
  }
  if (!info) return {};
  const auto [at, is_new] = volumes_.try_emplace(info->id.device);
  if (is_new) {
    at->second.volume = info->id.device;
    if (const auto mount = mount_of(files_.canonical(there).value_or(there), files_)) {
      at->second.off_machine = mount->remote;
      at->second.disks = disks_of(*mount, files_);
    }
  }
  return at->second;
}

std::string_view to_string(Survives survives) {
  switch (survives) {
    case Survives::nothing:
      return "nothing";
    case Survives::deleted_file:
      return "deleted file";
    case Survives::broken_disk:
      return "broken disk";
    case Survives::lost_machine:
      return "lost machine";
  }
  return "nothing";
}

Survives survives(const Medium& database, const Medium& snapshots) {
  const bool same_volume = database.volume == snapshots.volume;
  if (snapshots.off_machine && !(database.off_machine && same_volume)) {
    return Survives::lost_machine;
  }
  const bool both_known = !database.disks.empty() && !snapshots.disks.empty();
  const bool shared = same_volume || std::any_of(database.disks.begin(), database.disks.end(),
                                                 [&](const std::string& disk) {
                                                   return snapshots.disks.contains(disk);
                                                 });
  return both_known && !shared ? Survives::broken_disk : Survives::deleted_file;
}

}  // namespace core
