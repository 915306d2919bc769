#include "core/restore/restore_leftovers.h"

#include <algorithm>

#include "core/base/paths.h"
#include "core/base/side_files.h"
#include "core/catalog/manifest.h"
#include "core/catalog/names.h"
#include "core/platform/temporary.h"

namespace core {
namespace {

// "global.before-….db.manifest.json" -> "global.before-….db"; empty for any other name.
std::string described_by(const std::string& file_name, const fs::path& target) {
  if (!file_name.ends_with(kManifestEnding)) return "";
  std::string described(without_manifest_ending(file_name));
  return is_safety_copy_of(described, target) ? described : "";
}

bool is_temporary_of_restore(const std::string& file_name, const fs::path& target) {
  const auto becomes = name_of_temporary(file_name);
  return becomes &&
         (*becomes == text_of(target.filename()) || !described_by(*becomes, target).empty());
}

// A manifest is written before its safety copy gets its name, and gets its digest when that is
// done: one without either is of a restore that ended in between.
bool is_orphan(const fs::path& described, const FileSystem& files) {
  const auto info = files.link_info(described);
  if (info || info.error().code != ErrorCode::not_found) return false;
  const auto manifest = read_manifest(described, files);
  return manifest && manifest->sha256.empty();
}

std::vector<DirEntry> files_beside(const fs::path& target, const FileSystem& files) {
  auto entries = files.list(target.parent_path(), kMaxFolderEntries);
  if (!entries) return {};
  std::erase_if(*entries, [](const auto& entry) { return entry.kind != FileInfo::Kind::file; });
  return std::move(*entries);
}

}  // namespace

std::vector<fs::path> second_names_of(const fs::path& database, const FileSystem& files) {
  std::vector<fs::path> names;
  const auto live = files.link_info(database);
  if (!live || live->kind != FileInfo::Kind::file || live->names < 2) return names;
  for (const DirEntry& entry : files_beside(database, files)) {
    if (!is_safety_copy_of(entry.name, database)) continue;
    const fs::path path = database.parent_path() / path_of(entry.name);
    const auto info = files.link_info(path);
    if (info && info->id == live->id) names.push_back(path);
  }
  return names;
}

std::vector<std::string> sweep_restore_leftovers(const fs::path& target, const Env& env,
                                                 const RunLock&) {
  FileSystem& files = env.files;
  std::vector<std::string> warnings;
  const auto note = [&](const auto& removed) {
    if (removed || removed.error().code == ErrorCode::not_found) return;
    warnings.push_back("What an interrupted restore left stays: " + removed.error().message);
  };
  for (const fs::path& name : second_names_of(target, files)) {
    note(files.remove(name));
    note(files.remove(manifest_path_of(name)));
    for (const fs::path& side : side_paths_of(name)) {
      const auto info = files.link_info(side);
      if (!info) continue;
      if (info->bytes == 0 || side == shm_of(name)) {  // nothing that would be missed
        note(files.remove(side));
      } else {
        warnings.push_back(text_of(side) +
                           " was moved there by an interrupted restore; it belongs to " +
                           text_of(target) + " as it was then. Remove it if nothing is missing.");
      }
    }
  }
  for (const DirEntry& entry : files_beside(target, files)) {
    const fs::path path = target.parent_path() / path_of(entry.name);
    const std::string described = described_by(entry.name, target);
    if (is_temporary_of_restore(entry.name, target)) {
      note(remove_if_abandoned(path, env.clock.now()));
    } else if (!described.empty() && is_orphan(target.parent_path() / path_of(described), files)) {
      note(files.remove(path));
    }
  }
  return warnings;
}

}  // namespace core
