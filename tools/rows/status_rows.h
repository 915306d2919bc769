// How the rows of each database differ from its last snapshot: a part of backup_status.
#pragma once

#include <stop_token>
#include <string>

#include "core/status/status.h"
#include "tools/arguments.h"

namespace tools {

// More databases, or more time in all, are not compared, and that is told.
inline constexpr std::size_t kMaxComparedDatabases = 20;
inline constexpr std::chrono::seconds kComparedTime{15};

// Adds "rows" to each of `databases`, which are as in `statuses`, with the last snapshot and the
// tables that differ; to `warnings` what could not be compared.
void add_row_comparisons(server::Json& databases, const std::vector<core::DatabaseStatus>& statuses,
                         server::Json& warnings, const Setting& setting, std::stop_token stop);

// "/x/a.db: since its last snapshot 5 rows of notes are gone …", of an entry with "rows".
std::string format_row_comparison(const server::Json& entry);

}  // namespace tools
