// Lets the real schedulers judge the escaping rules: renders an argv as a scheduler's text, and, as
// the program that the scheduler starts, writes down the argv that arrived.
//   escape_probe systemd ARGV…         the value of ExecStart=
//   escape_probe crontab ARGV…         a crontab command
//   escape_probe dump FILE ARGV…       appends ARGV, each ended by NUL, to FILE
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "core/schedule/quoting.h"

namespace {

int print(const core::Expected<std::string>& text) {
  if (!text) {
    std::cerr << text.error().message << "\n";
    return 1;
  }
  std::cout << *text << "\n";
  return 0;
}

core::Expected<std::string> crontab_line(const std::vector<std::string>& argv) {
  std::string line;
  for (const std::string& argument : argv) {
    const auto word = core::crontab_word(argument);
    if (!word) return word;
    line += (line.empty() ? "" : " ") + *word;
  }
  return line;
}

int dump(const std::string& file, const std::vector<std::string>& argv) {
  std::ofstream out(file, std::ios::app | std::ios::binary);
  for (const std::string& argument : argv) out.write(argument.c_str(), argument.size() + 1);
  return out.flush() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  const std::vector<std::string> words(argv + std::min(argc, 2), argv + argc);
  if (mode == "systemd") return print(core::systemd_command(words));
  if (mode == "crontab") return print(crontab_line(words));
  if (mode == "dump" && !words.empty()) return dump(words[0], {words.begin() + 1, words.end()});
  std::cerr << "usage: escape_probe systemd|crontab|dump …\n";
  return 2;
}
