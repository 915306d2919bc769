// The tool find_lost_rows.
#pragma once

#include <cstddef>
#include <string>

#include "core/rescue/lost_rows.h"
#include "tools/arguments.h"

namespace tools {

// For people; tables within `width` columns (0: no limit).
std::string find_lost_rows_text(const server::Json& structured, std::size_t width);
server::Tool find_lost_rows(const Setting& setting);

// The search that the arguments mean: source, destination (argument, variable, else the latest that
// has snapshots of the source), snapshot, tables, keys, text. Shared with restore_rows. Asks for
// the destination where none is known; with `snapshot` it may be absent.
server::ToolOutcome<core::LostRowsRequest> lost_rows_request(const Arguments& arguments,
                                                             server::CallContext& context,
                                                             const Setting& setting);

// Tables with the reason why each was not compared or written.
server::Json encode_refused(const std::vector<core::RefusedTable>& refused);

}  // namespace tools
