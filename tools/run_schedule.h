// The tool run_schedule.
#pragma once

#include "core/schedule/install.h"
#include "tools/arguments.h"

namespace tools {

server::Tool run_schedule(const Setting& setting);

// A run that a scheduler did for us: snapshot, size, times, verdict; of a folder, each of its
// databases. Shared with install_schedule.
server::Json encode_run(const core::ProvenRun& run);
// The warnings of a run, and what its verification could not check.
std::vector<std::string> warnings_of(const core::ProvenRun& run);
// "Ran by …: wrote …, verified."
std::string format_run(const server::Json& run);
// What a client may have subscribed to that this run changed.
std::vector<std::string> uris_of(const server::Json& run, const server::Json& expired,
                                 const Setting& setting);

}  // namespace tools
