// The command line over the tools: verbs, exit codes, printing.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "server/base/exit_codes.h"
#include "server/cli/command_pages.h"
#include "server/cli/program_parts.h"
#include "server/mcp/server_definition.h"

namespace server {

// Writes a text and a line's end to standard output. The exit code: of io, with a line on standard
// error, where it could not be written.
int print_output(const std::string& text);

// Null: no tool has that verb.
const Tool* tool_with_verb(const std::string& verb, const ServerDefinition& definition);
// The command that a word means: its own, or that of a synonym or of a tool's name.
std::string meant_verb(const std::string& word, const ServerDefinition& definition,
                       const Synonyms& synonyms);
std::string nearest_verb(const std::string& word, const ServerDefinition& definition,
                         const ProgramParts& parts, const Synonyms& synonyms);

// `VERB --flags…` and `call TOOL JSON`: run the tool, print, return the exit code. Results go to
// standard output, errors to standard error. What a verb prints names commands and flags, and what
// it leaves out is filled in by `knowledge`; `call` takes and prints what a model does.
int run_tool_verb(const Tool& tool, const std::string& verb, const std::vector<std::string>& words,
                  const ServerDefinition& definition, const ProgramParts& parts,
                  const ShellKnowledge& knowledge, const View& view);
// Whether --help or -h is among them.
bool asks_for_help(const std::vector<std::string>& words);
int run_call(const std::vector<std::string>& words, const ServerDefinition& definition);

// The source of help, man page and completions.
CommandPages command_pages(const ServerDefinition& definition, const ProgramParts& parts,
                           const ShellKnowledge& knowledge);
// Prints the help of a command, of an unknown one that of the program. The exit code.
int print_verb_help(const std::string& verb, const CommandPages& pages);

}  // namespace server
