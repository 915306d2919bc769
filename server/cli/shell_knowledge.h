// What a program knows that spares people typing: other words for commands and flags, and arguments
// that follow from what is there.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/base/error.h"
#include "server/cli/view.h"
#include "server/jsonrpc/json.h"
#include "server/mcp/tool.h"

namespace server {

// By what people type. A tool's own commands and flags go first.
struct Synonyms {
  std::map<std::string, std::string, std::less<>> commands;  // "ls": "list"
  std::map<std::string, std::string, std::less<>> flags;     // "--dest": "--destination"
};

// One of the ways on: what the person reads, and the arguments that it stands for.
struct Option {
  std::string shown;
  Json arguments = Json::object();
};

// The arguments with what was filled in, and what the person is told of that, a sentence each.
struct Filled {
  Json arguments = Json::object();
  std::vector<std::string> told{};
};
// More than one fits: only the person knows.
struct Choice {
  std::string question;
  std::vector<Option> options;
};
using Filling = std::variant<Filled, Choice, core::Error>;

// A tool in words for people, where the schema has words for models.
struct ToolWords {
  std::string help;                   // empty: as the schema says it
  std::vector<std::string> examples;  // whole commands
  std::map<std::string, std::string, std::less<>>
      arguments;  // by name; none: as the schema says it
};

// Empty functions: nothing is known.
struct ShellKnowledge {
  Synonyms synonyms;
  // Fills in arguments of the tool of that name that were left out. After a Choice it is asked
  // again, with the arguments of the option that was taken. Changes nothing. Texts may name calls.
  std::function<Filling(const std::string& tool, const Json& arguments)> fill_in;
  // Of the tool of that name; of none ("") the examples to begin with.
  std::function<ToolWords(const std::string& tool)> words;
  // A result for people, as the view has it. Empty: Tool::to_text is shown.
  std::function<std::string(const Tool& tool, const Json& structured, const View& view)> show;
  std::vector<Paint> paints;  // of what is shown
  // What completions offer for a kind of value (ToolEntry::hint, "x-offers"), likeliest first.
  std::function<std::vector<std::string>(const std::string& kind)> offers;
};

}  // namespace server
