// Finds rclone and reads what its settings say of remotes; nothing of it needs a network.
#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include "core/base/paths.h"
#include "core/offsite/rclone.h"
#include "core/offsite/rclone_says.h"

namespace core {
namespace {

#if defined(_WIN32)
constexpr std::string_view kRclone = "rclone.exe";
constexpr char kPathSeparator = ';';
constexpr std::string_view kGetIt = "Install it: winget install Rclone.Rclone";
constexpr std::array<std::string_view, 0> kUsualFolders{};
#elif defined(__APPLE__)
constexpr std::string_view kRclone = "rclone";
constexpr char kPathSeparator = ':';
constexpr std::string_view kGetIt = "Install it: brew install rclone";
constexpr std::array<std::string_view, 3> kUsualFolders{"/opt/homebrew/bin", "/usr/local/bin",
                                                        "/usr/bin"};
#else
constexpr std::string_view kRclone = "rclone";
constexpr char kPathSeparator = ':';
constexpr std::string_view kGetIt =
    "Install it: sudo apt install rclone (Debian, Ubuntu), sudo dnf install rclone (Fedora)";
constexpr std::array<std::string_view, 2> kUsualFolders{"/usr/local/bin", "/usr/bin"};
#endif
constexpr std::string_view kEncryptedMark = "RCLONE_ENCRYPT_V0:";
constexpr std::size_t kMarkWithin = 4096;
constexpr std::size_t kMaxChain = 8;  // of remotes that stand upon each other

std::string variable(const Env& env, const char* name) {
  const auto found = env.places.variables.find(name);
  return found == env.places.variables.end() ? "" : found->second;
}

Expected<fs::path> find_program(const Env& env) {
  if (const std::string given = variable(env, "BPD_RCLONE"); !given.empty()) return path_of(given);
  std::vector<fs::path> folders;
  std::istringstream all(variable(env, "PATH"));
  for (std::string folder; std::getline(all, folder, kPathSeparator);) {
    folders.push_back(path_of(folder));
  }
  folders.insert(folders.end(), kUsualFolders.begin(), kUsualFolders.end());
  for (const fs::path& home : {env.places.home / "bin", env.places.home / ".local" / "bin"}) {
    folders.push_back(home);
  }
  for (const fs::path& folder : folders) {
    if (!folder.is_absolute()) continue;
    const auto info = env.files.info(folder / kRclone);
    if (info && info->kind == FileInfo::Kind::file) return folder / kRclone;
  }
  return fail(ErrorCode::not_found, "rclone, which takes copies off this machine, is not here.",
              std::string(kGetIt) +
                  ", or see https://rclone.org/install/. Then make a remote by "
                  "rclone config.");
}

Expected<CommandResult> ask(const fs::path& program, std::vector<std::string> words, const Env& env,
                            const std::stop_token& stop) {
  Command command;
  command.argv = {text_of(program), "--ask-password=false"};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  command.dropped_variables = "RCLONE_";
  command.timeout = kAskRcloneTimeout;
#ifndef _WIN32
  command.extra_environment["HOME"] = text_of(env.places.home);
#endif
  BPD_TRY_AS(result, env.commands.run(command, stop));
  if (!result->timed_out) return result;
  return fail(ErrorCode::timed_out, text_of(program) + " does not answer.", "Try it by hand.");
}

Expected<fs::path> find_config(const fs::path& program, const Env& env,
                               const std::stop_token& stop) {
  if (const std::string given = variable(env, "RCLONE_CONFIG"); !given.empty()) {
    const fs::path path = path_of(given);
    return path.is_absolute() ? path : env.places.current_folder / path;
  }
  BPD_TRY_AS(said, ask(program, {"config", "file"}, env, stop));
  std::string line, last;  // "Configuration file is stored at:", or "… will be stored at:"
  for (std::istringstream lines(said->output); std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) last = line;
  }
  if (const fs::path path = path_of(last); path.is_absolute()) return path;
  return fail(ErrorCode::unsupported, "rclone does not say where its settings are.",
              "Name the file by the variable RCLONE_CONFIG.");
}

Expected<> check_config(const fs::path& config, const Env& env) {
  const auto start = env.files.read_start(config, kMarkWithin);
  if (!start && start.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::not_found, "rclone has no settings yet: " + text_of(config) + ".",
                "Make a remote by rclone config; a crypt remote keeps its content from the "
                "provider.");
  }
  if (!start) return fail(start.error());
  if (start->find(kEncryptedMark) == std::string::npos) return {};
  return fail(error_of(RcloneFault::encrypted_config, text_of(config) + " cannot be used"));
}

// The one section of `rclone config show NAME`. What it masks, and what it does not, stays here.
std::map<std::string, std::string> settings_in(const std::string& shown) {
  std::map<std::string, std::string> settings;
  std::string line;
  for (std::istringstream lines(shown); std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    if (equals == std::string::npos) continue;
    const std::string key = line.substr(0, equals);
    if (key == "type" || key == "remote") settings[key] = line.substr(equals + 3);
  }
  return settings;
}

bool stands_upon_another(const std::string& type) {
  constexpr std::array<std::string_view, 6> kTypes{"crypt",    "alias",  "chunker",
                                                   "compress", "hasher", "cache"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

// `listremotes --long`: a name, a colon, blanks and a type in each line.
bool is_listed(const std::string& name, const std::string& listed) {
  return ("\n" + listed).find("\n" + name + ":") != std::string::npos;
}

tl::unexpected<Error> unknown(const std::string& name, const RcloneProgram& rclone) {
  return fail(
      error_of(RcloneFault::unknown_remote, "'" + name + ":' is not in " + text_of(rclone.config)));
}

}  // namespace

Expected<RcloneProgram> find_rclone(const Env& env, std::stop_token stop) {
  BPD_TRY_AS(program, find_program(env));
  BPD_TRY_AS(config, find_config(*program, env, stop));
  BPD_TRY(check_config(*config, env));
  return RcloneProgram{*program, config->lexically_normal()};
}

Expected<RemoteFacts> facts_of_remote(const RcloneProgram& rclone, const RemotePath& remote,
                                      const Env& env, std::stop_token stop) {
  BPD_TRY(check_config(rclone.config, env));
  const std::string config = text_of(rclone.config);
  BPD_TRY_AS(listed, ask(rclone.program, {"--config", config, "listremotes", "--long"}, env, stop));
  RemoteFacts facts;
  RemotePath at = remote;
  while (facts.chain.size() < kMaxChain) {
    if (!is_listed(at.name, listed->output)) return unknown(at.name, rclone);
    facts.chain.push_back(at.name);
    BPD_TRY_AS(shown,
               ask(rclone.program, {"--config", config, "config", "show", at.name}, env, stop));
    const auto settings = settings_in(shown->output);
    const auto type = settings.find("type");
    if (type == settings.end()) return facts;
    facts.encrypted |= type->second == "crypt";
    if (type->second == "local") facts.local = path_of(at.path.empty() ? "/" : at.path);
    const auto upon = settings.find("remote");
    if (upon == settings.end() || !stands_upon_another(type->second)) return facts;
    // Names below a crypt remote are others than those above it: its folder is all that is known.
    const std::string path = type->second == "crypt" ? "" : at.path;
    if (!looks_remote(upon->second)) {
      facts.local = path_of(upon->second) / path_of(path);
      return facts;
    }
    BPD_TRY_AS(next, parse_remote(upon->second));
    if (!path.empty()) next->path += (next->path.empty() ? "" : "/") + path;
    at = std::move(*next);
  }
  return facts;
}

}  // namespace core
