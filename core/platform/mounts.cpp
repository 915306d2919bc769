#include "core/platform/mounts.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

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

bool has_option(const std::string& options, std::string_view wanted) {
  std::istringstream list(options);
  for (std::string option; std::getline(list, option, ',');) {
    if (option == wanted) return true;
  }
  return false;
}

// "36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
std::optional<Mount> parse(const std::string& line) {
  std::istringstream words(line);
  std::vector<std::string> before, after;
  bool passed = false;
  for (std::string word; words >> word;) {
    if (!passed && word == "-") {
      passed = true;
    } else {
      (passed ? after : before).push_back(word);
    }
  }
  if (before.size() < 6 || after.empty()) return std::nullopt;
  Mount mount;
  mount.point = path_of(unescape_mount(before[4]));
  mount.type = after[0];
  if (after.size() > 1) mount.device = unescape_mount(after[1]);
  mount.remote =
      std::find(kRemoteTypes.begin(), kRemoteTypes.end(), mount.type) != kRemoteTypes.end();
  mount.never_written =
      has_option(after.back(), "ro") &&
      std::find(kLocalTypes.begin(), kLocalTypes.end(), mount.type) != kLocalTypes.end();
  return mount;
}

// The next field of a line, fields being separated by one space.
std::string_view next_field(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return field;
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
  std::optional<Mount> found;
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    auto mount = parse(line);
    if (!mount || !is_inside(path, mount->point)) continue;
    // Of two mounts on one folder the later one is seen.
    if (found && mount->point.native().size() < found->point.native().size()) continue;
    found = std::move(mount);
  }
  return found;
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
    const std::size_t end = std::min(mounts.find('\n'), mounts.size());
    std::string_view line = mounts.substr(0, end);
    mounts.remove_prefix(std::min(end + 1, mounts.size()));
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
    const std::size_t end = std::min(mounts.find('\n'), mounts.size());
    std::string_view line = mounts.substr(0, end);
    mounts.remove_prefix(std::min(end + 1, mounts.size()));
    next_field(line);  // the device
    if (path_of(unescape_mount(next_field(line))) == path) return true;
  }
  return false;
}

}  // namespace core
