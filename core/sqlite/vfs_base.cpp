#include "core/sqlite/vfs_base.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/sqlite/sqlite.h"

namespace core {
namespace {

// The last one without what only SQLite's own tests use.
constexpr int kVfsVersion = 2;

// The path is whole already, and no link on it is to be looked at.
int x_full_pathname(sqlite3_vfs*, const char* path, int bytes, char* out) {
  const std::string_view text(path);
  if (text.size() >= static_cast<std::size_t>(bytes)) return SQLITE_CANTOPEN;
  std::memcpy(out, text.data(), text.size() + 1);
  return SQLITE_OK;
}

}  // namespace

sqlite3_vfs* system_vfs() {
  sqlite::start();
  return sqlite3_vfs_find(nullptr);
}

RegisteredVfs::RegisteredVfs(const char* kind, sqlite3_vfs* below, FileBytes file,
                             const Methods& methods, void* data)
    : result_(SQLITE_ERROR) {
  static std::atomic<std::uint64_t> next_number{0};
  name_ = "bpd-" + std::string(kind) + "-" + std::to_string(next_number++);
  if (below == nullptr) return;
  vfs_ = *below;
  vfs_.iVersion = std::min(vfs_.iVersion, kVfsVersion);
  const std::size_t each = aligned(static_cast<std::size_t>(below->szOsFile));
  vfs_.szOsFile = static_cast<int>(aligned(file.own) + file.inner_files * each);
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = data;
  vfs_.xOpen = methods.open;
  vfs_.xDelete = methods.remove;
  vfs_.xAccess = methods.access;
  vfs_.xFullPathname = x_full_pathname;
  result_ = sqlite3_vfs_register(&vfs_, 0);
}

RegisteredVfs::~RegisteredVfs() {
  if (result_ == SQLITE_OK) sqlite3_vfs_unregister(&vfs_);
}

}  // namespace core
