#include "core/offsite/remote_path.h"

#include <algorithm>

#include "core/base/utf8.h"

namespace core {
namespace {

constexpr std::string_view kExample =
    "Write it as remote:path, for example backup:claude; `rclone listremotes` names the remotes.";

// https://rclone.org/docs/#valid-remote-names
bool is_name(std::string_view name) {
  return name.size() >= 2 && name[0] != '-' && name[0] != ' ' && name.back() != ' ' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("_-.+@ ").find(c) != std::string_view::npos ||
                  static_cast<unsigned char>(c) >= 0x80;
         });
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

bool leads_up(std::string_view path) {
  const std::string whole = "/" + std::string(path) + "/";
  return whole.find("/../") != std::string::npos;
}

tl::unexpected<Error> refuse(std::string_view text, std::string_view why) {
  // What stands behind a comma or a leading colon may be a secret.
  const bool may_tell = text.find_first_of(",=") == std::string_view::npos &&
                        !text.starts_with(':') && is_utf8(text) && !has_control(text);
  return fail(ErrorCode::invalid_argument,
              "The off-site place " +
                  (may_tell ? "'" + std::string(text.substr(0, 200)) + "' " : std::string()) +
                  std::string(why),
              std::string(kExample));
}

}  // namespace

std::string text_of(const RemotePath& remote) {
  return remote.name + ":" + remote.path;
}

std::string below(const RemotePath& remote, std::string_view path) {
  if (path.empty()) return text_of(remote);
  const bool needs_slash = !remote.path.empty() && !remote.path.ends_with('/');
  return text_of(remote) + (needs_slash ? "/" : "") + std::string(path);
}

bool looks_remote(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && colon < text.find_first_of("/\\") &&
         is_name(text.substr(0, colon));
}

Expected<RemotePath> parse_remote(std::string_view text) {
  if (text.empty()) return refuse(text, "is empty.");
  if (text.size() > kMaxRemoteBytes) return refuse("", "is longer than 1024 bytes.");
  if (!is_utf8_without_nul(text) || has_control(text)) {
    return refuse(text, "holds control characters, or is not UTF-8.");
  }
  if (text[0] == '-') return refuse(text, "begins with a dash, as a flag would.");
  if (text[0] == ':') {
    return refuse(text,
                  "is written out where it stands; only remotes of rclone's settings are "
                  "taken, so that no secret goes into files of ours.");
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon > text.find_first_of("/\\")) {
    return refuse(text,
                  "names no remote: without a colon rclone takes it for a folder of this "
                  "machine.");
  }
  if (text.substr(0, colon).find_first_of(",=") != std::string_view::npos) {
    return refuse(text, "has parameters behind the remote's name, which may be secrets.");
  }
  RemotePath remote{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
  if (!is_name(remote.name)) {
    return refuse(text, "has no name of a remote before its colon, of two characters or more.");
  }
  if (leads_up(remote.path)) return refuse(text, "leads out of its folder by '..'.");
  while (remote.path.size() > 1 && remote.path.ends_with('/')) remote.path.pop_back();
  return remote;
}

Expected<RemotePath> parse_remote_folder(std::string_view text) {
  BPD_TRY_AS(remote, parse_remote(text));
  if (!remote->path.empty() && remote->path != "/") return remote;
  return refuse(text, "names no folder on the remote.");
}

}  // namespace core
