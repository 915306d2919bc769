#include "core/base/shell_word.h"

#include <algorithm>

namespace core {
namespace {

// Letters, digits and `marks` alone.
bool is_plain(std::string_view word, std::string_view marks) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [marks](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

#ifdef _WIN32
constexpr bool kIsWindows = true;
#else
constexpr bool kIsWindows = false;
#endif

}  // namespace

std::string windows_shell_word(std::string_view word) {
  if (is_plain(word, "-_./\\:=+")) return std::string(word);
  // A program takes \" for a quote, and so \\" for a backslash at the end.
  std::string quoted = "\"";
  std::size_t backslashes = 0;
  for (const char c : word) {
    if (c == '"') quoted.append(backslashes + 1, '\\');
    backslashes = c == '\\' ? backslashes + 1 : 0;
    quoted += c;
  }
  return quoted.append(backslashes, '\\') + "\"";
}

std::string shell_word(std::string_view word) {
  if (kIsWindows) return windows_shell_word(word);
  if (is_plain(word, "-_./=:@%+,")) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string shell_command(const std::vector<std::string>& words) {
  std::string command;
  for (const auto& word : words) command += (command.empty() ? "" : " ") + shell_word(word);
  return command;
}

std::string shell_variable(std::string_view name) {
  return (kIsWindows ? "$env:" : "$") + std::string(name);
}

std::string move_command(std::string_view from, std::string_view to) {
  // Of Windows' two, cmd asks before it overwrites, and PowerShell refuses to.
  std::vector<std::string> words =
      kIsWindows ? std::vector<std::string>{"move"} : std::vector<std::string>{"mv", "-n"};
  words.emplace_back(from);
  words.emplace_back(to);
  return shell_command(words);
}

}  // namespace core
