#include "core/sqlite/source_vfs.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "core/base/paths.h"
#include "core/base/prefetch.h"
#include "core/base/side_files.h"
#include "core/sqlite/folder_vfs.h"
#include "core/sqlite/guarded_fetch.h"
#include "core/sqlite/vfs_base.h"

namespace core {

struct SourceVfs::State {
  explicit State(Folder opened) : folder(std::move(opened)), system(folder.get()) {}

  FolderVfs folder;
  sqlite3_vfs* const system;
  std::optional<RegisteredVfs> vfs;
  std::string path;
  bool still = false;  // Media::still
  bool had_wal = false;
  bool had_shm = false;
  bool removes_wal = false;  // once it is closed
  bool side_files_refused = false;
  bool watching = false;
  std::vector<unsigned char> last_read;
  bool reading_ahead = false;
  std::vector<unsigned char> ahead;  // the file's bytes from ahead_offset
  sqlite3_int64 ahead_offset = 0;
  sqlite3_int64 expected_offset = -1;  // where a reader in sequence would go on
  sqlite3_int64 bytes_at_first = -1;   // of the file, when the first page was read so
  MapGuard guard;
  bool read_failed = false;
  const volatile void* wal_index = nullptr;
};

namespace {

namespace fs = std::filesystem;
using State = SourceVfs::State;

constexpr std::size_t kMaxPageBytes = 65'536;
// The copy reads in sequence.
constexpr MapLimits kMapLimits{8 << 20, 0};
// Of a larger page the processor fetches the rest ahead by itself.
constexpr int kMaxPrefetchBytes = 4096;

struct SourceFile {
  sqlite3_file base;
  State* state;
  bool database;  // not -wal, not a journal
  bool wal;
  bool temporary;  // SQLite's own, which lies elsewhere and has no name
};

SourceFile& self(sqlite3_file* file) {
  return own_file<SourceFile>(file);
}
sqlite3_file* inner(sqlite3_file* file) {
  return inner_file<SourceFile>(file);
}

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path_of(path), error));
}

bool is_empty(const std::string& path) {
  std::error_code error;
  return fs::file_size(path_of(path), error) == 0 && !error;
}

int x_close(sqlite3_file* file) {
  State& state = *self(file).state;
  if (self(file).database) state.guard.stop();
  const bool remove = self(file).wal && state.removes_wal;
  const int rc = inner(file)->pMethods->xClose(inner(file));
  // Still under the lock. Not before: Windows removes no file that somebody has open.
  if (remove) (void)state.system->xDelete(state.system, (state.path + kWalSuffix).c_str(), 0);
  return rc;
}

bool take_from_ahead(const State& state, void* data, std::size_t bytes, sqlite3_int64 offset) {
  const sqlite3_int64 at = offset - state.ahead_offset;
  if (at < 0 || static_cast<std::size_t>(at) + bytes > state.ahead.size()) return false;
  std::memcpy(data, state.ahead.data() + at, bytes);
  return true;
}

// True when `data` was filled. A failure or a short read is for the ordinary way to report.
bool read_ahead(State& state, sqlite3_file* system, void* data, std::size_t bytes,
                sqlite3_int64 offset) {
  if (take_from_ahead(state, data, bytes, offset)) return true;
  const bool in_sequence = offset == state.expected_offset;
  state.expected_offset = offset + static_cast<sqlite3_int64>(bytes);
  if (!in_sequence || bytes >= SourceVfs::kReadAheadBytes) return false;
  state.ahead.resize(SourceVfs::kReadAheadBytes);
  state.ahead_offset = offset;
  const int rc = system->pMethods->xRead(system, state.ahead.data(),
                                         static_cast<int>(state.ahead.size()), offset);
  if (rc != SQLITE_OK) {
    state.ahead.clear();
    return false;
  }
  state.expected_offset = offset + static_cast<sqlite3_int64>(state.ahead.size());
  return take_from_ahead(state, data, bytes, offset);
}

