#include "core/offsite/remote_files.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "core/base/paths.h"
#include "core/catalog/manifest.h"
#include "core/catalog/names.h"

namespace core {
namespace {

// A name with a line break would be two in the list that rclone gets.
bool is_plain(const std::string& path) {
  return path.find_first_of("\n\r") == std::string::npos && !path.starts_with('/') &&
         ("/" + path + "/").find("/../") == std::string::npos;
}

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Error unreadable_remote(const fs::path& path) {
  return {ErrorCode::unsupported, text_of(path) + " lies off this machine.", ""};
}

Expected<> read_only_remote(const fs::path& path) {
  return fail(unreadable_remote(path));
}

// The manifests to fetch, newest first by the day in their names.
std::vector<std::string> manifests_of(const std::vector<RemoteEntry>& entries,
                                      const std::function<bool(const std::string&)>& wanted,
                                      std::vector<std::string>& warnings) {
  std::vector<std::pair<std::string, std::string>> found;  // day, path
  for (const RemoteEntry& entry : entries) {
    if (!entry.path.ends_with(kManifestEnding) || entry.bytes > kMaxManifestBytes) continue;
    const std::string name(without_manifest_ending(last_part(entry.path)));
    const auto parsed = parse_snapshot_name(name);
    if (parsed && wanted(name)) found.emplace_back(format_snapshot_day(parsed->day()), entry.path);
  }
  std::sort(found.rbegin(), found.rend());
  if (found.size() > kMaxRemoteManifests) {
    warnings.push_back("Of " + std::to_string(found.size()) + " manifests the newest " +
                       std::to_string(kMaxRemoteManifests) + " were read.");
    found.resize(kMaxRemoteManifests);
  }
  std::vector<std::string> paths;
  paths.reserve(found.size());
  for (auto& [day, path] : found) paths.push_back(std::move(path));
  return paths;
}

}  // namespace

RemoteFiles::RemoteFiles(RemotePath root, const std::vector<RemoteEntry>& entries, fs::path fetched,
                         FileSystem& here)
    : root_(std::move(root)), fetched_(std::move(fetched)), here_(here) {
  FileInfo folder;
  folder.kind = FileInfo::Kind::folder;
  nodes_[""] = folder;
  for (const RemoteEntry& entry : entries) {
    FileInfo file;
    file.kind = FileInfo::Kind::file;
    file.bytes = entry.bytes;
    file.modified = file.changed = entry.modified;
    file.elsewhere = true;
    if (!nodes_.emplace(entry.path, file).second) continue;
    std::string path = entry.path;
    auto kind = FileInfo::Kind::file;
    while (true) {
      const std::size_t slash = path.rfind('/');
      const std::string above = slash == std::string::npos ? "" : path.substr(0, slash);
      folders_[above].push_back({last_part(path), kind});
      if (!nodes_.emplace(above, folder).second) break;
      path = above;
      kind = FileInfo::Kind::folder;
    }
  }
}

std::optional<std::string> RemoteFiles::relative(const fs::path& path) const {
  const std::string text = text_of(path);
  const std::string root = text_of(root_);
  if (text == root) return "";
  if (!text.starts_with(root + "/")) return std::nullopt;
  return text.substr(root.size() + 1);
}

Expected<FileInfo> RemoteFiles::info(const fs::path& path) const {
  const auto place = relative(path);
  if (!place) return here_.info(path);
  if (const auto node = nodes_.find(*place); node != nodes_.end()) return node->second;
  return fail(ErrorCode::not_found, text_of(path) + " is not there.", "");
}

Expected<FileInfo> RemoteFiles::link_info(const fs::path& path) const {
  return relative(path) ? info(path) : here_.link_info(path);
}

Expected<FileInfo::Kind> RemoteFiles::link_kind(const fs::path& path) const {
  if (!relative(path)) return here_.link_kind(path);
  BPD_TRY_AS(found, info(path));
  return found->kind;
}

Expected<FileId> RemoteFiles::cached_id(const fs::path& path) const {
  if (!relative(path)) return here_.cached_id(path);
  return fail(unreadable_remote(path));
}

Expected<std::string> RemoteFiles::read(const fs::path& path, std::uint64_t max_bytes) const {
  const auto place = relative(path);
  if (!place) return here_.read(path, max_bytes);
  BPD_TRY(info(path));
  auto text = here_.read(fetched_ / path_of(*place), max_bytes);
  if (text || text.error().code != ErrorCode::not_found) return text;
  return fail(ErrorCode::io, text_of(path) + " could not be read.", "");
}

Expected<std::string> RemoteFiles::read_start(const fs::path& path, std::size_t max_bytes) const {
  if (!relative(path)) return here_.read_start(path, max_bytes);
  return fail(unreadable_remote(path));
}

Expected<std::vector<DirEntry>> RemoteFiles::list(const fs::path& folder,
                                                  std::size_t max_entries) const {
  const auto place = relative(folder);
  if (!place) return here_.list(folder, max_entries);
  BPD_TRY(info(folder));
  const auto found = folders_.find(*place);
  if (found == folders_.end()) return std::vector<DirEntry>{};
  if (found->second.size() <= max_entries) return found->second;
  return fail(ErrorCode::io, text_of(folder) + " holds too many files.", "");
}

Expected<fs::path> RemoteFiles::canonical(const fs::path& path) const {
  if (!relative(path)) return here_.canonical(path);
  BPD_TRY(info(path));
  return path;
}

Expected<std::uint64_t> RemoteFiles::free_bytes(const fs::path& folder) const {
  if (!relative(folder)) return here_.free_bytes(folder);
  return std::numeric_limits<std::uint64_t>::max();
}
std::uint64_t RemoteFiles::max_file_bytes(const fs::path& folder) const {
  return relative(folder) ? std::numeric_limits<std::uint64_t>::max()
                          : here_.max_file_bytes(folder);
}

Expected<> RemoteFiles::write_atomically(const fs::path& path, std::string_view text,
                                         std::uint32_t mode) {
  return relative(path) ? read_only_remote(path) : here_.write_atomically(path, text, mode);
}
Expected<> RemoteFiles::make_folders(const fs::path& path, std::uint32_t mode) {
  return relative(path) ? read_only_remote(path) : here_.make_folders(path, mode);
}
Expected<> RemoteFiles::rename(const fs::path& from, const fs::path& to) {
  return relative(from) || relative(to) ? read_only_remote(from) : here_.rename(from, to);
}
Expected<> RemoteFiles::rename_new(const fs::path& from, const fs::path& to) {
  return relative(from) || relative(to) ? read_only_remote(from) : here_.rename_new(from, to);
}
Expected<> RemoteFiles::link(const fs::path& from, const fs::path& to) {
  return relative(from) || relative(to) ? read_only_remote(from) : here_.link(from, to);
}
Expected<> RemoteFiles::remove(const fs::path& path) {
  return relative(path) ? read_only_remote(path) : here_.remove(path);
}
Expected<> RemoteFiles::remove_empty_folder(const fs::path& path) {
  return relative(path) ? read_only_remote(path) : here_.remove_empty_folder(path);
}
Expected<> RemoteFiles::set_mode(const fs::path& path, std::uint32_t mode) {
  return relative(path) ? read_only_remote(path) : here_.set_mode(path, mode);
}
Expected<> RemoteFiles::sync_folder(const fs::path& path) {
  return relative(path) ? read_only_remote(path) : here_.sync_folder(path);
}

Expected<RemoteView> view_remote(RemoteStore& store, const RemotePath& root,
                                 const std::string& folder, bool deep,
                                 const std::function<bool(const std::string& name)>& wanted,
                                 const Env& env, std::stop_token stop) {
  BPD_TRY_AS(work, WorkFolder::make(env, stop));
  BPD_TRY_AS(entries, store.list(folder, deep, stop));
  std::erase_if(*entries, [](const RemoteEntry& entry) { return !is_plain(entry.path); });
  if (!folder.empty()) {
    for (RemoteEntry& entry : *entries) entry.path = folder + "/" + entry.path;
  }
  RemoteView view{std::move(*work), std::move(*entries), nullptr, {}};
  BPD_TRY(
      store.fetch_all(manifests_of(view.entries, wanted, view.warnings), view.work.path(), stop));
  view.files = std::make_unique<RemoteFiles>(root, view.entries, view.work.path(), env.files);
  return view;
}

}  // namespace core
