#include "core/platform/folder_lock.h"

#include "core/base/paths.h"

namespace core {
namespace {

constexpr std::chrono::milliseconds kFolderLockPause{25};

}  // namespace

Expected<FolderLock> FolderLock::acquire(const fs::path& folder, std::chrono::milliseconds timeout,
                                         const Env& env, std::stop_token stop) {
  BPD_TRY_AS(opened, Folder::open(folder));
  FolderLock lock{Descriptor()};
  const auto deadline = env.clock.steady_now() + timeout;
  while (lock.try_lock(*opened) == Outcome::taken) {
    if (env.clock.steady_now() >= deadline) {
      return fail(ErrorCode::busy,
                  "Another run, of another user or machine, is at work in " + text_of(folder) + ".",
                  "Let that run end, and try again.");
    }
    if (!env.clock.sleep_for(kFolderLockPause, stop)) {
      return fail(ErrorCode::cancelled, "stopped while waiting for " + text_of(folder) + ".");
    }
  }
  return lock;
}

}  // namespace core
