#include "core/sqlite/gather_vfs.h"

#include <cassert>
#include <cstring>
#include <optional>

#include "core/sqlite/file_header.h"
#include "core/sqlite/vfs_base.h"

namespace core {

struct GatherVfs::State {
  WriteBehind& file;
  std::vector<unsigned char> first_page;
  std::optional<RegisteredVfs> vfs{};
  bool confirmed = false;
  std::unique_ptr<Error> failure{};
};

namespace {

using State = GatherVfs::State;

struct GatherFile {
  sqlite3_file base;
  State* state;  // null for anything but the database file
};

State& state_of(sqlite3_file* file) {
  return *own_file<GatherFile>(file).state;
}

int io_error(State& state, const Error& error, int result_code) {
  if (!state.failure) state.failure = std::make_unique<Error>(error);
  return error.code == ErrorCode::no_space ? SQLITE_FULL : result_code;
}

bool same_first_page(const std::vector<unsigned char>& ours, const unsigned char* theirs,
                     std::size_t bytes) {
  if (bytes != ours.size()) return false;
  return same_but_for_upkeep(ours.data(), theirs) &&
         std::memcmp(ours.data() + kFileHeaderBytes, theirs + kFileHeaderBytes,
                     bytes - kFileHeaderBytes) == 0;
}

int write_page(State& state, sqlite3_int64 offset, const void* data, std::size_t bytes) {
  if (state.file.size() == 0) {
    const auto first = state.file.write(0, state.first_page.data(), state.first_page.size());
    if (!first) return io_error(state, first.error(), SQLITE_IOERR_WRITE);
  }
  if (offset == 0) {
    if (!same_first_page(state.first_page, static_cast<const unsigned char*>(data), bytes)) {
      return io_error(
          state,
          Error{ErrorCode::internal, "Page 1 of the copy is not the page 1 that was pinned.",
                "Take the snapshot again; if this repeats, report it."},
          SQLITE_IOERR_WRITE);
    }
    state.confirmed = true;
    return SQLITE_OK;
  }
  const auto written = state.file.write(static_cast<std::uint64_t>(offset), data, bytes);
  if (!written) return io_error(state, written.error(), SQLITE_IOERR_WRITE);
  return SQLITE_OK;
}

int x_close(sqlite3_file*) {
  return SQLITE_OK;
}

int x_read(sqlite3_file* file, void* data, int bytes, sqlite3_int64 offset) {
  State& state = state_of(file);
  const auto wanted = static_cast<std::size_t>(bytes);
  const auto got = state.file.read(static_cast<std::uint64_t>(offset), data, wanted);
  if (!got) return io_error(state, got.error(), SQLITE_IOERR_READ);
  if (*got == wanted) return SQLITE_OK;
  std::memset(static_cast<unsigned char*>(data) + *got, 0, wanted - *got);
  return SQLITE_IOERR_SHORT_READ;
}

int x_write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
  return write_page(state_of(file), offset, data, static_cast<std::size_t>(bytes));
}

// SQLite only ever sets the length that the file then has; another one would be a page lost.
int x_truncate(sqlite3_file* file, sqlite3_int64 bytes) {
  State& state = state_of(file);
  const auto wanted = static_cast<std::uint64_t>(bytes);
  if (wanted < state.file.size()) return SQLITE_IOERR_TRUNCATE;
  const auto grown = state.file.write(wanted, nullptr, 0);
  if (!grown) return io_error(state, grown.error(), SQLITE_IOERR_TRUNCATE);
  return SQLITE_OK;
}

int x_sync(sqlite3_file*, int) {
  return SQLITE_OK;
}

int x_file_size(sqlite3_file* file, sqlite3_int64* bytes) {
  *bytes = static_cast<sqlite3_int64>(state_of(file).file.size());
  return SQLITE_OK;
}

int x_lock(sqlite3_file*, int) {
  return SQLITE_OK;
}

int x_check_reserved_lock(sqlite3_file*, int* result) {
  *result = 0;
  return SQLITE_OK;
}

int x_file_control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int x_sector_size(sqlite3_file*) {
  return 4096;
}
int x_device_characteristics(sqlite3_file*) {
  return 0;
}

const sqlite3_io_methods kMethods = {1,
                                     x_close,
                                     x_read,
                                     x_write,
                                     x_truncate,
                                     x_sync,
                                     x_file_size,
                                     x_lock,
                                     x_lock,
                                     x_check_reserved_lock,
                                     x_file_control,
                                     x_sector_size,
                                     x_device_characteristics,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr};

int x_open(sqlite3_vfs* vfs, const char*, sqlite3_file* file, int flags, int* out_flags) {
  auto& opened = own_file<GatherFile>(file);
  opened.base.pMethods = nullptr;
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return SQLITE_CANTOPEN;
  opened.state = &data_of<State>(vfs);
  opened.base.pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int x_delete(sqlite3_vfs*, const char*, int) {
  return SQLITE_OK;
}

int x_access(sqlite3_vfs*, const char*, int, int* result) {
  *result = 0;
  return SQLITE_OK;
}

}  // namespace

GatherVfs::GatherVfs(WriteBehind& file, std::vector<unsigned char> first_page)
    : state_(new State{file, std::move(first_page)}) {
  assert(state_->first_page.size() >= kFileHeaderBytes);
  constexpr RegisteredVfs::Methods kVfsMethods{x_open, x_delete, x_access};
  state_->vfs.emplace("gather", system_vfs(), RegisteredVfs::FileBytes{sizeof(GatherFile), 0},
                      kVfsMethods, state_.get());
}

GatherVfs::~GatherVfs() = default;

const char* GatherVfs::name() const {
  return state_->vfs->name();
}

Expected<> GatherVfs::failure() const {
  if (state_->failure) return fail(*state_->failure);
  return {};
}

bool GatherVfs::first_page_confirmed() const {
  return state_->confirmed;
}

}  // namespace core
