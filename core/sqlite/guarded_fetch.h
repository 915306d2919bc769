// Pages of a database file straight from SQLite's memory mapping of it, made safe by a MapGuard.
#pragma once

#include <sqlite3.h>

#include "core/platform/map_guard.h"

namespace core {

// What a VFS of ours does in xFetch: asks the system's file `system` for `bytes` at `offset` of its
// mapping, which `guard` watches from then on. `*data` is null, with SQLITE_OK, where the file is
// not mapped: SQLite then reads. SQLITE_IOERR_READ once the guard met a page that could not be
// read.
//
// Where the mapping does not pay within `limits`, SQLite is told to read, too.
// https://www.sqlite.org/mmap.html
int guarded_fetch(sqlite3_file* system, MapGuard& guard, const MapLimits& limits,
                  sqlite3_int64 offset, int bytes, void** data);

// xUnfetch to match.
int guarded_unfetch(sqlite3_file* system, sqlite3_int64 offset, void* data);

}  // namespace core
