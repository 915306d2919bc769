// rclone, as the user has it: finding it, what its settings say of a remote, and running it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>

#include "core/base/env.h"
#include "core/offsite/rclone_session.h"
#include "core/offsite/remote_path.h"
#include "core/offsite/remote_store.h"

namespace core {

// Absolute, so that schedulers find both: they start programs without HOME and with a short PATH.
struct RcloneProgram {
  fs::path program, config;
  bool operator==(const RcloneProgram&) const = default;
};
// By the variables BPD_RCLONE and RCLONE_CONFIG, else by PATH and rclone's own word. Errors:
// not_found, which says how to get rclone on this system, or that it has no settings yet;
// unsupported where these are locked by a password.
Expected<RcloneProgram> find_rclone(const Env& env, std::stop_token stop);

// What the settings say of a remote, through those that it stands upon (crypt, alias, …).
struct RemoteFacts {
  bool encrypted = false;            // names and content, by a crypt remote in the chain
  std::optional<fs::path> local{};   // where it ends in a folder of this machine
  std::vector<std::string> chain{};  // names of the remotes involved, its own first
};
// Without a network. Errors: not_found where the settings have no such remote.
Expected<RemoteFacts> facts_of_remote(const RcloneProgram& rclone, const RemotePath& remote,
                                      const Env& env, std::stop_token stop);

inline constexpr std::chrono::milliseconds kAskRcloneTimeout{30'000};
inline constexpr std::chrono::milliseconds kListTimeout{600'000};  // also of a small file
inline constexpr std::size_t kMaxListBytes = 16u << 20;            // some 100,000 files
inline constexpr std::size_t kMaxSaidBytes = 64u << 10;

// Runs rclone for one remote. `deadline` bounds all that it does together. Its own retries and time
// limits are those of 15 s to connect, 60 s without a byte, three tries. Nothing that it prints
// goes into errors. Variables RCLONE_* do not reach it: they may change any of its settings.
//
// All is asked of one session (rclone_session.h). What fails there for a reason that is not plain,
// or may pass, is tried again as a command of its own, as everything is where this rclone offers no
// session. Used by one thread at a time.
class Rclone final : public RemoteStore {
 public:
  // bandwidth: as rclone's --bwlimit has it, "1M" or "08:00,512k 23:00,off"; empty: no limit.
  Rclone(RcloneProgram rclone, RemotePath remote, std::string bandwidth,
         std::chrono::steady_clock::time_point deadline, const Env& env);

  Expected<std::vector<RemoteEntry>> list(const std::string& folder, bool deep,
                                          std::stop_token stop) override;
  Expected<> fetch_all(const std::vector<std::string>& paths, const fs::path& folder,
                       std::stop_token stop) override;
  Expected<> fetch(const std::string& path, const fs::path& to, std::stop_token stop) override;
  Expected<> put(const fs::path& file, const std::string& path, std::stop_token stop) override;
  Expected<std::string> digest(const std::string& path, std::stop_token stop) override;
  Expected<std::string> read(const std::string& path, std::size_t max_bytes,
                             std::stop_token stop) override;
  Expected<> remove(const std::string& path, std::stop_token stop) override;

 private:
  struct Said;
  // A file, as rclone's calls and as its commands name it.
  struct Place {
    std::string fs, name, whole;
  };
  Place there(const std::string& path) const;
  static Place here(const fs::path& file);
  Expected<> copy(const Place& from, const Place& to, const std::string& what,
                  const std::stop_token& stop);
  RcloneSession* session(const std::stop_token& stop);
  Expected<Said> ask(const std::string& call, const nlohmann::ordered_json& parameters,
                     std::vector<std::string> words, const std::string& what,
                     std::chrono::milliseconds timeout, std::size_t max_output,
                     const std::stop_token& stop);
  Expected<> read_in_session(const std::string& path,
                             const std::function<Expected<>(std::string_view)>& take,
                             const std::stop_token& stop);
  std::optional<std::string> text_in_session(const std::string& path, std::size_t max_bytes,
                                             const std::stop_token& stop);
  bool fetch_in_session(const std::vector<std::string>& paths, const fs::path& folder,
                        const std::stop_token& stop);
  Expected<Said> run(std::vector<std::string> words, const std::string& what,
                     std::chrono::milliseconds timeout, std::size_t max_output,
                     const std::stop_token& stop, std::string input = {}) const;
  std::chrono::milliseconds time_left() const;

  RcloneProgram rclone_;
  RemotePath remote_;
  std::string bandwidth_;
  std::chrono::steady_clock::time_point deadline_;
  Env env_;
  std::unique_ptr<RcloneSession> session_{};
  bool has_tried_session_ = false;
};

// The list that lsjson prints, or the same within {"list": …}. io where it is cut off or none.
Expected<std::vector<RemoteEntry>> read_listing(std::string_view json);

}  // namespace core
