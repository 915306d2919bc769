// What a command leaves out and the program knows: which database, where its snapshots are, which
// snapshot a plain word means.
#pragma once

#include "server/cli/shell_knowledge.h"
#include "tools/arguments.h"

namespace tools {

// ShellKnowledge::fill_in for our tools. A guess is for reading, or for what is told before it is
// done: nothing that is given is changed, but that a yes (`confirm`) counts no more where a
// database would be replaced by guess; then the call asks for it. Removing takes no guess at all,
// only a choice. Reads schedules, the history and destinations; changes nothing.
server::Filling fill_in(const std::string& tool, const server::Json& arguments,
                        const Setting& setting);

}  // namespace tools
