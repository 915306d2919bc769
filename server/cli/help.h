// What --help prints: the command line as a value (command_pages.h), for people at a terminal.
#pragma once

#include <cstddef>
#include <string>

#include "server/cli/command_pages.h"

namespace server {

// The words of the text on lines of at most `width` characters, each after the first begun with
// `indent` blanks; `column` characters stand on the first line already. What stands in backquotes
// and a word that is longer stay whole. Pure, like the rest.
std::string folded(const std::string& text, std::size_t width, std::size_t indent = 0,
                   std::size_t column = 0);

// Of one command: what it does, examples, all flags.
std::string verb_help(const CommandPages& pages, const VerbPage& verb, std::size_t width);
// Of the program: its commands in a line or two each.
std::string program_help(const CommandPages& pages, std::size_t width);
// The width for what is read, not measured: the terminal's, and no wider than reads well.
std::size_t help_width();

}  // namespace server
