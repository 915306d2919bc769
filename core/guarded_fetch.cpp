#include "core/guarded_fetch.h"

#include <algorithm>

namespace core {
namespace {

// SQLite maps a file from its start, to its end or to the limit of the connection.
std::size_t mapped_bytes(sqlite3_file* system) {
  sqlite3_int64 length = 0, limit = -1;
  system->pMethods->xFileSize(system, &length);
  system->pMethods->xFileControl(system, SQLITE_FCNTL_MMAP_SIZE, &limit);
  return static_cast<std::size_t>(std::max<sqlite3_int64>(0, std::min(length, limit)));
}

}  // namespace

int guarded_fetch(sqlite3_file* system, MapGuard& guard, std::size_t max_mapped_bytes,
                  sqlite3_int64 offset, int bytes, void** data) {
  *data = nullptr;
  if (system->pMethods->iVersion < 3) return SQLITE_OK;
  if (guard.faulted()) return SQLITE_IOERR_READ;
  const int rc = system->pMethods->xFetch(system, offset, bytes, data);
  if (rc != SQLITE_OK || *data == nullptr) return rc;
  const void* base = static_cast<const char*>(*data) - offset;
  if (base != guard.base()) guard.watch(base, mapped_bytes(system));
  guard.touch(*data, static_cast<std::size_t>(bytes), max_mapped_bytes);
  return SQLITE_OK;
}

int guarded_unfetch(sqlite3_file* system, sqlite3_int64 offset, void* data) {
  return system->pMethods->iVersion < 3 ? SQLITE_OK
                                        : system->pMethods->xUnfetch(system, offset, data);
}

}  // namespace core
