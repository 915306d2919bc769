#include "core/sqlite/sealed_vfs.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "core/base/hex.h"
#include "core/base/paths.h"
#include "core/platform/folder.h"
#include "core/platform/page_cache.h"
#include "core/sqlite/file_header.h"
#include "core/sqlite/guarded_fetch.h"
#include "core/sqlite/newer_schema.h"
#include "core/sqlite/vfs_base.h"

namespace core {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;         // xRead takes at most 131,071
constexpr std::size_t kMappedPieceBytes = 256 * 1024;  // stays in the CPU's cache
// All that SQLite's default build maps (SQLITE_MAX_MMAP_SIZE); beyond it, it reads.
constexpr std::int64_t kMapBytes = 0x7fff0000;
// All lanes of one check together stay within 64 MiB.
constexpr MapLimits kInSequence{4 << 20, 0};
constexpr MapLimits kInAnyOrder{54 << 20, 54 << 20};
// For one that keeps pages: each look-up brings in much more than it reads, and finds little of it
// again before all goes back. (A reader in sequence reads all that comes in.)
constexpr MapLimits kLookUps{54 << 20, 54 << 20, 2};
// Of one page here and one there, which are not read again.
constexpr MapLimits kOnceEach{4 << 20, 54 << 20};
constexpr const char* kCacheKib = "2048";
// For one lane, once its mapping was given up. The other lanes share what PageCache leaves them.
constexpr std::size_t kCachedBytes = 48 << 20;

// No value of a database is longer than its file. What a schema computes can be: of a generated
// column or an indexed expression we allow this much.
constexpr std::uint64_t kMinValueBytes = 1 << 20;
constexpr std::uint64_t kMaxValueBytes = 1'000'000'000;  // SQLite's own limit
// For all connections of the process together; the caches of our own come on top.
constexpr sqlite3_int64 kMaxHeapBytes = 1 << 30;

// SQLite keeps a pointer to the name under which it opened a file.
struct Way {
  Folder folder;
  VfsName name;
};

struct SealedFile {
  sqlite3_file base;
  bool database;  // else a temporary file of SQLite's own, which it may write
  std::atomic<std::uint64_t> bytes_read;
  std::atomic<bool> read_failed;  // by the disk: a file that ends early is another matter
  MapGuard guard;
  bool keeps_pages;
  std::optional<PageCache> cache;
  std::optional<Way> way;
  std::size_t inner_bytes;
};

SealedFile& self(sqlite3_file* file) {
  return own_file<SealedFile>(file);
}
sqlite3_file* inner(sqlite3_file* file) {
  return inner_file<SealedFile>(file);
}
// The same database once more, of which nothing is ever mapped. (SQLite shares the locks of both,
// so that closing one loses none.)
sqlite3_file* unmapped(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(inner(file)) +
                                         self(file).inner_bytes);
}
const sqlite3_io_methods& methods(sqlite3_file* file) {
  return *inner(file)->pMethods;
}

void count(sqlite3_file* file, std::int64_t bytes) {
  self(file).bytes_read.fetch_add(static_cast<std::uint64_t>(bytes), std::memory_order_relaxed);
}

int fetch(sqlite3_file* file, const MapLimits& limits, sqlite3_int64 offset, int bytes,
          void** data) {
  return guarded_fetch(inner(file), self(file).guard, limits, offset, bytes, data);
}
// Always from the file: the system's xRead of a mapped one would copy from the mapping.
int read(sqlite3_file* file, void* data, int bytes, sqlite3_int64 offset) {
  sqlite3_file* from = self(file).database ? unmapped(file) : inner(file);
  const int rc = from->pMethods->xRead(from, data, bytes, offset);
  if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) self(file).read_failed = true;
  return rc;
}

// Where the mapping does not pay.
void* cached(sqlite3_file* file, sqlite3_int64 offset, int bytes) {
  auto& cache = self(file).cache;
  const auto page_bytes = static_cast<std::size_t>(bytes);
  if (!cache) {
    sqlite3_int64 length = 0;
    methods(file).xFileSize(inner(file), &length);
    cache.emplace(page_bytes, std::min(kCachedBytes, static_cast<std::size_t>(length)));
  }
  if (cache->page_bytes() != page_bytes) return nullptr;
  return cache->pin(offset, [&](void* data, std::int64_t at) {
    return read(file, data, bytes, at) == SQLITE_OK;
  });
}

