// A tool as a command: flags made from its inputSchema, and arguments made from flags.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/cli/command_pages.h"
#include "server/cli/shell_knowledge.h"
#include "server/jsonrpc/json.h"
#include "server/mcp/tool.h"

namespace server {

struct ToolArguments {
  Json arguments = Json::object();
  bool json = false;  // --json
  bool help = false;  // --help: the rest is not to be looked at
};

// Bad usage in one line, with the nearest valid flag where there is one.
struct UsageError {
  std::string message;
};

// Parses the words after the verb. Values are converted to the property's type where they fit and
// left as text where not: the schema's validation words the error. A value that begins with "--"
// must be joined to its flag by '=', and a path must not be empty. Words without a flag go to the
// arguments that the schema numbers for them (ToolEntry::hint, "x-word").
tl::expected<ToolArguments, UsageError> parse_tool_words(const Tool& tool,
                                                         const std::vector<std::string>& words,
                                                         const Synonyms& synonyms = {});

// What the descriptions in a tool's schema call its arguments, as a shell takes them:
// "confirm: true" -> "--confirm", "dry_run: false" -> "--no-dry-run", "'target'" -> "--target",
// "in_place" -> "--in-place". Pure.
std::string with_flags(std::string text, const Tool& tool);
// Replaces a word that stands by itself: not as part of a path or of a longer name. Pure.
std::string replace_word(const std::string& text, const std::string& word,
                         const std::string& replacement);
// In the words that `knowledge` has for people, else in the schema's.
VerbPage page_of(const Tool& tool, const std::string& verb, const ShellKnowledge& knowledge = {});

}  // namespace server
