// What the system tells of the mount that a file lies on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/env.h"

namespace core {

struct Mount {
  fs::path point;
  std::string type;     // "ext4", "vfat", "nfs4", …
  std::string device;   // as the system names it: "/dev/sda1", "server:/export"; may be empty
  bool remote = false;  // on a server
  bool never_written = false;  // read-only not just here: the file system itself, on a local disk
};

// The mount that holds the path, its links resolved, from the text of /proc/self/mountinfo. Pure.
// https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
std::optional<Mount> mount_of(const fs::path& path, std::string_view mountinfo);
// The same, from the system; nothing where it does not tell.
std::optional<Mount> mount_of(const fs::path& path, const FileSystem& files);

// The file system type of the mount that holds the path, from the text of /proc/mounts; empty when
// unknown. Pure.
std::string mount_type_of(const fs::path& path, std::string_view mounts);
// Whether something is mounted on that very path, from the same text. Pure.
bool is_mount_point(const fs::path& path, std::string_view mounts);

// The same of the present mounts; false where the system does not tell.
bool is_mount_point(const fs::path& path, const FileSystem& files);

// Which start of the system this is, where the change time of a file proves that its content is as
// it was: each write sets it anew, to a fraction of a second, and so does the first store through a
// mapping after the file was synced. Empty elsewhere: a server's times come late, memory that is
// no disk is never synced, and a crash may lose a time and keep the write.
std::string change_times_since(const fs::path& path, const FileSystem& files);

// unsupported for a file that is a mount of its own: no other can be renamed over it.
Expected<> check_no_mount(const fs::path& file, const FileSystem& files);

// Space, tab, line feed and backslash stand in octal in /proc/mounts and mountinfo.
std::string unescape_mount(std::string_view text);

}  // namespace core
