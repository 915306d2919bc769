#include "server/cli/help.h"

#include <algorithm>

#include "server/base/printable.h"
#include "server/platform/console.h"

namespace server {
namespace {

constexpr std::size_t kWidest = 96;     // characters; longer lines read badly
constexpr std::size_t kElsewhere = 80;  // where there is no terminal
constexpr std::size_t kFlagIndent = 2, kHelpIndent = 6, kVerbColumn = 20;

// The next word and the blanks before it; what stands in backquotes is one.
std::string next_word(const std::string& text, std::size_t& at) {
  const std::size_t begin = text.find_first_not_of(' ', at);
  if (begin == std::string::npos) {
    at = text.size();
    return "";
  }
  bool quoted = false;
  std::size_t end = begin;
  for (; end < text.size() && (quoted || text[end] != ' '); ++end) {
    if (text[end] == '`' && (quoted || text.find('`', end + 1) != std::string::npos)) {
      quoted = !quoted;
    }
  }
  at = end;
  return text.substr(begin, end - begin);
}

std::string first_sentence(const std::string& text) {
  const std::size_t end = text.find_first_of(".?");
  const bool ends = end != std::string::npos && end + 1 < text.size() && text[end + 1] == ' ';
  return ends ? text.substr(0, end + 1) : text;
}

std::string with_stop(const std::string& text) {
  return text.empty() || text.back() == '.' || text.back() == '?' ? text : text + ".";
}

std::string indented(const std::string& text, std::size_t indent, std::size_t width) {
  return std::string(indent, ' ') + folded(text, width, indent, indent) + "\n";
}

std::string option_text(const OptionPage& option, std::size_t width) {
  std::string line = option.flag;
  if (!option.shorter.empty()) line = option.shorter + ", " + line;
  if (!option.value.empty()) line += " " + option.value;
  std::string help = with_stop(option.help);
  if (!option.choices.empty()) {
    std::string list;
    for (const auto& choice : option.choices) list += (list.empty() ? "" : ", ") + choice;
    help += (help.empty() ? "" : " ") + std::string("One of: ") + list + ".";
  }
  if (option.repeats) help += (help.empty() ? "" : " ") + std::string("May be repeated.");
  line = std::string(kFlagIndent, ' ') + line + "\n";
  return help.empty() ? line : line + indented(help, kHelpIndent, width);
}

std::string examples_text(const std::vector<std::string>& examples, std::size_t width) {
  std::string text;
  for (const auto& example : examples) text += indented(example, kFlagIndent, width);
  return text;
}

}  // namespace

std::string folded(const std::string& text, std::size_t width, std::size_t indent,
                   std::size_t column) {
  std::string lines;
  bool begins = true;  // nothing but the indent stands on the line
  for (std::size_t at = 0; at < text.size();) {
    const std::string word = next_word(text, at);
    if (word.empty()) break;
    const std::size_t needed = width_of(word) + (begins ? 0 : 1);
    if (!begins && column + needed > width) {
      lines += "\n" + std::string(indent, ' ') + word;
      column = indent + width_of(word);
    } else {
      lines += (begins ? "" : " ") + word;
      column += needed;
    }
    begins = false;
  }
  return lines;
}

std::string verb_help(const CommandPages& pages, const VerbPage& verb, std::size_t width) {
  std::string usage = "Usage: " + pages.program + " " + verb.name;
  if (!verb.arguments.empty()) usage += " " + verb.arguments;
  if (!verb.options.empty()) usage += " [--flags…]";
  std::string text = folded(usage, width, kHelpIndent) + "\n\n";
  text += folded(with_stop(verb.help), width) + "\n";
  if (!verb.examples.empty()) text += "\nFor example:\n" + examples_text(verb.examples, width);
  if (!verb.options.empty()) text += "\nFlags:\n";
  for (const auto& option : verb.options) text += option_text(option, width);
  return text;
}

std::string program_help(const CommandPages& pages, std::size_t width) {
  std::string text = folded(pages.program + ": " + pages.summary, width) + "\n\n" +
                     folded("Usage: " + pages.program + " COMMAND [--flags…]", width, kHelpIndent) +
                     "\n";
  if (!pages.examples.empty()) text += "\nTo begin with:\n" + examples_text(pages.examples, width);
  text += "\nCommands:\n";
  for (const auto& verb : pages.verbs) {
    std::string line = std::string(kFlagIndent, ' ') + verb.name;
    line.append(line.size() < kVerbColumn ? kVerbColumn - line.size() : 1, ' ');
    text +=
        line + folded(first_sentence(with_stop(verb.help)), width, kVerbColumn, line.size()) + "\n";
  }
  text +=
      "\n" +
      folded(pages.program + " COMMAND --help tells more of each, and lists its flags.", width) +
      "\n";
  std::string codes;
  for (const auto& [code, meaning] : pages.exit_codes) {
    codes += (codes.empty() ? "Exit codes: " : ", ") + std::to_string(code) + " " + meaning;
  }
  return text + folded(codes + ".", width) + "\n";
}

std::size_t help_width() {
  const std::size_t columns = output_columns();
  return std::min(columns == 0 ? kElsewhere : columns, kWidest);
}

}  // namespace server
