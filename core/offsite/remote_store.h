// What is asked of a place off this machine. rclone does it (rclone.h); tests have one that lies.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/error.h"

namespace core {

struct RemoteEntry {
  std::string path;  // below what was listed, "/"-separated
  std::uint64_t bytes = 0;
  bool has_size = false;  // some providers tell none of some files
  Instant modified{};
};

// Paths are below one remote:path, "/"-separated; an empty one is that itself. Nothing that a
// method says is proof of more than that it was said: what counts is read back. Errors are those of
// error_of (rclone_says.h), and cancelled.
class RemoteStore {
 public:
  virtual ~RemoteStore() = default;

  // Files of a folder, with `deep` also below it. None where there is no such folder. An answer
  // that is cut off is an error.
  virtual Expected<std::vector<RemoteEntry>> list(const std::string& folder, bool deep,
                                                  std::stop_token stop) = 0;
  // These files to the same paths below a folder of this machine. What cannot be decrypted or is
  // gone is left out: look what has come.
  virtual Expected<> fetch_all(const std::vector<std::string>& paths, const fs::path& folder,
                               std::stop_token stop) = 0;
  virtual Expected<> fetch(const std::string& path, const fs::path& to, std::stop_token stop) = 0;
  // Over what is there.
  virtual Expected<> put(const fs::path& file, const std::string& path, std::stop_token stop) = 0;
  // SHA-256 of the bytes as they come back, 64 hex digits.
  virtual Expected<std::string> digest(const std::string& path, std::stop_token stop) = 0;
  // A whole small file; invalid_argument above max_bytes.
  virtual Expected<std::string> read(const std::string& path, std::size_t max_bytes,
                                     std::stop_token stop) = 0;
  virtual Expected<> remove(const std::string& path, std::stop_token stop) = 0;
};

}  // namespace core
