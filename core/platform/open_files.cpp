// What is said of the programs that have a database open, on every system.
#include "core/platform/open_files.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/base/paths.h"
#include "core/base/utf8.h"

namespace core {
namespace {

constexpr std::size_t kMaxDescribed = 4;
constexpr std::size_t kMaxCommandBytes = 100;  // of a command line that is shown
constexpr std::size_t kMaxStatusBytes = 4096;
constexpr int kMaxAncestors = 32;

fs::path process_folder(int process) {
  return fs::path("/proc") / std::to_string(process);
}

// Each argument ends in a zero byte. Cut to what says which program it is.
std::string command_of(int process, const FileSystem& files) {
  std::string text =
      files.read_start(process_folder(process) / "cmdline", kMaxCommandBytes + 1).value_or("");
  while (!text.empty() && text.back() == '\0') text.pop_back();
  const bool cut = text.size() > kMaxCommandBytes;
  if (cut) text.resize(kMaxCommandBytes);
  while (!is_utf8(text)) text.pop_back();
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return cut ? text + "…" : text;
}

int parent_of(int process, const FileSystem& files) {
  constexpr std::string_view kParent = "\nPPid:\t";
  const auto status = files.read_start(process_folder(process) / "status", kMaxStatusBytes);
  const std::size_t at = status ? status->find(kParent) : std::string::npos;
  int parent = 0;
  if (at == std::string::npos) return parent;
  std::from_chars(status->data() + at + kParent.size(), status->data() + status->size(), parent);
  return parent;
}

// By its name, or as npm installs it.
bool is_claude_code(int process, const FileSystem& files) {
  const std::string name =
      files.read_start(process_folder(process) / "comm", kMaxStatusBytes).value_or("");
  return name == "claude\n" ||
         command_of(process, files).find("/claude-code/") != std::string::npos;
}

// The Claude Code among the process's ancestors; 0 for none.
int session_of(int process, const FileSystem& files) {
  process = parent_of(process, files);
  for (int i = 0; i < kMaxAncestors && process > 1; ++i) {
    if (is_claude_code(process, files)) return process;
    process = parent_of(process, files);
  }
  return 0;
}

int own_session(const FileSystem& files) {
  const auto own = files.canonical("/proc/self");
  int process = 0;
  if (!own) return process;
  const std::string name = text_of(own->filename());
  std::from_chars(name.data(), name.data() + name.size(), process);
  return session_of(process, files);
}

std::string terminal_of(int process, const FileSystem& files) {
  for (const char* descriptor : {"0", "1", "2"}) {
    const auto file = files.canonical(process_folder(process) / "fd" / descriptor);
    if (!file) continue;
    const std::string path = text_of(*file);
    if (path.starts_with("/dev/pts/") || path.starts_with("/dev/tty")) {
      return path.substr(std::string_view("/dev/").size());
    }
  }
  return "";
}

}  // namespace

std::string tell_of_openers(const std::vector<Opener>& openers, const FileSystem& files) {
  std::string text;
  const int ours = openers.empty() ? 0 : own_session(files);
  for (std::size_t i = 0; i < openers.size() && i < kMaxDescribed; ++i) {
    const int process = openers[i].process_id;
    const std::string command = command_of(process, files);
    if (command.empty()) continue;
    text += " Process " + std::to_string(process) + " is ";
    if (const int session = session_of(process, files); session != 0) {
      text += session == ours
                  ? "a server of this Claude Code session, "
                  : "a server of Claude Code (process " + std::to_string(session) + "), ";
    }
    text += "started as \"" + command + "\"";
    const std::string terminal = terminal_of(process, files);
    text += (terminal.empty() ? "" : ", in the terminal " + terminal) + ".";
  }
  return text;
}

std::string describe_openers(const std::vector<Opener>& openers) {
  std::string text;
  for (std::size_t i = 0; i < openers.size() && i < kMaxDescribed; ++i) {
    if (i > 0) text += i + 1 == openers.size() ? " and " : ", ";
    text += openers[i].program.empty() ? "a program" : openers[i].program;
    if (openers[i].process_id == 0) continue;
    text += " (process " + std::to_string(openers[i].process_id) +
            (openers[i].user.empty() ? "" : " of " + openers[i].user) + ")";
  }
  if (openers.size() > kMaxDescribed) {
    text += " and " + std::to_string(openers.size() - kMaxDescribed) + " more";
  }
  return text;
}

}  // namespace core
