// The tool prune_snapshots.
#pragma once

#include <cstddef>
#include <string>

#include "core/status/kept_files.h"
#include "tools/arguments.h"

namespace tools {

// For people; tables within `width` columns (0: no limit).
std::string prune_snapshots_text(const server::Json& structured, std::size_t width);
server::Tool prune_snapshots(const Setting& setting);

// The files that stay until somebody removes them, as the status lists them, too.
server::Json encode_kept(const std::vector<core::KeptFile>& kept, const Setting& setting);
// A table, and how to be rid of them; empty for none.
std::string format_kept(const server::Json& kept, std::size_t width);

}  // namespace tools
