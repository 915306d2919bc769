#include "core/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/socket.h>
#include <sys/un.h>
#endif

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/cannot.h"
#include "core/digest.h"

namespace core {
namespace {

constexpr std::chrono::milliseconds kRetryPause{25};
constexpr std::size_t kKeyDigits = 32;
constexpr std::size_t kMaxHolderBytes = 1024;

// "4711 2026-11-23T04:07:01Z a snapshot of …", written by the holder once it has the lock.
std::string holder_of(int fd) {
  std::array<char, kMaxHolderBytes> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  const std::string holder(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t since = holder.find(' ');
  const std::size_t what = since == std::string::npos ? since : holder.find(' ', since + 1);
  if (what == std::string::npos) return "Another process";
  return "Process " + holder.substr(0, since) + ", busy since " +
         holder.substr(since + 1, what - since - 1) + " with " + holder.substr(what + 1) + ",";
}

void write_holder(int fd, const std::string& what, Instant now) {
  const std::string text = std::to_string(::getpid()) + " " + format_instant(now) + " " + what;
  // For people only: a failure here costs the next run a name in its message.
  if (::ftruncate(fd, 0) == 0) (void)!::pwrite(fd, text.data(), text.size(), 0);
}

// Where the state folder has no flock: a name that the kernel lends to one socket at a time, until
// that is closed. unix(7), "abstract". EWOULDBLOCK when it is taken.
int hold_name(const std::string& key) {
#ifdef __linux__
  const std::string name = "backup-plugin-db/" + std::to_string(::geteuid()) + "/" +
                           sha256_of(key).substr(0, kKeyDigits);
  sockaddr_un address{};
  static_assert(sizeof(address.sun_path) >= 1 + 17 + 20 + 1 + kKeyDigits);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0) return fd;
  const int error_number = errno;
  ::close(fd);
  errno = error_number == EADDRINUSE ? EWOULDBLOCK : error_number;
  return -1;
#else
  (void)key;
  errno = ENOLCK;
  return -1;
#endif
}

}  // namespace

bool RunLock::try_hold(const std::string& key) {
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return true;
  if (!means_cannot(Operation::lock, errno)) return false;
  name_fd_ = hold_name(key);
  return name_fd_ >= 0;
}

Expected<RunLock> RunLock::acquire(const std::string& key, const std::string& what,
                                   std::chrono::milliseconds timeout, const Env& env,
                                   std::stop_token stop) {
  const fs::path folder = env.places.state / "locks";
  if (auto made = env.files.make_folders(folder, 0700); !made) return fail(made.error());
  const fs::path path = folder / (sha256_of(key).substr(0, kKeyDigits) + ".lock");
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(error_from_errno(errno, "cannot open the lock file " + path.string()));
  RunLock lock(fd);
  const auto deadline = env.clock.steady_now() + timeout;
  while (!lock.try_hold(key)) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) {
      return fail(error_from_errno(errno, "cannot lock " + path.string()));
    }
    if (env.clock.steady_now() >= deadline) {
      return fail(ErrorCode::busy, holder_of(fd) + " is in the way of " + what + ".",
                  "Let that run end, or stop it, and try again.");
    }
    if (!env.clock.sleep_for(kRetryPause, stop)) {
      return fail(ErrorCode::cancelled, "stopped while waiting for " + what + ".");
    }
  }
  write_holder(fd, what, env.clock.now());
  return lock;
}

RunLock::RunLock(RunLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), name_fd_(std::exchange(other.name_fd_, -1)) {}

RunLock::~RunLock() {
  if (fd_ >= 0) ::close(fd_);
  if (name_fd_ >= 0) ::close(name_fd_);
}

}  // namespace core
