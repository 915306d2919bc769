// Core's values as the JSON of structuredContent, and as text for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/catalog/retention.h"
#include "core/schedule/job.h"
#include "core/verify/verify.h"
#include "server/jsonrpc/json.h"

namespace tools {

// Its "source", or the "folder", "global" and "pattern" that it covers.
void put_place(server::Json& json, const core::BackupJob& job);
// One entry of list_snapshots.
server::Json encode_snapshot(const core::Snapshot& snapshot, core::Instant now);
// Those that retention removed, or would: path and reason of each.
server::Json encode_expired(const std::vector<core::Expiry>& decisions);
// A line each.
std::string format_expired(const server::Json& expired, bool dry_run);
server::Json encode_checks(const std::vector<core::VerifyCheck>& checks);
// Hours since `then`, to one decimal; 0 for a time ahead of the clock.
double age_hours(core::Instant then, core::Instant now);

// "409.6 kB", "1.2 GB": decimal units, as file managers and `ls --si` show them.
std::string format_bytes(std::uint64_t bytes);
// "1 row", "7 rows".
std::string format_count(std::uint64_t count, const std::string& noun);
// "3 h", "12 days".
std::string format_age(double hours);
// Columns padded to their widest cell (within reason), two spaces between, a line per row: cells
// are anybody's names and stay on their line.
// Where a row is wider than `width` (0: no limit), the cells of all rows from some column on stand
// on lines of their own below, indented, under the names that the first row has for them. A cell
// that is still wider stays whole: it may be a path, and is to be copied.
std::string format_table(std::vector<std::vector<std::string>> rows, std::size_t width = 0);
// One line per check: "passed   quick_check", failures with their findings below.
std::string format_checks(const server::Json& checks);
// Where there is a further page, how to get it.
std::string format_more(const server::Json& structured);
// "Warning: …" lines, empty for none.
std::string format_warnings(const server::Json& structured);

}  // namespace tools
