// The mount that holds a path, as statfs tells.
#include "core/platform/mounts.h"

#include <sys/mount.h>
#include <sys/param.h>

#include "core/base/paths.h"

namespace core {

std::optional<Mount> mount_of(const fs::path& path, const FileSystem&) {
  struct statfs status {};
  if (::statfs(path.c_str(), &status) != 0) return std::nullopt;
  Mount mount;
  mount.point = path_of(status.f_mntonname);
  mount.type = status.f_fstypename;
  mount.device = status.f_mntfromname;
  mount.remote = (status.f_flags & MNT_LOCAL) == 0;
  mount.never_written = (status.f_flags & MNT_RDONLY) != 0 && (status.f_flags & MNT_LOCAL) != 0;
  return mount;
}

bool is_mount_point(const fs::path& path, const FileSystem& files) {
  const auto mount = mount_of(path, files);
  return mount && mount->point == path;
}

// Nothing is known that would make it certain.
std::string change_times_since(const fs::path&, const FileSystem&) {
  return "";
}

}  // namespace core
