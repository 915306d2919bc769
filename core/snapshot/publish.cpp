#include "core/snapshot/publish.h"

#include "core/base/paths.h"
#include "core/catalog/names.h"
#include "core/platform/sha256.h"

namespace core {
namespace {

constexpr int kMaxAsideNames = 100;
// Runs that publish the same name at the same time: how often one looks whether it is done.
constexpr int kMaxLooks = 3;

// After an interrupted replacement the manifest there may be one of two snapshots; and one made by
// an earlier tool has none. Then only the file itself can say which it is.
Expected<ReplacedSnapshot> describe_replaced(const Snapshot& replaced, std::stop_token stop) {
  ReplacedSnapshot earlier;
  earlier.bytes = replaced.bytes;
  earlier.taken_at = replaced.taken_at();
  const auto& manifest = replaced.manifest;
  const bool certain = manifest && !manifest->sha256.empty() && manifest->bytes == replaced.bytes &&
                       (!manifest->replaces || manifest->replaces->bytes != replaced.bytes);
  if (certain) {
    earlier.sha256 = manifest->sha256;
    return earlier;
  }
  BPD_TRY_AS(digest, sha256_of_file(replaced.path, stop));
  earlier.sha256 = std::move(*digest);
  return earlier;
}

// The other name of a snapshot that is set aside. Undone on destruction, unless kept.
class Aside {
 public:
  Aside(const PublishRequest& request, FileSystem& files) : request_(request), files_(files) {}
  ~Aside() {
    if (path_.empty() || kept_) return;
    if (moved_) {
      (void)files_.rename_new(path_, request_.snapshot);
    } else {
      (void)files_.remove(path_);
    }
    (void)files_.remove(manifest_path_of(path_));
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  Expected<fs::path> make();
  void keep() { kept_ = true; }

 private:
  Expected<> name(const fs::path& aside);

  const PublishRequest& request_;
  FileSystem& files_;
  fs::path path_;
  bool moved_ = false;
  bool kept_ = false;
};

Expected<fs::path> Aside::make() {
  BPD_TRY_AS(earlier, files_.link_info(request_.snapshot));
  const fs::path folder = request_.snapshot.parent_path();
  for (int number = 1; number <= kMaxAsideNames; ++number) {
    SnapshotName name = request_.name;
    name.stem += kKeptMark;
    if (number > 1) name.stem += "-" + std::to_string(number);
    fs::path aside = folder / path_of(format_snapshot_name(name));
    const auto taken = files_.link_info(aside);
    if (taken && taken->id == earlier->id) return aside;  // by a run that then was killed
    if (taken || files_.link_info(manifest_path_of(aside))) continue;
    BPD_TRY(this->name(aside));
    return aside;
  }
  return fail(ErrorCode::conflict,
              "There are too many kept snapshots of one name in " + text_of(folder) + ".",
              "Look at those whose names hold \"before-loss\", and remove what is not needed.");
}

Expected<> Aside::name(const fs::path& aside) {
  path_ = aside;
  if (const auto& manifest = request_.replaces->manifest) {
    BPD_TRY(write_manifest(aside, *manifest, files_));
  }
  auto linked = files_.link(request_.snapshot, aside);
  if (linked || linked.error().code != ErrorCode::unsupported) return linked;
  auto renamed = files_.rename_new(request_.snapshot, aside);
  moved_ = renamed.has_value();
  return renamed;
}

void undo_manifest(const PublishRequest& request, FileSystem& files) {
  const std::optional<Manifest> earlier =
      request.replaces ? request.replaces->manifest : std::nullopt;
  const auto undone = earlier ? write_manifest(request.snapshot, *earlier, files)
                              : files.remove(manifest_path_of(request.snapshot));
  // It names the snapshot that is there in `replaces`: verifying still tells that one is intact.
  (void)undone;
}

bool is_manifest_there(const PublishRequest& request, const Manifest& manifest,
                       const FileSystem& files) {
  const auto there = read_manifest(request.snapshot, files);
  return there && encode_manifest(*there) == encode_manifest(manifest);
}

// Of a file system that numbers files anew the length and the time must do.
bool is_same_file(const FileInfo& a, const FileInfo& b) {
  return a.id == b.id || (a.bytes == b.bytes && a.modified == b.modified);
}

// After the rename: `ours` is the file that was put in place.
void look_afterwards(const PublishRequest& request, const FileInfo& ours, const Manifest& manifest,
                     FileSystem& files, std::vector<std::string>& warnings) {
  for (int look = 0; look < kMaxLooks; ++look) {
    const bool manifest_is_ours = is_manifest_there(request, manifest, files);
    const auto there = files.link_info(request.snapshot);
    if (!there) return;
    if (is_same_file(*there, ours)) {
      if (manifest_is_ours) return;
      if (auto written = write_manifest(request.snapshot, manifest, files); !written) {
        warnings.push_back(written.error().message);
      }
      continue;
    }
    // That run has no manifest yet, or had written it before ours: ours says nothing about its
    // file.
    if (manifest_is_ours) (void)files.remove(manifest_path_of(request.snapshot));
    warnings.push_back("Another run put its own snapshot in the place of " +
                       text_of(request.snapshot) + " at the same time; that one is there now.");
    return;
  }
}

}  // namespace

Expected<Published> publish_snapshot(const PublishRequest& request, Temporary& file,
                                     Manifest& manifest, FileSystem& files, std::stop_token stop,
                                     const RunLock&, const FolderLock&) {
  Published result;
  Aside aside(request, files);
  if (request.replaces) {
    BPD_TRY_AS(replaced, describe_replaced(*request.replaces, std::move(stop)));
    manifest.replaces = std::move(*replaced);
    if (request.keep_replaced) {
      BPD_TRY_AS(made, aside.make());
      result.kept_as = std::move(*made);
    }
  }
  const auto ours = files.link_info(file.path());
  auto published = write_manifest(request.snapshot, manifest, files);
  if (published) published = files.rename(file.path(), request.snapshot);
  if (!published) {
    undo_manifest(request, files);
    return fail(published.error());
  }
  file.release();
  aside.keep();
  if (ours) look_afterwards(request, *ours, manifest, files, result.warnings);
  if (auto synced = files.sync_folder(request.snapshot.parent_path()); !synced) {
    result.warnings.push_back(
        "The snapshot is in place, but a power failure now might undo that: " +
        synced.error().message);
  }
  return result;
}

}  // namespace core
