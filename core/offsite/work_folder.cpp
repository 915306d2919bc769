#include "core/offsite/work_folder.h"

#include <optional>
#include <utility>

#include "core/base/paths.h"

namespace core {
namespace {

constexpr int kMaxDepth = 6;  // host, label and name, and what rclone makes on the way

void empty_folder(const fs::path& folder, int depth, FileSystem& files) {
  const auto entries = files.list(folder, kMaxFolderEntries);
  if (!entries || depth > kMaxDepth) return;
  for (const DirEntry& entry : *entries) {
    const fs::path path = folder / path_of(entry.name);
    if (entry.kind == FileInfo::Kind::folder) {
      empty_folder(path, depth + 1, files);
    } else {
      (void)files.remove(path);
    }
  }
  (void)files.remove_empty_folder(folder);
}

}  // namespace

Expected<WorkFolder> WorkFolder::make(const Env& env, std::stop_token stop) {
  std::optional<WorkFolder> mine;
  for (int number = 1; number <= kMaxWorkFolders; ++number) {
    const fs::path path = env.places.state / "fetched" / std::to_string(number);
    if (mine && !env.files.info(path)) continue;
    auto lock = RunLock::acquire("fetched " + std::to_string(number), "a look off this machine",
                                 std::chrono::milliseconds(0), env, stop);
    if (!lock && lock.error().code != ErrorCode::busy) return fail(lock.error());
    if (!lock) continue;
    empty_folder(path, 0, env.files);
    if (mine) continue;
    BPD_TRY(env.files.make_folders(path, kPrivateFolder));
    mine.emplace(WorkFolder(path, std::move(*lock), env.files));
  }
  if (mine) return std::move(*mine);
  return fail(ErrorCode::busy,
              "As many looks off this machine as are possible at once go on already.",
              "Try again when one has ended.");
}

WorkFolder::WorkFolder(WorkFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)), files_(other.files_) {}

WorkFolder::~WorkFolder() {
  if (!path_.empty()) empty_folder(path_, 0, *files_);
}

}  // namespace core
