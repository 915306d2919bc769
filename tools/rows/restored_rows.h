// What a restore of a whole database changes in its tables, for people and as JSON.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "core/rescue/row_comparison.h"
#include "core/restore/restore.h"
#include "tools/arguments.h"

namespace tools {

// Of a preview, by keys, where both can be read; nothing where that is not so.
std::optional<core::RowComparison> compare_preview(const core::RestoreResult& preview,
                                                   const Setting& setting, std::stop_token stop);

// {"notes": {"now": 1507, "then": 1505, "only_then": 5, …}}
server::Json encode_restored_rows(const core::RestoreResult& result,
                                  const std::optional<core::RowComparison>& compared);

// "notes: 5 only in the snapshot, 7 only now; …; 8 tables are the same": of `rows` as above, those
// that differ most first.
std::string restored_rows_sentence(const server::Json& rows, core::Present present);
// The same as a table.
std::string restored_rows_text(const server::Json& rows, bool dry_run, std::size_t width);

}  // namespace tools
