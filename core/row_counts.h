// How many rows each ordinary table of a database has.
#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>

#include "core/error.h"

struct sqlite3;

namespace core {

// Counts the rows of every table that is neither virtual, nor the shadow of a virtual one, nor
// SQLite's own. Reads the smallest index of each table or the table itself; interrupting the
// connection or a stop request ends it (cancelled).
Expected<std::map<std::string, std::uint64_t>> count_rows(sqlite3* connection,
                                                          std::stop_token stop);

}  // namespace core
