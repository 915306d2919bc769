// A remote in memory, which can fail and lie as real ones do.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/offsite/rclone_says.h"
#include "core/offsite/remote_store.h"
#include "core/platform/sha256.h"
#include "support/temp_folder.h"

namespace test {

class MemoryStore final : public core::RemoteStore {
 public:
  struct File {
    std::string bytes;
    core::Instant modified{};
  };
  std::map<std::string, File> files;
  core::Instant now{};
  std::vector<std::string> deeds;  // "put x", "remove x", in order
  std::uint64_t bytes_sent = 0;
  // Called before each operation, "list vm"; what it gives is the operation's error.
  std::function<std::optional<core::Error>(const std::string& deed)> fault;
  // What is stored in the place of what was sent, without a word.
  std::function<std::string(const std::string& path, std::string bytes)> spoil;

  core::Expected<std::vector<core::RemoteEntry>> list(const std::string& folder, bool deep,
                                                      std::stop_token) override {
    if (auto error = failing("list " + folder)) return core::fail(*error);
    std::vector<core::RemoteEntry> entries;
    const std::string head = folder.empty() ? "" : folder + "/";
    for (const auto& [path, file] : files) {
      if (!path.starts_with(head)) continue;
      const std::string rest = path.substr(head.size());
      if (!deep && rest.find('/') != std::string::npos) continue;
      entries.push_back({rest, file.bytes.size(), true, file.modified});
    }
    return entries;
  }
  core::Expected<> fetch_all(const std::vector<std::string>& paths, const fs::path& folder,
                             std::stop_token stop) override {
    for (const auto& path : paths) {
      fs::create_directories((folder / path).parent_path());
      BPD_TRY(fetch(path, folder / path, stop));
    }
    return {};
  }
  core::Expected<> fetch(const std::string& path, const fs::path& to, std::stop_token) override {
    if (auto error = failing("fetch " + path)) return core::fail(*error);
    const auto found = files.find(path);
    if (found == files.end()) return core::fail(missing(path));
    write_file(to, found->second.bytes);
    return {};
  }
  core::Expected<> put(const fs::path& file, const std::string& path, std::stop_token) override {
    if (auto error = failing("put " + path)) return core::fail(*error);
    std::string bytes = read_file(file);
    bytes_sent += bytes.size();
    if (spoil) bytes = spoil(path, std::move(bytes));
    files[path] = {std::move(bytes), now};
    return {};
  }
  core::Expected<std::string> digest(const std::string& path, std::stop_token) override {
    if (auto error = failing("digest " + path)) return core::fail(*error);
    const auto found = files.find(path);
    if (found == files.end()) return core::fail(missing(path));
    return core::sha256_of(found->second.bytes);
  }
  core::Expected<std::string> read(const std::string& path, std::size_t, std::stop_token) override {
    if (auto error = failing("read " + path)) return core::fail(*error);
    const auto found = files.find(path);
    if (found == files.end()) return core::fail(missing(path));
    return found->second.bytes;
  }
  core::Expected<> remove(const std::string& path, std::stop_token) override {
    if (auto error = failing("remove " + path)) return core::fail(*error);
    if (files.erase(path) == 0) return core::fail(missing(path));
    return {};
  }

 private:
  std::optional<core::Error> failing(const std::string& deed) {
    deeds.push_back(deed);
    return fault ? fault(deed) : std::nullopt;
  }
  static core::Error missing(const std::string& path) {
    return core::error_of(core::RcloneFault::missing, path);
  }
};

}  // namespace test
