#include "core/platform/run_lock.h"

#include <array>
#include <string_view>

#include "core/base/paths.h"
#include "core/platform/folder.h"
#include "core/platform/open_file.h"
#include "core/platform/sha256.h"
#include "core/platform/windows/system.h"

namespace core {
namespace {

constexpr std::chrono::milliseconds kRunLockPause{25};
constexpr std::size_t kKeyDigits = 32;
constexpr std::size_t kMaxHolderBytes = 1024;

// "4711 2026-11-23T04:07:01Z a snapshot of …", written by the holder once it has the lock.
std::string holder_of(const Descriptor& file, const fs::path& path) {
  std::array<char, kMaxHolderBytes> text{};
  const auto got = read_at(file.get(), text.data(), text.size(), 0, path);
  const std::string holder(text.data(), got.value_or(0));
  const std::size_t since = holder.find(' ');
  const std::size_t what = since == std::string::npos ? since : holder.find(' ', since + 1);
  if (what == std::string::npos) return "Another process";
  return "Process " + holder.substr(0, since) + ", busy since " +
         holder.substr(since + 1, what - since - 1) + " with " + holder.substr(what + 1) + ",";
}

// For people only: a failure here costs the next run a name in its message.
void write_holder(const Descriptor& file, const std::string& what, Instant now,
                  const fs::path& path) {
  const std::string text =
      std::to_string(::GetCurrentProcessId()) + " " + format_instant(now) + " " + what;
  if (set_length(file.get(), 0, path)) {
    (void)write_at(file.get(), text.data(), text.size(), 0, path);
  }
}

Expected<Descriptor> open_lock_file(const fs::path& path, FileSystem& files) {
  BPD_TRY(files.make_folders(path.parent_path(), kPrivateFolder));
  PrivateSecurity security;
  HANDLE handle = INVALID_HANDLE_VALUE;
  const bool opened = with_patience([&] {
    handle = ::CreateFileW(system_path(path).c_str(), GENERIC_READ | GENERIC_WRITE, kShareAll,
                           security.get(), OPEN_ALWAYS,
                           FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
    return handle != INVALID_HANDLE_VALUE;
  });
  if (!opened) return fail_last("open the lock file", path);
  Descriptor file = owned(handle);
  if (is_link(handle)) return fail(link_error(path));
  return file;
}

}  // namespace

Expected<RunLock> RunLock::acquire(const std::string& key, const std::string& what,
                                   std::chrono::milliseconds timeout, const Env& env,
                                   std::stop_token stop) {
  const std::string name = sha256_of(key).substr(0, kKeyDigits);
  const fs::path path = env.places.state / "locks" / (name + ".lock");
  BPD_TRY_AS(opened, open_lock_file(path, env.files));
  RunLock lock(std::move(*opened));
  const auto deadline = env.clock.steady_now() + timeout;
  for (;;) {
    BPD_TRY_AS(locked, lock.try_lock(name, path));
    if (*locked) break;
    if (env.clock.steady_now() >= deadline) {
      return fail(ErrorCode::busy, holder_of(lock.file_, path) + " is in the way of " + what + ".",
                  "Let that run end, or stop it, and try again.");
    }
    if (!env.clock.sleep_for(kRunLockPause, stop)) {
      return fail(ErrorCode::cancelled, "stopped while waiting for " + what + ".");
    }
  }
  write_holder(lock.file_, what, env.clock.now(), path);
  return lock;
}

// False when somebody else has it.
Expected<bool> RunLock::try_lock(const std::string&, const fs::path& path) {
  if (lock_open_file(handle_of(file_))) return true;
  const DWORD error = ::GetLastError();
  if (error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING) return false;
  return fail_last("lock", path);
}

}  // namespace core
