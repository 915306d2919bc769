#include "core/base/error.h"

#include <cerrno>
#include <new>
#include <system_error>

namespace core {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::not_a_database:
      return "not_a_database";
    case ErrorCode::permission_denied:
      return "permission_denied";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::no_space:
      return "no_space";
    case ErrorCode::damaged:
      return "damaged";
    case ErrorCode::needs_confirmation:
      return "needs_confirmation";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::timed_out:
      return "timed_out";
    case ErrorCode::io:
      return "io";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

ErrorCode error_code_of(std::string_view name) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    if (name == to_string(static_cast<ErrorCode>(code))) return static_cast<ErrorCode>(code);
  }
  return ErrorCode::internal;
}

namespace {

ErrorCode code_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::permission_denied;
    case ENOSPC:
#ifdef EDQUOT
    case EDQUOT:
#endif
      return ErrorCode::no_space;
    case EBUSY:
    case EAGAIN:
    case ETXTBSY:
      return ErrorCode::busy;
    case EFBIG:
      return ErrorCode::unsupported;
    case ENAMETOOLONG:
    case EILSEQ:
    case EINVAL:
    case ELOOP:
    case EISDIR:
      return ErrorCode::invalid_argument;
    default:
      return ErrorCode::io;
  }
}

// Where the kind alone would send people the wrong way.
const char* hint_for_errno(int error_number) {
  switch (error_number) {
    case ENAMETOOLONG:
      return "Most file systems allow 255 bytes for a name, with what is added to it while it is "
             "written; choose a shorter one.";
    case EMFILE:
    case ENFILE:
      return "Too many files are open: raise the limit (ulimit -n, or the service's), or end some "
             "programs.";
    case EDEADLK:  // macOS, of a file that iCloud holds
      return "A cloud service keeps the file and did not bring it: have it keep the folder on this "
             "machine.";
    case ENOMEM:
      return "Free some memory, and try again.";
    case EIO:
      return "Check the disk and the system's log.";
    default:
      return nullptr;
  }
}

std::string hint_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found:
      return "Check the path for a typing error.";
    case ErrorCode::permission_denied:
      return "Check the owner and permissions of the path, or choose another one.";
    case ErrorCode::no_space:
      return "Free some space there, or choose another destination.";
    case ErrorCode::unsupported:
      return "The file system there, or a limit of this user's, takes no file that large (FAT: "
             "less "
             "than 4 GiB). Choose a folder on another disk.";
    case ErrorCode::busy:
      return "Try again when the other program has finished.";
    default:
      return "";
  }
}

}  // namespace

Error error_from_errno(int error_number, std::string_view what) {
  const ErrorCode code = code_of_errno(error_number);
  const char* hint = hint_for_errno(error_number);
  return Error{code, std::string(what) + ": " + std::generic_category().message(error_number) + ".",
               hint != nullptr ? hint : hint_for(code)};
}

Error error_from_exception(const std::exception& thrown, std::string_view what) {
  const bool memory = dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr;
  return Error{ErrorCode::internal,
               std::string(what) + ": " +
                   (memory ? std::string("there is not enough memory") : thrown.what()) + ".",
               memory ? hint_for_errno(ENOMEM)
                      : "Try again; if this repeats, it is a fault of backup-plugin-db: report it "
                        "with this text."};
}

}  // namespace core
