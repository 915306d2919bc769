#include "core/platform/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>

#include "core/base/cannot.h"
#include "core/base/paths.h"
#include "core/base/shell_word.h"

namespace core {
namespace {

#ifdef __linux__
// A descriptor that owns the name until it is closed, however the process ends; none, with errno.
// https://man7.org/linux/man-pages/man7/unix.7.html, abstract sockets
Descriptor bind_name(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof(address.sun_path) - 1);
  Descriptor bound(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!bound) return bound;
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(bound.get(), reinterpret_cast<const sockaddr*>(&address), bytes) == 0) return bound;
  return {};
}
#endif

bool cannot_be_written(const Error& error) {
  return error.code == ErrorCode::permission_denied || error.code == ErrorCode::no_space;
}

Expected<Descriptor> open_lock_file(const fs::path& path, FileSystem& files) {
  BPD_TRY(files.make_folders(path.parent_path(), kPrivateFolder));
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kPrivateFile));
  if (file) return file;
  const int problem = errno;
  // On a file system that has become read-only it still does to lock.
  file = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file) return file;
  Error error = error_from_errno(problem, "cannot open the lock file " + text_of(path));
  if (files.link_info(path)) {
    error.hint =
        "It is another user's, or no file: was the program once run with sudo? While no run of "
        "it goes on, remove it: " +
        shell_command({"rm", text_of(path)});
  }
  return fail(std::move(error));
}

// Where locks lie while the state folder cannot be written. In /tmp only a folder of our own
// counts, not one that somebody else put there.
std::optional<fs::path> folder_elsewhere(const Env& env) {
  if (!env.places.runtime.empty()) return env.places.runtime / "backup-plugin-db/locks";
  const fs::path folder = "/tmp/backup-plugin-db-" + std::to_string(::geteuid());
  if (::mkdir(folder.c_str(), kPrivateFolder) != 0 && errno != EEXIST) return std::nullopt;
  struct stat status {};
  if (::lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
    return std::nullopt;
  }
  return folder;
}

}  // namespace

Expected<Descriptor> RunLock::open_file(fs::path& path, const Env& env) {
  auto opened = open_lock_file(path, env.files);
  if (!opened && cannot_be_written(opened.error()) && !env.files.link_info(path)) {
    // A full disk or a folder of the system's must not end the backups.
    if (const auto other = folder_elsewhere(env)) {
      path = *other / path.filename();
      opened = open_lock_file(path, env.files);
    }
  }
  return opened;
}

std::string RunLock::own_process_id() {
  return std::to_string(::getpid());
}

Expected<bool> RunLock::try_lock([[maybe_unused]] const std::string& name, const fs::path& path) {
  int rc = 0;
  do {
    rc = ::flock(file_.get(), LOCK_EX | LOCK_NB);
  } while (rc != 0 && errno == EINTR);
  if (rc == 0) return true;
  if (errno == EWOULDBLOCK) return false;
#ifdef __linux__
  // Any other failure may be of the moment, and the next run would take the other lock.
  if (!means_cannot(Operation::lock, errno)) {
    return fail(error_from_errno(errno, "cannot lock " + text_of(path)));
  }
  socket_ = bind_name("backup-plugin-db." + std::to_string(::geteuid()) + "." + name);
  if (socket_) return true;
  if (errno == EADDRINUSE) return false;
#endif
  return fail(error_from_errno(errno, "cannot lock " + text_of(path)));
}

}  // namespace core
