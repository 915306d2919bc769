#include "core/base/cannot.h"

#include <cerrno>

namespace core {
namespace {

// Of any operation. FUSE servers hand on what they are built on, ENOTTY among it.
bool is_unknown_operation(int error_number) {
  // Two names of one number on Linux, which a switch does not take.
  if (error_number == EOPNOTSUPP || error_number == ENOTSUP) return true;
  return error_number == ENOSYS || error_number == EINVAL || error_number == ENOTTY;
}

}  // namespace

bool means_cannot(Operation operation, int error_number) {
  if (is_unknown_operation(error_number)) return true;
  switch (operation) {
    case Operation::set_mode:
      // Of a file that we just made: it belongs to the user of the mount, or its server decides.
      return error_number == EPERM || error_number == EACCES;
    case Operation::link:
      // EIO: rclone. EXDEV: two layers or mounts that look like one. What then is renamed fails
      // itself on a disk that fails.
      return error_number == EPERM || error_number == EMLINK || error_number == EXDEV ||
             error_number == EIO;
    case Operation::rename_new:
      return error_number == EPERM;  // system call filters of older sandboxes
    case Operation::rename_over:
      return error_number == EPERM || error_number == EEXIST;  // SFTP servers
    case Operation::sync_folder:
      return error_number == EBADF;  // servers for which an open folder is no open file
    case Operation::sync_file:
    case Operation::measure:
      return false;
    case Operation::reserve:
#ifdef EDQUOT
      if (error_number == EDQUOT) return false;
#endif
      return error_number != ENOSPC && error_number != EFBIG;
    case Operation::lock:
      return error_number == ENOLCK || error_number == EBADF;  // NFS without its lock service
  }
  return false;
}

}  // namespace core
