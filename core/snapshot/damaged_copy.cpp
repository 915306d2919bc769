#include "core/snapshot/damaged_copy.h"

#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/catalog/names.h"
#include "core/catalog/series.h"

namespace core {

Expected<fs::path> keep_damaged_copy(const SnapshotPlan& plan, Manifest manifest, Temporary& file,
                                     FileSystem& files, const RunLock&) {
  const std::string stem = damaged_stem(plan.name.stem);
  const fs::path path = plan.folder / path_of(format_snapshot_name({stem, plan.name.date}));
  BPD_TRY_AS(series, list_series(plan.folder, stem, files));
  std::erase_if(*series, [&](const Snapshot& other) {
    return !is_damaged_copy(other) || other.manifest->source != manifest.source ||
           is_of_other_host(other, plan.host, kByNameAlone);
  });
  const bool ours = find_named(*series, path) != nullptr;
  if (!ours && (files.link_info(path) || files.link_info(manifest_path_of(path)))) {
    return fail(ErrorCode::conflict, text_of(path) + " is there already, and is something else.");
  }
  manifest.verified = VerifyLevel::none;
  manifest.verified_at.reset();
  BPD_TRY(write_manifest(path, manifest, files));
  if (auto renamed = files.rename(file.path(), path); !renamed) {
    if (!ours) (void)files.remove(manifest_path_of(path));
    return fail(renamed.error());
  }
  file.release();
  for (const Snapshot& earlier : *series) {
    if (earlier.path == path) continue;
    if (files.remove(earlier.path)) (void)files.remove(manifest_path_of(earlier.path));
  }
  (void)files.sync_folder(plan.folder);  // the run fails in any case
  return path;
}

std::string recovery_advice(const fs::path& path) {
  // The shells that some systems ship are built without that command.
  return "The shell of https://sqlite.org may get rows out of it: " +
         shell_command({"sqlite3", text_of(path), ".recover"});
}

}  // namespace core