int x_read(sqlite3_file* file, void* data, int bytes, sqlite3_int64 offset) {
  State& state = *self(file).state;
  const auto wanted = static_cast<std::size_t>(bytes);
  const bool copying = state.reading_ahead && self(file).database;
  if (copying && state.bytes_at_first < 0) {
    (void)inner(file)->pMethods->xFileSize(inner(file), &state.bytes_at_first);
  }
  if (copying && read_ahead(state, inner(file), data, wanted, offset)) return SQLITE_OK;
  const int rc = inner(file)->pMethods->xRead(inner(file), data, bytes, offset);
  // Where somebody has cut the file short meanwhile, SQLite takes what it lacks for zeros.
  const bool cut = copying && offset + bytes <= state.bytes_at_first;
  if (rc != SQLITE_OK && (rc != SQLITE_IOERR_SHORT_READ || cut)) state.read_failed = true;
  if (state.watching && rc == SQLITE_OK && wanted <= kMaxPageBytes) {
    const auto* from = static_cast<const unsigned char*>(data);
    // Smaller reads are the change counter and the header, larger ones are none of SQLite's.
    if (bytes >= 512) state.last_read.assign(from, from + bytes);
  }
  return rc;
}

int x_write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
  if (!self(file).temporary) return SQLITE_READONLY;
  return inner(file)->pMethods->xWrite(inner(file), data, bytes, offset);
}
int x_truncate(sqlite3_file* file, sqlite3_int64 bytes) {
  if (!self(file).temporary) return SQLITE_READONLY;
  return inner(file)->pMethods->xTruncate(inner(file), bytes);
}
int x_sync(sqlite3_file*, int) {
  return SQLITE_OK;
}

int x_lock(sqlite3_file* file, int level) {
  if (self(file).state->still) return SQLITE_OK;
  return inner(file)->pMethods->xLock(inner(file), level);
}
int x_unlock(sqlite3_file* file, int level) {
  if (self(file).state->still) return SQLITE_OK;
  return inner(file)->pMethods->xUnlock(inner(file), level);
}

