#include "core/snapshot/snapshot_leftovers.h"

#include <set>

#include "core/base/paths.h"
#include "core/catalog/catalog.h"
#include "core/catalog/names.h"
#include "core/platform/temporary.h"
#include "core/snapshot/snapshot_plan.h"

namespace core {
namespace {

// The name that a manifest's file describes, if it is one of a snapshot of this stem or of one that
// was kept aside for it.
std::optional<SnapshotName> described_by(const std::string& file_name, const std::string& stem) {
  if (!file_name.ends_with(kManifestEnding)) return std::nullopt;
  auto name = parse_snapshot_name(without_manifest_ending(file_name));
  if (name && name->stem != stem && !is_kept_stem(name->stem, stem)) return std::nullopt;
  return name;
}

bool describes_nothing(const fs::path& snapshot, const std::string& source,
                       const FileSystem& files) {
  const auto there = files.link_info(snapshot);
  if (there || there.error().code != ErrorCode::not_found) return false;
  const auto manifest = read_manifest(snapshot, files);
  return manifest && manifest->source == manifest_text(source);
}

}  // namespace

// Under the lock of the series nobody of this machine is at work on such a file; its own lock tells
// of other machines.
SweptLeftovers sweep_snapshot_leftovers(const fs::path& folder, const std::string& stem,
                                        const std::string& source, const Env& env, const RunLock&) {
  SweptLeftovers result;
  FileSystem& files = env.files;
  const auto entries = files.list(folder, kMaxFolderEntries);
  if (!entries) return result;  // list_series is about to report it
  const auto note = [&](const fs::path& path, const Expected<bool>& removed) {
    if (removed && *removed) result.swept.push_back(path);
    if (!removed) result.warnings.push_back("A left-over file stays: " + removed.error().message);
    return removed && *removed;
  };
  std::set<std::string> unpublished;  // days and hours of which a copy was swept
  for (const DirEntry& entry : *entries) {
    if (entry.kind != FileInfo::Kind::file || !is_temporary_of(entry.name, stem)) continue;
    const fs::path path = folder / path_of(entry.name);
    if (!note(path, remove_if_abandoned(path, env.clock.now()))) continue;
    const auto copy_of = parse_snapshot_name(name_of_temporary(entry.name).value_or(""));
    if (copy_of) unpublished.insert(format_snapshot_day(copy_of->day()));
  }
  for (const DirEntry& entry : *entries) {
    const auto name = described_by(entry.name, stem);
    if (entry.kind != FileInfo::Kind::file || !name) continue;
    if (!unpublished.contains(format_snapshot_day(name->day()))) continue;
    if (!describes_nothing(folder / path_of(format_snapshot_name(*name)), source, files)) continue;
    const fs::path path = folder / path_of(entry.name);
    const auto removed = files.remove(path);
    note(path, removed ? Expected<bool>(true) : fail(removed.error()));
  }
  return result;
}

}  // namespace core
