// The command line as a value, and what is generated from it: man page and shell completions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server {

struct OptionPage {
  std::string flag;   // "--destination"
  std::string value;  // what follows it, such as PATH; empty for a switch
  std::string help;   // one or more sentences; may be empty
  std::vector<std::string> choices;
  bool repeats = false;   // may be given several times
  std::string shorter{};  // "-d"; empty for none
  std::string offers{};   // the kind of values that `program offer KIND` prints; empty for none
};

struct VerbPage {
  std::string name;
  std::string help;
  std::string arguments;  // positional ones, such as "NAME"; empty for none
  std::vector<OptionPage> options;
  std::vector<std::string> examples{};  // whole commands
  std::vector<OptionPage> words{};      // what `arguments` are, in their order
};

struct CommandPages {
  std::string program;
  std::string version;
  std::string summary;  // a phrase without a full stop
  std::vector<VerbPage> verbs;
  std::vector<OptionPage> options;          // of the program and of every verb
  std::vector<OptionPage> program_options;  // in place of a verb only
  std::vector<std::pair<int, std::string>> exit_codes;
  std::vector<std::string> examples{};  // to begin with
};

// man(7) source of section 1.
std::string man_page(const CommandPages& pages);
// Scripts that complete verbs, flags, choices, and files after flags that take a path.
std::string bash_completion(const CommandPages& pages);
std::string zsh_completion(const CommandPages& pages);
std::string fish_completion(const CommandPages& pages);

}  // namespace server