int x_close(sqlite3_file* file) {
  self(file).cache.reset();
  self(file).guard.~MapGuard();
  if (self(file).database) unmapped(file)->pMethods->xClose(unmapped(file));
  const int rc = methods(file).xClose(inner(file));
  self(file).way.reset();
  return rc;
}
int x_read(sqlite3_file* file, void* data, int bytes, sqlite3_int64 offset) {
  count(file, bytes);
  const int rc = read(file, data, bytes, offset);
  // A header that says WAL would have SQLite look for a -wal: its state alone is in the file.
  if (rc == SQLITE_OK && self(file).database && offset == 0 &&
      static_cast<std::size_t>(bytes) >= kFileHeaderBytes) {
    auto* header = static_cast<unsigned char*>(data);
    for (const std::size_t at : {kWriteVersionAt, kReadVersionAt}) {
      if (header[at] == kWalVersion) header[at] = kRollbackVersion;
    }
  }
  return rc;
}
int x_write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
  if (self(file).database) return SQLITE_READONLY;
  return methods(file).xWrite(inner(file), data, bytes, offset);
}
int x_truncate(sqlite3_file* file, sqlite3_int64 bytes) {
  if (self(file).database) return SQLITE_READONLY;
  return methods(file).xTruncate(inner(file), bytes);
}
int x_sync(sqlite3_file* file, int flags) {
  return self(file).database ? SQLITE_OK : methods(file).xSync(inner(file), flags);
}
// The file does not change, so nobody else matters. That no lock is ever taken also keeps SQLite's
// close from waiting for one.
int x_lock(sqlite3_file*, int) {
  return SQLITE_OK;
}
int x_unlock(sqlite3_file* file, int level) {
  // Nobody holds a page any more: other lanes may have the memory.
  if (level == SQLITE_LOCK_NONE) {
    self(file).cache.reset();
    self(file).guard.let_go();
  }
  return SQLITE_OK;
}
int x_check_reserved_lock(sqlite3_file*, int* held) {
  *held = 0;
  return SQLITE_OK;
}
int x_file_control(sqlite3_file* file, int operation, void* argument) {
  // The size hint would grow the file on disk.
  if (operation == SQLITE_FCNTL_SIZE_HINT && self(file).database) return SQLITE_OK;
  return methods(file).xFileControl(inner(file), operation, argument);
}
int x_fetch(sqlite3_file* file, sqlite3_int64 offset, int bytes, void** data) {
  *data = nullptr;
  if (offset == 0) return SQLITE_OK;  // page 1 goes through x_read
  count(file, bytes);
  const SealedFile& sealed = self(file);
  const int rc = fetch(file, sealed.keeps_pages ? kLookUps : kInAnyOrder, offset, bytes, data);
  if (rc == SQLITE_OK && *data == nullptr && sealed.keeps_pages && !sealed.guard.pays()) {
    *data = cached(file, offset, bytes);
  }
  return rc;
}
int x_unfetch(sqlite3_file* file, sqlite3_int64 offset, void* data) {
  auto& cache = self(file).cache;
  if (cache && data != nullptr && cache->unpin(data)) return SQLITE_OK;
  return guarded_unfetch(inner(file), offset, data);
}

using Methods = sqlite3_io_methods;
const Methods kMethods = {3,
                          x_close,
                          x_read,
                          x_write,
                          x_truncate,
                          x_sync,
                          hand_on<SealedFile, &Methods::xFileSize>,
                          x_lock,
                          x_unlock,
                          x_check_reserved_lock,
                          x_file_control,
                          hand_on<SealedFile, &Methods::xSectorSize>,
                          hand_on<SealedFile, &Methods::xDeviceCharacteristics>,
                          nullptr,  // no shared memory: no WAL
                          nullptr,
                          nullptr,
                          nullptr,
                          x_fetch,
                          x_unfetch};

