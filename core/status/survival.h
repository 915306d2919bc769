// What would have to break for a database and its snapshots to be lost together.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/base/env.h"
#include "core/platform/mounts.h"

namespace core {

// What lies on the way to a file and can break.
struct Medium {
  std::uint64_t volume = 0;       // FileId::device
  bool off_machine = false;       // on a server; of snapshots, also in a folder that is synced
  std::set<std::string> disks{};  // as the system calls them; empty: it does not tell
};

// Looks each volume up once. Reads /proc/self/mountinfo and /sys (Linux; elsewhere no disk is
// told).
class Media {
 public:
  explicit Media(const FileSystem& files) : files_(files) {}
  // Where nothing is at the path, that of its nearest folder.
  Medium of(const fs::path& path);

 private:
  const FileSystem& files_;
  std::map<std::uint64_t, Medium> volumes_;
};

// The disks below a device of the system, "/dev/mapper/root": partitions, encryption and volumes
// lead to the disks that they lie on. Empty where it does not tell. ("zpool:NAME" for a data set.)
std::set<std::string> disks_of(const Mount& mount, const FileSystem& files);

// The worst that leaves the snapshots whole; each takes in those before it.
enum class Survives { nothing, deleted_file, broken_disk, lost_machine };
// "nothing", "deleted file", "broken disk", "lost machine"
std::string_view to_string(Survives survives);

// Of snapshots on one medium, made of a database on the other. In doubt the lesser: two volumes may
// lie on one disk. Pure.
Survives survives(const Medium& database, const Medium& snapshots);

}  // namespace core
