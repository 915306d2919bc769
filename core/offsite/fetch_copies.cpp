#include "core/offsite/fetch_copies.h"

#include <algorithm>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/manifest.h"
#include "core/platform/room.h"
#include "core/platform/sha256.h"

namespace core {
namespace {

const RemoteEntry* entry_of(const RemoteView& view, const std::string& path) {
  const auto found = std::find_if(view.entries.begin(), view.entries.end(),
                                  [&](const RemoteEntry& entry) { return entry.path == path; });
  return found == view.entries.end() ? nullptr : &*found;
}

Expected<std::uint64_t> bytes_of(const std::vector<std::string>& paths, const RemotePath& root,
                                 const RemoteView& view) {
  std::uint64_t bytes = 0;
  for (const std::string& path : paths) {
    const RemoteEntry* entry = entry_of(view, path);
    if (entry == nullptr) {
      return fail(ErrorCode::not_found, below(root, path) + " is not there.",
                  "List what is with " +
                      say(Action::list_snapshots, {{"destination", text_of(root)}}) + ".");
    }
    bytes += entry->bytes;
  }
  if (bytes <= kMaxFetchedBytes && paths.size() <= kMaxFetchedSnapshots) return bytes;
  return fail(ErrorCode::invalid_argument,
              std::to_string(paths.size()) + " snapshots of " + text_of(root) +
                  " are more than one call brings here.",
              "Name one, or fetch them into a folder with rclone copy.");
}

Expected<> fetch_one(RemoteStore& store, const RemotePath& root, const std::string& path,
                     RemoteView& view, const Env& env, const std::stop_token& stop) {
  const fs::path file = view.work.path() / path_of(path);
  BPD_TRY(env.files.make_folders(file.parent_path(), kPrivateFolder));
  BPD_TRY(store.fetch(path, file, stop));
  const auto manifest = read_manifest(file, env.files);
  if (!manifest && manifest.error().code == ErrorCode::not_found) {
    view.warnings.push_back(below(root, path) +
                            " has no manifest: a run that was cut off may have left it.");
    return {};
  }
  if (!manifest) return fail(manifest.error());
  BPD_TRY_AS(digest, sha256_of_file(file, stop));
  if (*digest == manifest->sha256 || manifest->sha256.empty()) return {};
  return fail(ErrorCode::damaged,
              below(root, path) + " is damaged: it is not what its manifest says.",
              "List the others with " +
                  say(Action::list_snapshots, {{"destination", text_of(root)}}) + ".");
}

}  // namespace

Expected<> fetch_copies(RemoteStore& store, const RemotePath& root,
                        const std::vector<std::string>& paths, RemoteView& view, const Env& env,
                        std::stop_token stop) {
  BPD_TRY_AS(bytes, bytes_of(paths, root, view));
  BPD_TRY(check_room({view.work.path(), *bytes, "what is fetched from " + text_of(root),
                      "Free some space on the disk of the state folder."},
                     env.files));
  for (const std::string& path : paths) {
    BPD_TRY(fetch_one(store, root, path, view, env, stop));
  }
  return {};
}

}  // namespace core
