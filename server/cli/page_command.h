// The command that opens the server's page (ServerDefinition::app) in a browser of this machine.
#pragma once

#include <string>
#include <vector>

#include "server/cli/command_pages.h"
#include "server/cli/program_parts.h"

namespace server {

// Serves the page, on this machine alone, until Ctrl-C, or until nobody has used it for a while.
// Its address goes to standard output, and to a file in the state folder that only this user can
// read; the browser gets that file, for the command line of a program can be read by everybody.
// Where the page is served already, opens that one. Of the tools the page gets those that it may
// call (`visibility` in their entries), and their texts name calls as commands of a shell. Returns
// the exit code.
int run_page_command(const std::vector<std::string>& words, const ServerDefinition& definition,
                     const ProgramParts& parts, const core::Env& env);

// What --help says of its flags.
std::vector<OptionPage> page_options();

}  // namespace server
