// The tool restore_all.
#pragma once

#include <cstddef>
#include <string>

#include "core/moving/held.h"
#include "tools/arguments.h"

namespace tools {

// For people; tables within `width` columns (0: no limit).
std::string restore_all_text(const server::Json& structured, std::size_t width);
server::Tool restore_all(const Setting& setting);

// Where the call names a destination: adds `lacking`, what that holds and this machine lacks, and a
// warning with the call that brings it home. Shared by the tools that say what there is.
core::Expected<> add_lacking(server::Json& structured, const Arguments& arguments,
                             const Setting& setting, std::stop_token stop);
// "Not on this machine:" and a table; empty where `lacking` is absent or empty.
std::string format_lacking(const server::Json& structured, std::size_t width);

}  // namespace tools
