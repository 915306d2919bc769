// What a shell's completions offer: names of schedules, days of snapshots, destinations.
#pragma once

#include <string>
#include <vector>

#include "tools/arguments.h"

namespace tools {

// Of "schedules", "snapshots" or "destinations"; of another kind nothing. Only what is near: a
// person waits at the tabulator key.
std::vector<std::string> offers(const std::string& kind, const Setting& setting);

}  // namespace tools
