// The body of both programs: reads the command line and runs a tool, the stdio server, or HTTP.
#pragma once

#include "server/cli/program_parts.h"

namespace server {

// Returns the exit code. Reads and writes the standard streams.
int run_program(int argc, char** argv, const ProgramParts& parts);

}  // namespace server
