#include "core/status/kept_files.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/base/paths.h"
#include "core/base/side_files.h"
#include "core/catalog/manifest.h"
#include "core/catalog/names.h"
#include "core/rescue/undo_file.h"

namespace core {

namespace {

class Collection {
 public:
  explicit Collection(const Env& env) : env_(env) {}

  void add(KeptFile::Kind kind, const fs::path& path, const std::string& source = {},
           std::optional<Instant> made_at = {}) {
    if (kept_.size() == kMaxKeptFiles || !seen_.insert(path).second) return;
    const auto info = env_.files.link_info(path);
    if (!info || info->kind != FileInfo::Kind::file) return;
    if (kind == KeptFile::Kind::safety_copy && info->names > 1) return;  // the live database itself
    KeptFile file{kind, path, info->bytes};
    std::vector<fs::path> beside{manifest_path_of(path)};
    for (fs::path& side : side_paths_of(path)) beside.push_back(std::move(side));
    for (fs::path& other : beside) {
      const auto there = env_.files.link_info(other);
      if (!there || there->kind != FileInfo::Kind::file) continue;
      file.bytes += there->bytes;
      file.beside.push_back(std::move(other));
    }
    file.source = source;
    file.made_at = made_at;
    kept_.push_back(std::move(file));
  }

  void add_safety_copies(const fs::path& database) {
    if (!seen_.insert(database).second) return;
    const auto entries = env_.files.list(database.parent_path(), kMaxFolderEntries);
    if (!entries) return;
    for (const DirEntry& entry : *entries) {
      if (!is_safety_copy_of(entry.name, database)) continue;
      const fs::path path = database.parent_path() / entry.name;
      const auto manifest = read_manifest(path, env_.files);
      add(KeptFile::Kind::safety_copy, path, manifest_text(text_of(database)),
          manifest ? std::optional(manifest->taken_at) : std::nullopt);
    }
  }

  void add_undo_files() {
    const auto entries = env_.files.list(undo_folder(env_), kMaxFolderEntries);
    if (!entries) return;
    for (const DirEntry& entry : *entries) {
      if (!entry.name.ends_with(".undo")) continue;
      const auto head = read_undo_head(entry.name, env_);
      add(KeptFile::Kind::undo, undo_folder(env_) / entry.name, head ? head->source : "",
          head ? std::optional(head->made_at) : std::nullopt);
    }
  }

  std::vector<KeptFile> take() {
    std::sort(kept_.begin(), kept_.end(), [](const KeptFile& a, const KeptFile& b) {
      return std::tie(a.kind, a.path) < std::tie(b.kind, b.path);
    });
    return std::move(kept_);
  }

 private:
  const Env& env_;
  std::set<fs::path> seen_;
  std::vector<KeptFile> kept_;
};

bool is_from_before_loss(const Snapshot& snapshot) {
  return snapshot.manifest && is_kept_stem(snapshot.stem, stem_of(snapshot.manifest->source));
}

}  // namespace

std::string_view to_string(KeptFile::Kind kind) {
  switch (kind) {
    case KeptFile::Kind::safety_copy:
      return "safety copy";
    case KeptFile::Kind::before_loss:
      return "before loss";
    case KeptFile::Kind::damaged_copy:
      return "damaged copy";
    case KeptFile::Kind::undo:
      return "undo";
  }
  return "undo";
}

std::optional<KeptFile::Kind> kept_kind_of(const Snapshot& snapshot) {
  if (is_damaged_copy(snapshot)) return KeptFile::Kind::damaged_copy;
  if (is_from_before_loss(snapshot)) return KeptFile::Kind::before_loss;
  return std::nullopt;
}

std::vector<KeptFile> kept_files(const StatusInput& input, const Env& env) {
  Collection kept(env);
  for (const auto& database : input.databases) kept.add_safety_copies(database.path);
  for (const RunRecord& run : input.runs) {
    if (run.kind == "restore" && run.ok) kept.add_safety_copies(run.source);
  }
  std::set<std::string> covered;  // sources that have a good snapshot of another kind
  for (const Snapshot& snapshot : input.snapshots) {
    if (snapshot.verified() && !is_from_before_loss(snapshot)) {
      covered.insert(snapshot.manifest->source);
    }
  }
  for (const Snapshot& snapshot : input.snapshots) {
    if (is_from_before_loss(snapshot) && covered.contains(snapshot.manifest->source)) {
      kept.add(KeptFile::Kind::before_loss, snapshot.path, snapshot.manifest->source,
               snapshot.manifest->taken_at);
    }
  }
  for (const Snapshot& copy : input.set_aside) {
    kept.add(KeptFile::Kind::damaged_copy, copy.path, copy.manifest ? copy.manifest->source : "",
             copy.manifest ? std::optional(copy.manifest->taken_at) : std::nullopt);
  }
  kept.add_undo_files();
  return kept.take();
}

Expected<> remove_kept(const KeptFile& file, FileSystem& files) {
  BPD_TRY(files.remove(file.path));
  for (const fs::path& beside : file.beside) {
    if (auto gone = files.remove(beside); !gone && gone.error().code != ErrorCode::not_found) {
      return gone;
    }
  }
  return {};
}

}  // namespace core
