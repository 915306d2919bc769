// What lies off this machine as a file system that can be read only: so that listings, series and
// keep rules work there as they do here.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/offsite/remote_path.h"
#include "core/offsite/remote_store.h"
#include "core/offsite/work_folder.h"

namespace core {

// Of the files only names, sizes and times are known, and the content of manifests. Their paths are
// those of path_of("remote:path") and below; all others are of this machine, and as ever. Changes
// there are unsupported. FileInfo::elsewhere is true, so nobody reads a byte to learn what a file
// is. Thread-safe.
class RemoteFiles final : public FileSystem {
 public:
  // `fetched`: where files that were fetched lie, under the paths that `entries` have.
  RemoteFiles(RemotePath root, const std::vector<RemoteEntry>& entries, fs::path fetched,
              FileSystem& here);

  Expected<FileInfo> info(const fs::path& path) const override;
  Expected<FileId> cached_id(const fs::path& path) const override;
  Expected<FileInfo> link_info(const fs::path& path) const override;
  Expected<FileInfo::Kind> link_kind(const fs::path& path) const override;
  Expected<std::string> read(const fs::path& path, std::uint64_t max_bytes) const override;
  Expected<std::string> read_start(const fs::path& path, std::size_t max_bytes) const override;
  Expected<std::vector<DirEntry>> list(const fs::path& folder,
                                       std::size_t max_entries) const override;
  Expected<fs::path> canonical(const fs::path& path) const override;
  Expected<std::uint64_t> free_bytes(const fs::path& folder) const override;
  std::uint64_t max_file_bytes(const fs::path& folder) const override;
  Expected<> write_atomically(const fs::path& path, std::string_view text,
                              std::uint32_t mode) override;
  Expected<> make_folders(const fs::path& path, std::uint32_t mode) override;
  Expected<> rename(const fs::path& from, const fs::path& to) override;
  Expected<> rename_new(const fs::path& from, const fs::path& to) override;
  Expected<> link(const fs::path& from, const fs::path& to) override;
  Expected<> remove(const fs::path& path) override;
  Expected<> remove_empty_folder(const fs::path& path) override;
  Expected<> set_mode(const fs::path& path, std::uint32_t mode) override;
  Expected<> sync_folder(const fs::path& path) override;
  FileSystem& no_links() override { return *this; }

 private:
  // Below the root, "/"-separated; nothing for a path that is not.
  std::optional<std::string> relative(const fs::path& path) const;

  RemotePath root_;
  fs::path fetched_;
  FileSystem& here_;
  std::map<std::string, FileInfo> nodes_;  // by relative path; the root is ""
  std::map<std::string, std::vector<DirEntry>> folders_;
};

// A look at a remote.
struct RemoteView {
  WorkFolder work;
  std::vector<RemoteEntry> entries;
  std::unique_ptr<RemoteFiles> files;
  std::vector<std::string> warnings;
};
// Lists `folder` (empty: all) and fetches the manifests of those snapshots that `wanted` takes, the
// newest kMaxRemoteManifests by name. A manifest that did not come cannot be read in the view.
// Errors: those of the store; busy.
Expected<RemoteView> view_remote(RemoteStore& store, const RemotePath& root,
                                 const std::string& folder, bool deep,
                                 const std::function<bool(const std::string& name)>& wanted,
                                 const Env& env, std::stop_token stop);
inline constexpr std::size_t kMaxRemoteManifests = 2'000;

}  // namespace core
