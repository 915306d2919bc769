#include "core/sqlite/folder_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <map>
#include <string_view>

#include "core/base/paths.h"
#include "core/sqlite/vfs_name.h"

namespace core {

struct FolderVfs::State {
  explicit State(Folder opened) : folder(std::move(opened)) {}

  const std::string& way_to(const std::string& path) {
    static const std::string kNone;
    const auto known = ways.find(path);
    if (known != ways.end()) return known->second;
    const std::filesystem::path file(path);
    if (file.parent_path() != folder.path() || !file.has_filename()) return kNone;
    return ways.emplace(path, folder.way_to(text_of(file.filename()))).first->second;
  }

  Folder folder;
  sqlite3_vfs vfs{};
  sqlite3_vfs* system = nullptr;
  std::string vfs_name;
  std::map<std::string, std::string> ways;
  std::map<std::string, VfsName> names;  // of opened files: SQLite keeps pointers to these
};

namespace {

using State = FolderVfs::State;

State& state_of(sqlite3_vfs* vfs) {
  return *static_cast<State*>(vfs->pAppData);
}

int x_open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  State& state = state_of(vfs);
  file->pMethods = nullptr;
  const char* way = nullptr;  // as temporary files have it
  if (path != nullptr) {
    const std::string& found = state.way_to(path);
    if (found.empty()) return SQLITE_CANTOPEN;
    way = state.names.try_emplace(path, found).first->second.get();
  }
  return state.system->xOpen(state.system, way, file, flags & ~SQLITE_OPEN_URI, out_flags);
}

int x_delete(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  State& state = state_of(vfs);
  const std::string& way = state.way_to(path);
  if (way.empty()) return SQLITE_IOERR_DELETE;
  return state.system->xDelete(state.system, way.c_str(), sync_folder);
}

int x_access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
  State& state = state_of(vfs);
  const std::string& way = state.way_to(path);
  *result = 0;
  if (way.empty()) return SQLITE_OK;
  return state.system->xAccess(state.system, way.c_str(), flags, result);
}

// The path is whole already, and no link on it is to be looked at.
int x_full_pathname(sqlite3_vfs*, const char* path, int bytes, char* out) {
  const std::string_view text(path);
  if (text.size() >= static_cast<std::size_t>(bytes)) return SQLITE_CANTOPEN;
  std::memcpy(out, text.data(), text.size() + 1);
  return SQLITE_OK;
}

}  // namespace

FolderVfs::FolderVfs(Folder folder) : state_(new State(std::move(folder))) {
  static std::atomic<std::uint64_t> next_number{0};
  sqlite3_initialize();
  state_->system = sqlite3_vfs_find(nullptr);
  state_->vfs_name = "bpd-folder-" + std::to_string(next_number++);
  sqlite3_vfs& vfs = state_->vfs;
  vfs = *state_->system;
  vfs.iVersion = std::min(vfs.iVersion, 2);
  vfs.pNext = nullptr;
  vfs.zName = state_->vfs_name.c_str();
  vfs.pAppData = state_.get();
  vfs.xOpen = x_open;
  vfs.xDelete = x_delete;
  vfs.xAccess = x_access;
  vfs.xFullPathname = x_full_pathname;
  sqlite3_vfs_register(&vfs, 0);
}

FolderVfs::~FolderVfs() {
  sqlite3_vfs_unregister(&state_->vfs);
}

const char* FolderVfs::name() const {
  return state_->vfs_name.c_str();
}

sqlite3_vfs* FolderVfs::get() const {
  return &state_->vfs;
}

const std::string& FolderVfs::way_to(const std::string& path) const {
  return state_->way_to(path);
}

}  // namespace core
