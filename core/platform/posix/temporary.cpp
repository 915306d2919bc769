#include "core/platform/temporary.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "core/base/cannot.h"
#include "core/base/paths.h"
#include "core/platform/folder.h"

namespace core {
namespace {

constexpr int kMaxCreateAttempts = 8;
// Far beyond the time that a copy may take, and the difference of two machines' clocks.
constexpr std::chrono::hours kDeadAge{48};

// Some file systems count no links: there the name itself tells.
bool has_name(int fd, int folder, const std::string& name) {
  struct stat open {
  }, named{};
  if (::fstat(fd, &open) != 0) return false;
  if (open.st_nlink > 0) return true;
  return ::fstatat(folder, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

bool is_old(int fd, Instant now) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return false;
  return std::chrono::system_clock::from_time_t(status.st_mtime) + kDeadAge < now;
}

bool is_abandoned(int fd, Instant now) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
  return means_cannot(Operation::lock, errno) && is_old(fd, now);
}

Error cannot_create(const fs::path& path, int error_number) {
  Error error = error_from_errno(error_number, "cannot create " + text_of(path));
  if (error_number == EINVAL || error_number == EILSEQ) {
    error.hint =
        "Its file system may not hold such a name (FAT and NTFS know no ? * : \" < > |): "
        "choose another name, or a folder on another file system.";
  }
  return error;
}

}  // namespace

// A sweeper that finds the file between open and flock takes it for a dead one and removes it; so
// the lock counts only on a file that still has its name.
Expected<Descriptor> create_locked(const fs::path& path, const Folder* within) {
  const int folder = within != nullptr ? within->descriptor() : AT_FDCWD;
  const std::string name = text_of(within != nullptr ? path.filename() : path);
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  for (int attempt = 0; attempt < kMaxCreateAttempts; ++attempt) {
    Descriptor file(::openat(folder, name.c_str(), kFlags, 0600));
    if (!file) return fail(cannot_create(path, errno));
    // Where there is no flock, the file's age guards it, and the run's own lock.
    (void)::flock(file.get(), LOCK_EX | LOCK_NB);
    if (has_name(file.get(), folder, name)) return file;
  }
  return fail(ErrorCode::conflict, text_of(path) + " is removed as soon as it is created.",
              "See which other process works in that folder.");
}

Expected<bool> remove_if_abandoned(const fs::path& path, Instant now) {
  BPD_TRY_AS(folder, Folder::of(path));
  const std::string name = text_of(path.filename());
  const Descriptor file(
      ::openat(folder->descriptor(), name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return fail(error_from_errno(errno, "cannot open " + text_of(path)));
  if (!is_abandoned(file.get(), now)) return false;
  if (::unlinkat(folder->descriptor(), name.c_str(), 0) != 0) {
    return fail(error_from_errno(errno, "cannot remove " + text_of(path)));
  }
  return true;
}

}  // namespace core