// Two descriptors on what lies there.
int open_twice(sqlite3_vfs* system, sqlite3_file* file, const char* path, int flags, int* out) {
  auto folder = Folder::of(path_of(path));
  if (!folder) return SQLITE_CANTOPEN;
  VfsName name(folder->way_to(text_of(path_of(path).filename())));
  const char* way = self(file).way.emplace(Way{std::move(*folder), std::move(name)}).name.get();
  int rc = system->xOpen(system, way, inner(file), flags, out);
  if (rc == SQLITE_OK) {
    rc = system->xOpen(system, way, unmapped(file), flags, nullptr);
    if (rc != SQLITE_OK) methods(file).xClose(inner(file));
  }
  if (rc != SQLITE_OK) self(file).way.reset();
  return rc;
}

int x_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const bool database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  const bool temporary = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  auto* created = new (file) SealedFile{};  // SQLite owns the memory and never destroys
  created->database = database;
  if (!database && !temporary) return SQLITE_CANTOPEN;  // a journal would lie beside the file
  int real_flags = flags;
  if (database) {
    real_flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI);
    real_flags |= SQLITE_OPEN_READONLY;
  }
  sqlite3_vfs* system = &data_of<sqlite3_vfs>(vfs);
  created->inner_bytes = aligned(static_cast<std::size_t>(system->szOsFile));
  const int rc = database ? open_twice(system, file, name, real_flags, out_flags)
                          : system->xOpen(system, name, inner(file), real_flags, out_flags);
  if (rc == SQLITE_OK) {
    created->base.pMethods = &kMethods;
  } else {
    created->guard.~MapGuard();
  }
  if (out_flags != nullptr) *out_flags = flags;
  return rc;
}

// Neither journal nor WAL is looked for.
int x_access(sqlite3_vfs*, const char*, int, int* result) {
  *result = 0;
  return SQLITE_OK;
}
int x_delete(sqlite3_vfs*, const char*, int) {
  return SQLITE_READONLY;
}

// Registered once and for the life of the program.
RegisteredVfs& sealed_vfs() {
  static RegisteredVfs& vfs = []() -> RegisteredVfs& {
    sqlite3_vfs* system = system_vfs();
    sqlite3_hard_heap_limit64(kMaxHeapBytes);
    constexpr RegisteredVfs::Methods kVfsMethods{x_open, x_delete, x_access};
    return *new RegisteredVfs("sealed", system, {sizeof(SealedFile), 2}, kVfsMethods, system);
  }();
  return vfs;
}

// Mapped pages that could not be read although the file has not been cut short.
bool lost_pages(sqlite3_file* file, std::uint64_t file_bytes) {
  if (!self(file).guard.faulted()) return false;
  sqlite3_int64 length = 0;
  methods(file).xFileSize(inner(file), &length);
  return static_cast<std::uint64_t>(length) >= file_bytes;
}

// A stranger's schema is data: nothing in it runs that we do not ask for, and what does run stays
// in proportion to the file. https://www.sqlite.org/security.html
void restrict_schema(sqlite3* connection) {
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_int64 bytes = 0;
  sqlite3_file* file = sqlite::main_file(connection);
  if (file != nullptr) methods(file).xFileSize(inner(file), &bytes);
  const auto longest =
      std::clamp(static_cast<std::uint64_t>(bytes), kMinValueBytes, kMaxValueBytes);
  sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, static_cast<int>(longest));
}

Expected<> prepare_to_open(const std::filesystem::path& path) {
  const RegisteredVfs& vfs = sealed_vfs();
  if (vfs.result() != SQLITE_OK) {
    return fail(sqlite::error_from(vfs.result(), nullptr, "cannot register a VFS"));
  }
  // Its error says more than SQLite's.
  if (const auto folder = Folder::of(path); !folder) return fail(folder.error());
  return {};
}

}  // namespace

Expected<std::string> sealed_uri(const std::filesystem::path& path) {
  BPD_TRY(prepare_to_open(path));
  std::string uri = "file:";
  for (const char c : text_of(path)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
    if (plain || (c >= '-' && c <= '9')) {
      uri += c;
    } else {
      uri += "%" + hex_of({&c, 1});
    }
  }
  return uri + "?mode=ro&vfs=" + sealed_vfs().name();
}

