#include "core/platform/mounts.h"

#include <algorithm>
#include <array>

#include "core/base/paths.h"
#include "core/base/shell_word.h"

namespace core {
namespace {

// Their read-only state is that of the one file system, which nobody else can be writing: a
// server's, or a layer below, might be written all the same.
constexpr std::array<std::string_view, 18> kLocalTypes{
    "ext2", "ext3",  "ext4",    "xfs", "btrfs",    "f2fs",  "vfat", "msdos",   "exfat",
    "ntfs", "ntfs3", "iso9660", "udf", "squashfs", "erofs", "jfs",  "hfsplus", "tmpfs"};

// What they hold lies on another machine. (9p is how WSL and virtual machines see their host.)
constexpr auto kRemoteTypes = std::to_array<std::string_view>(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "davfs", "fuse.sshfs",
     "fuse.rclone", "fuse.davfs", "fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.curlftpfs"});

// What stands before the separator, which is taken away with it: of a line its next field, fields
// being separated by one space.
std::string_view take_until(char separator, std::string_view& text) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

std::string_view next_field(std::string_view& line) {
  return take_until(' ', line);
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    if (take_until(',', options) == wanted) return true;
  }
  return false;
}

template <class Types>
bool contains(const Types& types, std::string_view type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

// "36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue": the point, and
// of what follows the lone dash the type, the device (a server may have none) and the options.
struct MountLine {
  std::string_view point, type, device, options;
};

std::optional<MountLine> read_mount(std::string_view line) {
  for (int before = 0; before < 4; ++before) next_field(line);
  MountLine mount;
  mount.point = next_field(line);
  next_field(line);  // the options of this mount
  while (!line.empty() && next_field(line) != "-") {
  }
  mount.type = next_field(line);
  mount.device = next_field(line);
  mount.options = line;
  if (mount.point.empty() || mount.type.empty()) return std::nullopt;
  return mount;
}

}  // namespace

std::string unescape_mount(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '7' ? text[at] - '0' : -1;
    };
    if (text[i] == '\\' && digit(i + 1) >= 0 && digit(i + 2) >= 0 && digit(i + 3) >= 0) {
      result += static_cast<char>(digit(i + 1) * 64 + digit(i + 2) * 8 + digit(i + 3));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::optional<Mount> mount_of(const fs::path& path, std::string_view mountinfo) {
  std::optional<MountLine> found;
  fs::path point;
  while (!mountinfo.empty()) {
    const auto mount = read_mount(take_until('\n', mountinfo));
    if (!mount) continue;
    fs::path here = path_of(unescape_mount(mount->point));
    // Of two mounts on one folder the later one is seen.
    if (here.native().size() < point.native().size() || !is_inside(path, here)) continue;
    found = mount;
    point = std::move(here);
  }
  if (!found) return std::nullopt;
  return Mount{
      .point = std::move(point),
      .type = std::string(found->type),
      .device = unescape_mount(found->device),
      .remote = contains(kRemoteTypes, found->type),
      .never_written = has_option(found->options, "ro") && contains(kLocalTypes, found->type)};
}

Expected<> check_no_mount(const fs::path& file, const FileSystem& files) {
  const auto mount = mount_of(file, files);
  if (!mount || mount->point != file) return {};
  return fail(ErrorCode::unsupported,
              text_of(file) +
                  " is mounted on its own, one file as into a container: nothing can take its "
                  "place.",
              "Restore where the file really lies, outside of the container, or mount its folder "
              "in place of the file. Else restore to a new file; then, while no program has the "
              "database open, move its -wal and -shm away, and " +
                  shell_command({"cp", "NEW_FILE", text_of(file)}));
}

std::string mount_type_of(const fs::path& path, std::string_view mounts) {
  std::string type;
  std::size_t longest = 0;
  while (!mounts.empty()) {
    std::string_view line = take_until('\n', mounts);
    next_field(line);  // the device
    const std::string folder = unescape_mount(next_field(line));
    // Of two mounts on one folder the later one is seen.
    if (folder.empty() || folder.size() < longest || !is_inside(path, path_of(folder))) continue;
    longest = folder.size();
    type = next_field(line);
  }
  return type;
}

bool is_mount_point(const fs::path& path, std::string_view mounts) {
  while (!mounts.empty()) {
    std::string_view line = take_until('\n', mounts);
    next_field(line);  // the device
    if (path_of(unescape_mount(next_field(line))) == path) return true;
  }
  return false;
}

}  // namespace core
