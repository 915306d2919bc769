#include "core/platform/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace core {

FolderLock::Outcome FolderLock::try_lock(const Folder& folder) {
  if (!folder_) {
    folder_ = Descriptor(::openat(folder.descriptor(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  if (!folder_) return Outcome::cannot;
  int rc = 0;
  do {
    rc = ::flock(folder_.get(), LOCK_EX | LOCK_NB);
  } while (rc != 0 && errno == EINTR);
  if (rc == 0) return Outcome::locked;
  if (errno == EWOULDBLOCK) return Outcome::taken;
  folder_.close();
  return Outcome::cannot;
}

}  // namespace core
