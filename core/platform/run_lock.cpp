#include "core/platform/run_lock.h"

#include <array>

#include "core/platform/open_file.h"
#include "core/platform/sha256.h"

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
void write_holder(const Descriptor& file, const std::string& text, const fs::path& path) {
  if (set_length(file.get(), 0, path)) {
    (void)write_at(file.get(), text.data(), text.size(), 0, path);
  }
}

}  // namespace

Expected<RunLock> RunLock::acquire(const std::string& key, const std::string& what,
                                   std::chrono::milliseconds timeout, const Env& env,
                                   std::stop_token stop) {
  const std::string name = sha256_of(key).substr(0, kKeyDigits);
  fs::path path = env.places.state / "locks" / (name + ".lock");
  BPD_TRY_AS(opened, open_file(path, env));
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
  write_holder(lock.file_, own_process_id() + " " + format_instant(env.clock.now()) + " " + what,
               path);
  return lock;
}

}  // namespace core
