// Places off this machine as rclone names them, "backup:claude". Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace core {

// A remote of rclone's settings, and the folder on it: "backup" and "claude/laptop". No slash at
// the path's end; it may be empty.
struct RemotePath {
  std::string name, path;
  bool operator==(const RemotePath&) const = default;
};
std::string text_of(const RemotePath& remote);  // "backup:claude/laptop"
// What lies at `path` below it. "/"-separated; an empty path is the folder itself.
std::string below(const RemotePath& remote, std::string_view path);

// Whether a text that may name a folder of this machine as well is meant as a remote: a name of two
// characters or more and a colon before any slash. (A single letter is a drive of Windows.)
bool looks_remote(std::string_view text);

// Refused (invalid_argument): a text without "name:", which rclone would take for a folder here;
// one that begins with a dash, which would be a flag; inline remotes and parameters (":s3:",
// "x,pass=y:"), which bear secrets; "..", and what is no plain UTF-8 text of a line.
Expected<RemotePath> parse_remote(std::string_view text);
// The same for a place where copies lie: a folder on the remote, never its root, so that the names
// of what is in it go on with a slash.
Expected<RemotePath> parse_remote_folder(std::string_view text);
inline constexpr std::size_t kMaxRemoteBytes = 1024;

}  // namespace core