int x_file_control(sqlite3_file* file, int operation, void* argument) {
  // These two would change the length of the file.
  if (operation == SQLITE_FCNTL_SIZE_HINT || operation == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
  return inner(file)->pMethods->xFileControl(inner(file), operation, argument);
}

int x_device_characteristics(sqlite3_file* file) {
  const State& state = *self(file).state;
  const int own = inner(file)->pMethods->xDeviceCharacteristics(inner(file));
  // Without a WAL beside it there is none to look for, nor to make.
  const bool alone = state.still && self(file).database && !state.had_wal;
  return alone ? own | SQLITE_IOCAP_IMMUTABLE : own;
}

int x_shm_map(sqlite3_file* file, int region, int bytes, int extend, void volatile** out) {
  const int rc = inner(file)->pMethods->xShmMap(inner(file), region, bytes, extend, out);
  if (rc == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY) {
    self(file).state->side_files_refused = true;
  }
  if (rc == SQLITE_OK && region == 0) self(file).state->wal_index = *out;
  return rc;
}

// SQLite calls this as it closes the WAL, at the moment at which it would itself take the exclusive
// lock and delete both files if it had just checkpointed.
int x_shm_unmap(sqlite3_file* file, int delete_flag) {
  State& state = *self(file).state;
  state.wal_index = nullptr;
  sqlite3_file* system = inner(file);
  const bool ours = !state.had_shm || !state.had_wal;
  if (!ours || system->pMethods->xLock(system, SQLITE_LOCK_EXCLUSIVE) != SQLITE_OK) {
    return system->pMethods->xShmUnmap(system, delete_flag);
  }
  const std::string wal = state.path + kWalSuffix;
  const bool wal_unused = !state.had_wal && is_empty(state.folder.way_to(wal));
  const bool remove_shm = !state.had_shm && (state.had_wal || wal_unused);
  state.removes_wal = wal_unused;
  return system->pMethods->xShmUnmap(system, remove_shm ? 1 : 0);
}

// SQLite asks for a page of the mapping and copies it at once, one after the other: while this one
// is being copied, the next one comes from memory to the processor.
int x_fetch(sqlite3_file* file, sqlite3_int64 offset, int bytes, void** data) {
  State& state = *self(file).state;
  *data = nullptr;
  if (!state.reading_ahead || !self(file).database) return SQLITE_OK;
  const int rc = guarded_fetch(inner(file), state.guard, kMapLimits, offset, bytes, data);
  if (*data == nullptr) return rc;
  prefetch(static_cast<const char*>(*data) + bytes,
           static_cast<std::size_t>(std::min(bytes, kMaxPrefetchBytes)));
  return rc;
}
int x_unfetch(sqlite3_file* file, sqlite3_int64 offset, void* data) {
  return guarded_unfetch(inner(file), offset, data);
}

using Methods = sqlite3_io_methods;
const Methods kMethods = {3,
                          x_close,
                          x_read,
                          x_write,
                          x_truncate,
                          x_sync,
                          hand_on<SourceFile, &Methods::xFileSize>,
                          x_lock,
                          x_unlock,
                          hand_on<SourceFile, &Methods::xCheckReservedLock>,
                          x_file_control,
                          hand_on<SourceFile, &Methods::xSectorSize>,
                          x_device_characteristics,
                          x_shm_map,
                          hand_on<SourceFile, &Methods::xShmLock>,
                          hand_on<SourceFile, &Methods::xShmBarrier>,
                          x_shm_unmap,
                          x_fetch,
                          x_unfetch};

int open_database(State& state, sqlite3_file* file, const char* name, int flags, int* out_flags) {
  state.path = name;
  state.had_wal = exists(state.folder.way_to(state.path + kWalSuffix));
  state.had_shm = exists(state.folder.way_to(state.path + kShmSuffix));
  if (state.still && is_empty(state.folder.way_to(state.path + kWalSuffix))) state.had_wal = false;
  // A descriptor that may write is what locks need; falls back to reading where it may not.
  const int wanted = (flags & ~SQLITE_OPEN_READONLY) | SQLITE_OPEN_READWRITE;
  int got = 0;
  const int rc = state.system->xOpen(state.system, name, inner(file), wanted, &got);
  // SQLite hears "read-only" and so never tries to roll back or to checkpoint.
  if (out_flags != nullptr) *out_flags = (got & ~SQLITE_OPEN_READWRITE) | SQLITE_OPEN_READONLY;
  return rc;
}

int x_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  SourceFile& opened = self(file);
  State& state = data_of<State>(vfs);
  opened.base.pMethods = nullptr;
  opened.state = &state;
  opened.database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  opened.wal = (flags & SQLITE_OPEN_WAL) != 0;
  opened.temporary = name == nullptr;
  std::memset(static_cast<void*>(inner(file)), 0, static_cast<std::size_t>(state.system->szOsFile));
  int rc = SQLITE_OK;
  if (opened.database) {
    rc = open_database(state, file, name, flags, out_flags);
  } else {
    if (state.still && !opened.temporary) {
      flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    }
    rc = state.system->xOpen(state.system, name, inner(file), flags, out_flags);
    if (rc != SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) state.side_files_refused = true;
  }
  if (inner(file)->pMethods != nullptr) opened.base.pMethods = &kMethods;
  return rc;
}

int x_delete(sqlite3_vfs*, const char*, int) {
  return SQLITE_IOERR_DELETE;
}

int x_access(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  State& state = data_of<State>(vfs);
  return state.system->xAccess(state.system, name, flags, result);
}

}  // namespace

SourceVfs::SourceVfs(Folder folder, Media media) : state_(new State(std::move(folder))) {
  state_->still = media == Media::still;
  constexpr RegisteredVfs::Methods kVfsMethods{x_open, x_delete, x_access};
  state_->vfs.emplace("source", state_->system, RegisteredVfs::FileBytes{sizeof(SourceFile), 1},
                      kVfsMethods, state_.get());
}

SourceVfs::~SourceVfs() = default;

const char* SourceVfs::name() const {
  return state_->vfs->name();
}

void SourceVfs::start_watching() {
  state_->last_read.clear();
  state_->watching = true;
}

std::vector<unsigned char> SourceVfs::stop_watching(std::size_t page_bytes) {
  state_->watching = false;
  if (state_->last_read.size() != page_bytes) return {};
  return std::move(state_->last_read);
}

void SourceVfs::start_reading_ahead() {
  state_->reading_ahead = true;
}

bool SourceVfs::lost_pages() const {
  return state_->guard.faulted() || state_->read_failed;
}

int SourceVfs::sync(sqlite3_file* file) {
  if (self(file).state->still) return SQLITE_OK;
  return inner(file)->pMethods->xSync(inner(file), SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

const volatile void* SourceVfs::wal_index() const {
  return state_->wal_index;
}

bool SourceVfs::side_files_refused() const {
  return state_->side_files_refused;
}

}  // namespace core