Expected<sqlite::ConnectionHandle> open_sealed(const std::filesystem::path& path) {
  BPD_TRY(prepare_to_open(path));
  BPD_TRY_AS(connection, sqlite::open(text_of(path), SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                                      sealed_vfs().name()));
  sqlite3* raw = connection->get();
  restrict_schema(raw);
  sqlite::stand_in_for_collations(raw);
  // A CHECK is a rule for what is written, and may call functions that only its program has. The
  // last of these reads the file and fails on a damaged one: for the checks to tell about.
  const std::string settings = "PRAGMA mmap_size = " + std::to_string(kMapBytes) +
                               "; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON; "
                               "PRAGMA ignore_check_constraints = ON; "
                               "PRAGMA cache_size = -" +
                               kCacheKib;
  sqlite3_exec(raw, settings.c_str(), nullptr, nullptr, nullptr);
  accept_newer_schema(raw, newer_writer(raw));
  return connection;
}

const std::atomic<std::uint64_t>& bytes_read(sqlite3* connection) {
  return self(sqlite::main_file(connection)).bytes_read;
}

void keep_pages(sqlite3* connection, bool keep) {
  self(sqlite::main_file(connection)).keeps_pages = keep;
}

bool read_failed(sqlite3* connection, std::uint64_t file_bytes) {
  sqlite3_file* file = sqlite::main_file(connection);
  return self(file).read_failed || lost_pages(file, file_bytes);
}

Expected<> read_through(sqlite3* connection, std::uint64_t bytes,
                        const std::function<bool(const void* data, std::size_t bytes)>& take) {
  sqlite3_file* file = sqlite::main_file(connection);
  std::vector<unsigned char> buffer(kPieceBytes);
  for (std::uint64_t offset = 0; offset < bytes;) {
    const auto at = static_cast<sqlite3_int64>(offset);
    auto piece = static_cast<int>(std::min<std::uint64_t>(kMappedPieceBytes, bytes - offset));
    void* mapped = nullptr;
    int rc = fetch(file, kInSequence, at, piece, &mapped);
    bool goes_on = true;
    if (rc == SQLITE_OK && mapped != nullptr) {
      goes_on = take(mapped, static_cast<std::size_t>(piece));
      rc = methods(file).xUnfetch(inner(file), at, mapped);
      if (self(file).guard.faulted()) {
        rc = lost_pages(file, bytes) ? SQLITE_IOERR_READ : SQLITE_IOERR_SHORT_READ;
      }
    } else if (rc == SQLITE_OK) {
      piece = std::min(piece, static_cast<int>(kPieceBytes));
      rc = read(file, buffer.data(), piece, at);
      if (rc == SQLITE_OK) goes_on = take(buffer.data(), static_cast<std::size_t>(piece));
    }
    if (rc != SQLITE_OK) {
      return fail(sqlite::error_from(rc, nullptr, "cannot read at byte " + std::to_string(offset)));
    }
    if (!goes_on) return {};
    offset += static_cast<std::uint64_t>(piece);
  }
  return {};
}

PageReader::PageReader(sqlite3* connection, std::uint32_t page_bytes)
    : file_(sqlite::main_file(connection)), page_bytes_(page_bytes), buffer_(page_bytes) {}

PageReader::~PageReader() {
  release();
}

void PageReader::release() {
  if (mapped_ != nullptr) guarded_unfetch(inner(file_), offset_, mapped_);
  mapped_ = nullptr;
  offset_ = -1;
}

const unsigned char* PageReader::page(std::uint32_t number) {
  const std::int64_t offset = (std::int64_t{number} - 1) * page_bytes_;
  const auto bytes = static_cast<int>(page_bytes_);
  if (offset != offset_) {
    release();
    int rc = fetch(file_, kOnceEach, offset, bytes, &mapped_);
    if (rc == SQLITE_OK && mapped_ == nullptr) rc = read(file_, buffer_.data(), bytes, offset);
    if (rc != SQLITE_OK) return nullptr;
    offset_ = offset;
  }
  return mapped_ != nullptr ? static_cast<const unsigned char*>(mapped_) : buffer_.data();
}

bool PageReader::faulted() const {
  return self(file_).guard.faulted();
}

}  // namespace core
