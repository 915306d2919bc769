#include "server/cli/command_pages.h"

#include <algorithm>
#include <cctype>

namespace server {
namespace {

// What a value stands for decides what a shell offers after the flag.
bool is_path(const OptionPage& option) {
  return option.value == "PATH";
}

std::string replaced(std::string_view text, char from, std::string_view to) {
  std::string result;
  for (const char c : text) {
    if (c == from) {
      result += to;
    } else {
      result += c;
    }
  }
  return result;
}

// In single quotes, as every shell here reads it; fish alone needs more (fish_quoted).
std::string shell_quoted(std::string_view text) {
  return "'" + replaced(text, '\'', "'\\''") + "'";
}

std::string joined(const std::vector<std::string>& words, std::string_view separator = " ") {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

// "_backup_plugin_db": a shell function's name.
std::string function_name(const CommandPages& pages) {
  return "_" + replaced(pages.program, '-', "_");
}

std::vector<std::string> names_of(const std::vector<VerbPage>& verbs) {
  std::vector<std::string> names;
  names.reserve(verbs.size());
  for (const auto& verb : verbs) names.push_back(verb.name);
  return names;
}

std::vector<std::string> flags_of(const std::vector<OptionPage>& options) {
  std::vector<std::string> flags;
  flags.reserve(options.size());
  for (const auto& option : options) flags.push_back(option.flag);
  return flags;
}

// roff: a backslash, and a dot or quote that begins a line, would be commands; a plain hyphen
// could become a typographic one that cannot be pasted into a shell.
std::string roff(std::string_view text) {
  std::string escaped = replaced(replaced(text, '\\', "\\e"), '-', "\\-");
  const bool command = !escaped.empty() && (escaped[0] == '.' || escaped[0] == '\'');
  return command ? "\\&" + escaped : escaped;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string man_option(const OptionPage& option) {
  const std::string shorter = option.shorter.empty() ? "" : option.shorter + ", ";
  std::string text = ".TP\n.B " + roff(shorter + option.flag);
  if (!option.value.empty()) text += " \\fI" + roff(option.value) + "\\fR";
  text += "\n";
  std::string help = option.help;
  if (!option.choices.empty()) {
    help +=
        (help.empty() ? "" : " ") + std::string("One of: ") + joined(option.choices, ", ") + ".";
  }
  if (option.repeats) help += (help.empty() ? "" : " ") + std::string("May be repeated.");
  return text + (help.empty() ? "\\&" : roff(help)) + "\n";
}

// What may stand for a value: what the program knows, by the name that it was called by, and files.
std::string bash_offers(const OptionPage& option) {
  std::string text = "mapfile -t COMPREPLY < <(compgen -W \"$(\"${COMP_WORDS[0]}\" offer " +
                     option.offers + " 2>/dev/null)\" -- \"$current\"";
  if (is_path(option)) text += "; compgen -f -- \"$current\"";
  text += ")";
  if (is_path(option)) text += "; compopt -o filenames 2>/dev/null";
  return text;
}

std::string bash_values(const OptionPage& option, const std::string& indent) {
  if (option.value.empty()) return "";
  std::string text = indent + option.flag;
  if (!option.shorter.empty()) text += "|" + option.shorter;
  text += ") ";
  if (!option.offers.empty()) {
    text += bash_offers(option);
  } else if (!option.choices.empty()) {
    text +=
        "COMPREPLY=($(compgen -W " + shell_quoted(joined(option.choices)) + " -- \"$current\"))";
  } else if (is_path(option)) {
    // A line is a file, whatever blanks are in it.
    text += "mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); ";
    text += "compopt -o filenames 2>/dev/null";
  } else {
    text += "COMPREPLY=()";
  }
  return text + "; return ;;\n";
}

// A word that follows no flag.
std::string bash_word(const VerbPage& verb) {
  if (verb.words.empty()) return "";
  const OptionPage& first = verb.words.front();
  if (first.offers.empty() && !is_path(first)) return "";
  std::string values = first.offers.empty()
                           ? "mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); "
                             "compopt -o filenames 2>/dev/null"
                           : bash_offers(first);
  return "      if [[ $current != -* ]]; then\n        " + values + "\n        return\n      fi\n";
}

// zsh's _arguments: brackets and colons separate the parts of a specification.
std::string zsh_text(std::string_view text) {
  return replaced(replaced(replaced(text, '[', "("), ']', ")"), ':', "\\:");
}

// What follows a flag, or stands in the place of a word.
std::string zsh_values(const CommandPages& pages, const OptionPage& option) {
  if (!option.offers.empty()) {
    return ":value:{compadd -- ${(f)\"$(" + pages.program + " offer " + option.offers +
           " 2>/dev/null)\"}" + (is_path(option) ? "; _files" : "") + "}";
  }
  if (!option.choices.empty()) return ":value:(" + joined(option.choices) + ")";
  if (is_path(option)) return ":path:_files";
  return option.value.empty() ? "" : ":value:";
}

std::string zsh_option(const CommandPages& pages, const OptionPage& option) {
  return shell_quoted((option.repeats ? "*" : "") + option.flag + "[" + zsh_text(option.help) +
                      "]" + zsh_values(pages, option));
}

std::string zsh_word(const CommandPages& pages, const OptionPage& option, std::size_t place) {
  return shell_quoted((option.repeats ? "*" : std::to_string(place)) + zsh_values(pages, option));
}

std::string fish_quoted(std::string_view text) {
  return "'" + replaced(replaced(text, '\\', "\\\\"), '\'', "\\'") + "'";
}

std::string fish_offers(const CommandPages& pages, const OptionPage& option) {
  return fish_quoted("(" + pages.program + " offer " + option.offers + " 2>/dev/null)");
}

std::string fish_word(const CommandPages& pages, const std::string& condition,
                      const OptionPage& option) {
  if (option.offers.empty() && !is_path(option)) return "";
  std::string line = "complete -c " + pages.program + condition;
  if (is_path(option)) line += " -F";
  if (!option.offers.empty()) line += " -a " + fish_offers(pages, option);
  return line + "\n";
}

std::string fish_option(const CommandPages& pages, const std::string& condition,
                        const OptionPage& option) {
  std::string line = "complete -c " + pages.program + condition + " -l " + option.flag.substr(2);
  if (!option.shorter.empty()) line += " -s " + option.shorter.substr(1);
  if (!option.offers.empty()) {
    line += (is_path(option) ? " -r -F -a " : " -x -a ") + fish_offers(pages, option);
  } else if (!option.choices.empty()) {
    line += " -x -a " + fish_quoted(joined(option.choices));
  } else if (is_path(option)) {
    line += " -r -F";
  } else if (!option.value.empty()) {
    line += " -x";
  }
  if (!option.help.empty()) line += " -d " + fish_quoted(option.help);
  return line + "\n";
}

}  // namespace

std::string man_page(const CommandPages& pages) {
  std::string text = ".TH " + upper(roff(pages.program)) + " 1 \"\" \"" + roff(pages.program) +
                     " " + pages.version + "\" \"User Commands\"\n";
  text += ".SH NAME\n" + roff(pages.program) + " \\- " + roff(pages.summary) + "\n";
  text += ".SH SYNOPSIS\n.B " + roff(pages.program) + "\n.I VERB\n[\\fIOPTION\\fR]...\n";
  text += ".SH VERBS\n";
  for (const auto& verb : pages.verbs) {
    text += ".SS " + roff(verb.name);
    if (!verb.arguments.empty()) text += " \\fI" + roff(verb.arguments) + "\\fR";
    text += "\n" + (verb.help.empty() ? "\\&" : roff(verb.help)) + "\n";
    for (const auto& example : verb.examples) text += ".PP\n.nf\n" + roff(example) + "\n.fi\n";
    for (const auto& option : verb.options) text += man_option(option);
  }
  text += ".SH OPTIONS\n";
  for (const auto& option : pages.options) text += man_option(option);
  for (const auto& option : pages.program_options) text += man_option(option);
  text += ".SH \"EXIT STATUS\"\n";
  for (const auto& [code, meaning] : pages.exit_codes) {
    text += ".TP\n.B " + std::to_string(code) + "\n" + roff(meaning) + "\n";
  }
  return text;
}

std::string bash_completion(const CommandPages& pages) {
  const auto function = function_name(pages);
  const auto everywhere = joined(flags_of(pages.options));
  std::string text = "# bash completion for " + pages.program + "\n" + function + "() {\n";
  text +=
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W " +
      shell_quoted(joined(names_of(pages.verbs)) + " " + everywhere + " " +
                   joined(flags_of(pages.program_options))) +
      " -- \"$current\"))\n    return\n  fi\n  local flags=\n  case ${COMP_WORDS[1]} in\n";
  for (const auto& verb : pages.verbs) {
    text += "    " + verb.name + ")\n      flags=" + shell_quoted(joined(flags_of(verb.options))) +
            "\n";
    text += "      case $previous in\n";
    for (const auto& option : verb.options) text += bash_values(option, "        ");
    text += "      esac\n" + bash_word(verb) + "      ;;\n";
  }
  text += "  esac\n  case $previous in\n";
  for (const auto& option : pages.options) text += bash_values(option, "    ");
  text += "  esac\n  COMPREPLY=($(compgen -W \"$flags " + everywhere + "\" -- \"$current\"))\n}\n";
  return text + "complete -F " + function + " " + pages.program + "\n";
}

std::string zsh_completion(const CommandPages& pages) {
  const auto function = function_name(pages);
  std::string text = "#compdef " + pages.program + "\n\n" + function + "() {\n  local -a verbs\n";
  text += "  verbs=(\n";
  for (const auto& verb : pages.verbs) {
    text += "    " + shell_quoted(verb.name + ":" + zsh_text(verb.help)) + "\n";
  }
  text += "  )\n  if (( CURRENT == 2 )); then\n    _describe verb verbs\n";
  text += "    _arguments";
  for (const auto& option : pages.options) text += " " + zsh_option(pages, option);
  for (const auto& option : pages.program_options) text += " " + zsh_option(pages, option);
  text += "\n    return\n  fi\n  local verb=$words[2]\n  shift words\n  (( CURRENT-- ))\n";
  text += "  case $verb in\n";
  for (const auto& verb : pages.verbs) {
    text += "    " + verb.name + ")\n      _arguments";
    for (const auto& option : verb.options) text += " \\\n        " + zsh_option(pages, option);
    for (const auto& option : pages.options) text += " \\\n        " + zsh_option(pages, option);
    for (std::size_t i = 0; i < verb.words.size(); ++i) {
      text += " \\\n        " + zsh_word(pages, verb.words[i], i + 1);
    }
    text += "\n      ;;\n";
  }
  return text + "  esac\n}\n\n" + function + " \"$@\"\n";
}

std::string fish_completion(const CommandPages& pages) {
  std::string text = "# fish completion for " + pages.program + "\n";
  text += "complete -c " + pages.program + " -f\n";
  for (const auto& verb : pages.verbs) {
    text += "complete -c " + pages.program + " -n __fish_use_subcommand -a " + verb.name + " -d " +
            fish_quoted(verb.help) + "\n";
  }
  for (const auto& verb : pages.verbs) {
    const std::string condition = " -n '__fish_seen_subcommand_from " + verb.name + "'";
    for (const auto& option : verb.options) text += fish_option(pages, condition, option);
    for (const auto& word : verb.words) text += fish_word(pages, condition, word);
  }
  for (const auto& option : pages.options) text += fish_option(pages, "", option);
  for (const auto& option : pages.program_options) {
    text += fish_option(pages, " -n __fish_use_subcommand", option);
  }
  return text;
}

}  // namespace server
