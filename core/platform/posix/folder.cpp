#include "core/platform/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/paths.h"
#ifdef __linux__
#include <sys/syscall.h>
#endif
#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#endif

#include <algorithm>
#include <cerrno>
#include <utility>

namespace core {
namespace fs = std::filesystem;

namespace {

// O_PATH asks for the right to pass through a folder, as any path does, not for that to read it.
#ifdef O_PATH
constexpr int kOpenFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
#else
constexpr int kOpenFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
#endif

// None, with errno, on failure; ENOSYS where the system, or a filter of system calls, does not
// have the call.
Descriptor open_in_one_call(const fs::path& path) {
#ifdef SYS_openat2
  open_how how{};
  how.flags = kOpenFlags;
  how.resolve = RESOLVE_NO_SYMLINKS;
  const long fd = ::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how);
  if (fd < 0 && errno == EPERM) errno = ENOSYS;
  return Descriptor(static_cast<int>(fd));
#else
  (void)path;
  errno = ENOSYS;
  return {};
#endif
}

Descriptor open_by_component(const fs::path& path) {
  Descriptor folder(::open("/", kOpenFlags));
  for (const fs::path& part : path.relative_path()) {
    if (!folder) break;
    if (part.empty()) continue;
    folder = Descriptor(::openat(folder.get(), part.c_str(), kOpenFlags | O_NOFOLLOW));
  }
  return folder;
}

// For the message alone: which error a link gives depends on the system.
bool leads_through_link(const fs::path& path) {
  fs::path part = path.root_path();
  for (const fs::path& name : path.relative_path()) {
    part /= name;
    struct stat status {};
    if (::lstat(part.c_str(), &status) != 0) return false;
    if (S_ISLNK(status.st_mode)) return true;
  }
  return false;
}

}  // namespace

Error link_error(const fs::path& path) {
  return Error{ErrorCode::conflict,
               text_of(path) +
                   " leads through a symbolic link that was not there before, or that "
                   "may not be followed here.",
               "Name the folder that it leads to, or see who changes links there."};
}

Expected<Folder> Folder::open(const fs::path& path) {
  const bool has_way_up = std::find(path.begin(), path.end(), "..") != path.end();
  if (!path.is_absolute() || has_way_up) {
    return fail(ErrorCode::invalid_argument, text_of(path) + " is no absolute path without \"..\".",
                "Give the whole path.");
  }
  Descriptor opened = open_in_one_call(path);
  if (!opened && errno == ENOSYS) opened = open_by_component(path);
  if (opened) return Folder(std::move(opened), path);
  const int error_number = errno;
  if (error_number == ELOOP || (error_number == ENOTDIR && leads_through_link(path))) {
    return fail(link_error(path));
  }
  return fail(error_from_errno(error_number, "cannot open the folder " + text_of(path)));
}

Expected<Folder> Folder::of(const fs::path& file) {
  return open(file.parent_path());
}

// https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html
std::string Folder::way_to(const std::string& name) const {
#ifdef __linux__
  const std::string folder = "/proc/self/fd/" + std::to_string(descriptor());
  struct stat through {
  }, open{};
  if (::stat(folder.c_str(), &through) == 0 && ::fstat(descriptor(), &open) == 0 &&
      through.st_dev == open.st_dev && through.st_ino == open.st_ino) {
    return folder + "/" + name;
  }
#endif
  return text_of(path_ / name);
}

}  // namespace core
