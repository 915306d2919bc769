#include "core/sqlite/guarded_fetch.h"

#include <algorithm>

namespace core {
namespace {

// Newer versions of SQLite keep so many bytes behind each page mapped, for what reads past its end.
constexpr sqlite3_int64 kEofBuffer = 256;

// How much of the file is mapped for certain; 0 if that is less than it now ought to be. SQLite
// maps a file from its start, to its end at that time or to the limit of the connection.
std::size_t mapped_bytes(sqlite3_file* system) {
  sqlite3_int64 length = 0, limit = -1;
  system->pMethods->xFileSize(system, &length);
  system->pMethods->xFileControl(system, SQLITE_FCNTL_MMAP_SIZE, &limit);
  const sqlite3_int64 bytes = std::min(length, limit) - kEofBuffer;
  if (bytes <= 0) return 0;
  void* last = nullptr;
  if (system->pMethods->xFetch(system, bytes - 1, 1, &last) != SQLITE_OK || last == nullptr)
    return 0;
  system->pMethods->xUnfetch(system, bytes - 1, last);
  return static_cast<std::size_t>(bytes);
}

}  // namespace

int guarded_fetch(sqlite3_file* system, MapGuard& guard, const MapLimits& limits,
                  sqlite3_int64 offset, int bytes, void** data) {
  *data = nullptr;
  if (guard.faulted()) return SQLITE_IOERR_READ;
  if (system->pMethods->iVersion < 3 || !guard.pays()) return SQLITE_OK;
  void* page = nullptr;
  const int rc = system->pMethods->xFetch(system, offset, bytes, &page);
  if (rc != SQLITE_OK || page == nullptr) return rc;
  const void* base = static_cast<const char*>(page) - offset;
  if (base != guard.base()) guard.watch(base, mapped_bytes(system));
  if (!guard.touch(page, static_cast<std::size_t>(bytes), limits)) {
    return system->pMethods->xUnfetch(system, offset, page);
  }
  *data = page;
  return SQLITE_OK;
}

int guarded_unfetch(sqlite3_file* system, sqlite3_int64 offset, void* data) {
  return system->pMethods->iVersion < 3 ? SQLITE_OK
                                        : system->pMethods->xUnfetch(system, offset, data);
}

}  // namespace core
