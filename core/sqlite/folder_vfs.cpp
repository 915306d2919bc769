#include "core/sqlite/folder_vfs.h"

#include <map>
#include <optional>

#include "core/base/paths.h"
#include "core/sqlite/vfs_base.h"

namespace core {

struct FolderVfs::State {
  explicit State(Folder opened) : folder(std::move(opened)) {}

  const std::string& way_to(const std::string& path) {
    static const std::string kNone;
    const auto known = ways.find(path);
    if (known != ways.end()) return known->second;
    const std::filesystem::path file = path_of(path);
    if (file.parent_path() != folder.path() || !file.has_filename()) return kNone;
    return ways.emplace(path, folder.way_to(text_of(file.filename()))).first->second;
  }

  Folder folder;
  sqlite3_vfs* const system = system_vfs();
  std::map<std::string, std::string> ways;
  std::map<std::string, VfsName> names;  // of opened files: SQLite keeps pointers to these
  std::optional<RegisteredVfs> vfs;
};

namespace {

using State = FolderVfs::State;

int x_open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  State& state = data_of<State>(vfs);
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
  State& state = data_of<State>(vfs);
  const std::string& way = state.way_to(path);
  if (way.empty()) return SQLITE_IOERR_DELETE;
  return state.system->xDelete(state.system, way.c_str(), sync_folder);
}

int x_access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
  State& state = data_of<State>(vfs);
  const std::string& way = state.way_to(path);
  *result = 0;
  if (way.empty()) return SQLITE_OK;
  return state.system->xAccess(state.system, way.c_str(), flags, result);
}

}  // namespace

FolderVfs::FolderVfs(Folder folder) : state_(new State(std::move(folder))) {
  constexpr RegisteredVfs::Methods kMethods{x_open, x_delete, x_access};
  state_->vfs.emplace("folder", state_->system, RegisteredVfs::FileBytes{0, 1}, kMethods,
                      state_.get());
}

FolderVfs::~FolderVfs() = default;

const char* FolderVfs::name() const {
  return state_->vfs->name();
}

sqlite3_vfs* FolderVfs::get() const {
  return state_->vfs->get();
}

const std::string& FolderVfs::way_to(const std::string& path) const {
  return state_->way_to(path);
}

}  // namespace core
