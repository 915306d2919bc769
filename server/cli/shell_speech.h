// Texts that name calls, in the words of a shell: commands of this program, and flags.
#pragma once

#include <string>
#include <vector>

#include "server/mcp/next_step.h"
#include "server/mcp/server_definition.h"

namespace server {

// "retain_days" -> "--retain-days".
std::string flag_of(const std::string& argument);
// "--no-dry-run", which turns "--dry-run" off.
std::string off_flag_of(const std::string& argument);
// The command-line verb of a tool: as Tool::verb says, else its name with hyphens.
std::string verb_of(const Tool& tool);

// The words of the command that makes the call; without a tool only the flags.
std::vector<std::string> shell_words(const NextStep& step, const std::string& program,
                                     const std::string& verb);
// "`program restore --snapshot '/a b.db' --in-place`": what a POSIX shell reads as meant. The
// definition must outlive the result.
Speech speech_for_shell(const ServerDefinition& definition, const std::string& program);

}  // namespace server
