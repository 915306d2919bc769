// The command line over the tools: verbs, exit codes, printing.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "server/command_pages.h"
#include "server/program.h"
#include "server/server_definition.h"

namespace server {

inline constexpr int kExitDone = 0;
inline constexpr int kExitUsage = 2;

// One exit code for each kind of failure; README lists them.
inline constexpr std::array<std::pair<core::ErrorCode, int>, 14> kExitCodes = {{
    {core::ErrorCode::invalid_argument, kExitUsage},
    {core::ErrorCode::not_found, 3},
    {core::ErrorCode::not_a_database, 4},
    {core::ErrorCode::permission_denied, 5},
    {core::ErrorCode::busy, 6},
    {core::ErrorCode::conflict, 7},
    {core::ErrorCode::no_space, 8},
    {core::ErrorCode::damaged, 9},
    {core::ErrorCode::needs_confirmation, 10},
    {core::ErrorCode::unsupported, 11},
    {core::ErrorCode::cancelled, 12},
    {core::ErrorCode::timed_out, 13},
    {core::ErrorCode::io, 14},
    {core::ErrorCode::internal, 15},
}};
int exit_code(core::ErrorCode code);

// Writes a text and a line's end to standard output. The exit code: of io, with a line on standard
// error, where it could not be written.
int print_output(const std::string& text);

// The verb of a tool: as ProgramParts::verbs says, else its name with hyphens.
std::string verb_of(const std::string& tool, const ProgramParts& parts);
// Null: no tool has that verb.
const Tool* tool_with_verb(const std::string& verb, const ServerDefinition& definition,
                           const ProgramParts& parts);
std::string nearest_verb(const std::string& word, const ServerDefinition& definition,
                         const ProgramParts& parts);

// `VERB --flags…` and `call TOOL JSON`: run the tool, print, return the exit code. Results go to
// standard output, errors to standard error.
int run_tool_verb(const Tool& tool, const std::string& verb, const std::vector<std::string>& words,
                  const ServerDefinition& definition, const ProgramParts& parts);
// Whether --help or -h is among them.
bool asks_for_help(const std::vector<std::string>& words);
int run_call(const std::vector<std::string>& words, const ServerDefinition& definition);

// An error's text with the last line, its next step, in the words of the command line: verbs and
// flags in the place of tools and their arguments.
std::string for_shell(const std::string& error_text, const ServerDefinition& definition,
                      const ProgramParts& parts);

// What --help prints, and the source of man page and completions.
std::string help_text(const ServerDefinition& definition, const ProgramParts& parts);
CommandPages command_pages(const ServerDefinition& definition, const ProgramParts& parts);

}  // namespace server
