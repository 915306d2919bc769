#include "core/discovery/discover.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/base/glob.h"
#include "core/base/paths.h"
#include "core/base/side_files.h"
#include "core/catalog/catalog.h"
#include "core/catalog/history.h"
#include "core/catalog/names.h"
#include "core/discovery/ignored.h"
#include "core/discovery/known_programs.h"
#include "core/discovery/known_projects.h"
#include "core/discovery/location.h"
#include "core/discovery/project_here.h"
#include "core/platform/mounts.h"
#include "core/restore/restore_leftovers.h"
#include "core/sqlite/pinned_source.h"
#include "core/sqlite/row_counts.h"

namespace core {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// A database that a writer holds this long is reported without its rows.
constexpr std::chrono::milliseconds kBusyTimeout{250};
constexpr std::uint64_t kMaxMountsBytes = 1 << 20;
constexpr std::size_t kMaxPatternBytes = 255;
constexpr std::size_t kMaxWarnings = 50;

// Other people's files, caches and history: large, and never a plugin's live database.
constexpr std::array kSkippedFolders = {".git",   "node_modules", ".venv",     "__pycache__",
                                        ".cache", ".Trash",       "lost+found"};

constexpr const char* kSecretsInside =
    "It also holds passwords or keys: choose a destination that only you can read.";

// Of runs in the history: more are as good as forgotten.
constexpr std::size_t kMaxRestores = 1'000;

// Files that restores have made under another name than their database's, and that are no source of
// any snapshot.
std::set<std::string> restored_copies(const Env& env) {
  std::set<std::string> copies;
  RunFilter filter;
  filter.kind = "restore";
  filter.limit = kMaxRestores;
  const auto restores = list_runs(filter, env);
  for (const RunRecord& run : restores.value_or(std::vector<RunRecord>{})) {
    const auto name = parse_snapshot_name(text_of(path_of(run.snapshot).filename()));
    if (run.ok && name && name->stem != stem_of(path_of(run.source))) copies.insert(run.source);
  }
  std::erase_if(copies, [&](const std::string& path) {
    RunFilter of_it;
    of_it.kind = kSnapshotRun;
    of_it.source = path;
    of_it.limit = 1;
    const auto runs = list_runs(of_it, env);
    return !runs || !runs->empty();
  });
  return copies;
}

bool is_skipped_folder(const std::string& name) {
  return std::find(kSkippedFolders.begin(), kSkippedFolders.end(), name) != kSkippedFolders.end();
}

class Search {
 public:
  Search(const DiscoverRequest& request, const Env& env, std::stop_token stop)
      : request_(request),
        env_(env),
        stop_(std::move(stop)),
        deadline_(env.clock.steady_now() + request.timeout) {}

  Expected<Discovery> run() {
    BPD_TRY(check_arguments());
    if (auto mounts = env_.files.read("/proc/mounts", kMaxMountsBytes)) mounts_ = *mounts;
    if (auto ignored = read_ignored(env_.places, env_.files)) {
      ignored_ = std::move(*ignored);
    } else {
      warn(ignored.error().message + " " + ignored.error().hint);
    }
    const fs::path& home = env_.places.home;
    const fs::path claude = claude_folder();
    if (request_.global) {
      offer(claude / "orchestrator/global.db", DatabaseKind::global);
      offer(home / kGlobalDatabase, DatabaseKind::global);
      offer(home / ".orchestrator/global.db", DatabaseKind::legacy_global);
    }
    if (request_.known) offer_projects();
    if (request_.programs) offer_programs();
    if (request_.known && !request_.patterns.empty()) search_below(claude);
    for (const fs::path& folder : request_.folders) search_below(folder);
    if (request_.read_contents) read_contents();
    if (stop_.stop_requested()) {
      return fail(ErrorCode::cancelled, "The search for databases was cancelled.");
    }
    std::sort(result_.databases.begin(), result_.databases.end(),
              [](const FoundDatabase& a, const FoundDatabase& b) {
                return std::tie(a.kind, a.path) < std::tie(b.kind, b.path);
              });
    return std::move(result_);
  }

 private:
  fs::path claude_folder() const {
    const auto it = env_.places.variables.find("CLAUDE_CONFIG_DIR");
    if (it != env_.places.variables.end() && path_of(it->second).is_absolute())
      return path_of(it->second);
    return env_.places.home / ".claude";
  }

  Expected<> check_arguments() {
    for (const std::string& pattern : request_.patterns) {
      if (pattern.empty() || pattern.size() > kMaxPatternBytes ||
          pattern.find('/') != std::string::npos) {
        return fail(ErrorCode::invalid_argument,
                    "The pattern \"" + pattern + "\" is no pattern of file names.",
                    "Give a file name with * and ?, such as *.sqlite, and its folder apart.");
      }
    }
    for (const fs::path& folder : request_.folders) {
      BPD_TRY_AS(info, env_.files.info(folder));
      if (info->kind != FileInfo::Kind::folder) {
        return fail(ErrorCode::invalid_argument, text_of(folder) + " is not a folder.");
      }
    }
    return {};
  }

  void warn(std::string warning) {
    if (result_.warnings.size() < kMaxWarnings) result_.warnings.push_back(std::move(warning));
  }

  // True when the search must end; says so once.
  bool out_of_bounds() {
    if (stop_.stop_requested()) return true;
    std::string bound;
    if (env_.clock.steady_now() >= deadline_) bound = "The time for the search is up";
    if (entries_ > kMaxSearchEntries) {
      bound = "More than " + std::to_string(kMaxSearchEntries) + " files were looked at";
    }
    if (bound.empty()) return false;
    if (result_.complete) warn(bound + ": the rest was left out. Name fewer or deeper folders.");
    result_.complete = false;
    return true;
  }

  // Takes a file into the result if there is one of some size; each file once, whatever its names.
  void offer(const fs::path& path, DatabaseKind kind, const KnownProgram* program = nullptr) {
    const auto info = env_.files.info(path);
    if (!info) {
      const bool absent = info.error().code == ErrorCode::not_found;
      if (!absent) warn(info.error().message);
      return;
    }
    if (info->kind != FileInfo::Kind::file || info->bytes == 0) return;
    const auto resolved = env_.files.canonical(path);
    if (!resolved || is_ours(*resolved)) return;
    if (!seen_files_.insert({info->id.device, info->id.inode}).second) return;
    if (result_.databases.size() == kMaxFoundDatabases) {
      result_.complete = false;
      warn("There are more than " + std::to_string(kMaxFoundDatabases) + " databases.");
    }
    if (result_.databases.size() >= kMaxFoundDatabases) return;
    FoundDatabase database;
    database.path = *resolved;
    database.kind = kind;
    if (program != nullptr) {
      database.program = program->name;
      if (program->secrets) database.warnings.emplace_back(kSecretsInside);
    }
    database.ignored = is_ignored(*resolved, ignored_);
    database.bytes = info->bytes;
    database.last_write = info->modified;
    database.elsewhere = info->elsewhere;
    if (const auto wal_info = env_.files.info(wal_of(*resolved))) {
      database.bytes += wal_info->bytes;
      // A reader touches an empty -wal, too.
      if (wal_info->bytes > 0) {
        database.last_write = std::max(database.last_write, wal_info->modified);
      }
    }
    warn_of_place(database);
    result_.databases.push_back(std::move(database));
  }

  void warn_of_place(FoundDatabase& database) const {
    for (const fs::path& name : second_names_of(database.path, env_.files)) {
      database.warnings.push_back(
          "A restore of it was interrupted and left it a second name, " + text_of(name) +
          ". Nothing may open it by that name; remove that file, or restore again.");
    }
    if (const std::string service = cloud_service_of(database.path); !service.empty()) {
      database.warnings.push_back(
          "It lies in a folder that " + service +
          " syncs: the live database can be torn there. Move it elsewhere; snapshots are safe to "
          "sync.");
    }
    if (database.elsewhere) {
      database.warnings.push_back(
          "Its content is in the cloud alone: it was not read, since that would bring all of it. A "
          "snapshot does; have the service keep it on this device.");
    }
    const std::string type = mount_type_of(database.path, mounts_);
    const bool wsl = env_.places.variables.contains("WSL_DISTRO_NAME");
    if (type == "drvfs" || (type == "9p" && wsl)) {
      database.warnings.push_back(
          "It lies on a Windows drive seen from WSL, where SQLite's locks and WAL are not "
          "reliable. Move it into the Linux file system.");
    } else if (type == "nfs" || type == "nfs4" || type == "cifs" || type == "smb3" ||
               type == "fuse.sshfs") {
      database.warnings.push_back("It lies on a network file system (" + type +
                                  "), where SQLite's locks and WAL are not reliable. Move it to a "
                                  "local disk.");
    }
  }

  // State, settings and the scheduled program of this program itself.
  bool is_ours(const fs::path& path) const {
    const Places& places = env_.places;
    const std::array ours{&places.state, &places.config, &places.data};
    return std::any_of(ours.begin(), ours.end(), [&](const fs::path* folder) {
      return !folder->empty() && is_inside(path, *folder);
    });
  }

  void offer_programs() {
    for (const KnownProgram& program : known_programs()) {
      if (out_of_bounds()) return;
      for (const fs::path& path : files_of(program, env_)) {
        if (!is_passed_over(path)) offer(path, DatabaseKind::program, &program);
      }
    }
  }

  void offer_projects() {
    const auto known = known_projects({request_.skim, deadline_}, env_, result_.warnings);
    for (const fs::path& project : known.folders) {
      if (out_of_bounds()) break;
      ++result_.projects;
      offer_project(project);
    }
    if (!known.complete && !out_of_bounds()) result_.complete = false;
  }

  // A session may have run in a folder below its project's.
  void offer_project(fs::path folder) {
    for (int i = 0; i < kMaxProjectParents && folder != folder.root_path(); ++i) {
      offer(folder / kProjectDatabase, DatabaseKind::project);
      if (request_.programs) offer_programs_of(folder);
      if (folder == env_.places.home) return;
      folder = folder.parent_path();
    }
  }

  // What known programs keep in a project.
  void offer_programs_of(const fs::path& project) {
    for (const KnownProgram& program : known_programs()) {
      for (const fs::path& path : files_in_project(program, project, env_.files)) {
        if (!is_passed_over(path)) offer(path, DatabaseKind::program, &program);
      }
    }
  }

  void search_below(const fs::path& folder) {
    const auto info = env_.files.info(folder);
    if (info && info->kind == FileInfo::Kind::folder) enter(folder, info->id, 0);
  }

  void enter(const fs::path& folder, const FileId& id, int depth) {
    if (out_of_bounds()) return;
    const std::pair key{id.device, id.inode};
    if (std::find(ancestors_.begin(), ancestors_.end(), key) != ancestors_.end()) {
      warn(text_of(folder) + " leads back to a folder above it and was not followed.");
      return;
    }
    if (!seen_folders_.insert(key).second) return;
    const auto entries = env_.files.list(folder, kMaxSearchEntries);
    if (!entries) {
      warn(entries.error().message);
      return;
    }
    ancestors_.push_back(key);
    for (const DirEntry& entry : *entries) {
      ++entries_;
      if (out_of_bounds()) break;
      look_at(folder, entry, depth);
    }
    ancestors_.pop_back();
  }

  void look_at(const fs::path& folder, const DirEntry& entry, int depth) {
    const fs::path path = folder / path_of(entry.name);
    FileInfo::Kind kind = entry.kind;
    FileId id;
    if (kind == FileInfo::Kind::folder || kind == FileInfo::Kind::symlink) {
      const auto info = env_.files.info(path);  // a link that leads nowhere is nothing
      if (!info) return;
      kind = info->kind;
      id = info->id;
    }
    if (kind == FileInfo::Kind::folder) {
      if (is_skipped_folder(entry.name)) return;
      if (depth < kMaxSearchDepth) {
        enter(path, id, depth + 1);
      } else if (std::exchange(depth_told_, true) == false) {
        warn("Folders more than " + std::to_string(kMaxSearchDepth) + " deep, such as " +
             text_of(path) + ", were left out.");
        result_.complete = false;
      }
    } else if (kind == FileInfo::Kind::file && !is_passed_over(path)) {
      offer_if_wanted(path, entry.name);
    }
  }

  // What belongs to a database, or was made of one: its name alone does not prove that, for a
  // program of the user's may name its databases by days, too; a manifest beside it does.
  bool is_passed_over(const fs::path& path) const {
    const std::string name = text_of(path.filename());
    if (is_side_file(name)) return true;
    const bool may_be_made = parse_snapshot_name(name) || is_safety_copy(name);
    return may_be_made && env_.files.link_info(manifest_path_of(path)).has_value();
  }

  void offer_if_wanted(const fs::path& path, const std::string& name) {
    if (is_project_database(path)) return offer(path, DatabaseKind::project);
    if (const KnownProgram* program = program_of_project_file(path)) {
      return offer(path, DatabaseKind::program, program);
    }
    if (fits_a_pattern(name) && !is_restored_copy(path)) offer(path, DatabaseKind::other);
  }

  // Restored to a file of another name, and never backed up since.
  bool is_restored_copy(const fs::path& path) {
    if (!restored_) restored_ = restored_copies(env_);
    return restored_->contains(text_of(env_.files.canonical(path).value_or(path)));
  }

  bool fits_a_pattern(const std::string& name) const {
    return std::any_of(request_.patterns.begin(), request_.patterns.end(),
                       [&](const std::string& pattern) { return fits_pattern(name, pattern); });
  }

  void read_contents() {
    std::vector<FoundDatabase> kept;
    for (FoundDatabase& database : result_.databases) {
      if (stop_.stop_requested()) return;
      const bool in_time = env_.clock.steady_now() < deadline_;
      if (!in_time) result_.complete = false;
      if (!in_time || read_content(database)) kept.push_back(std::move(database));
    }
    result_.databases = std::move(kept);
  }

  // False for what is no database after all: a pattern fits many files.
  bool read_content(FoundDatabase& database) const {
    if (database.elsewhere) return true;
    auto source = PinnedSource::open(database.path, kBusyTimeout, env_, stop_);
    if (!source) {
      const bool by_pattern = database.kind == DatabaseKind::other;
      if (by_pattern && source.error().code == ErrorCode::not_a_database) return false;
      database.warnings.push_back(source.error().message);
      return true;
    }
    database.journal_mode = source->header().journal_mode();
    if (database.bytes > kMaxCountedBytes) return true;
    const auto rows = count_rows(source->connection(), stop_);
    if (!rows) {
      database.warnings.push_back(rows.error().message);
      return true;
    }
    database.rows = 0;
    for (const auto& [table, count] : rows->all()) *database.rows += count;
    return true;
  }

  using FolderKey = std::pair<std::uint64_t, std::uint64_t>;

  const DiscoverRequest& request_;
  const Env& env_;
  const std::stop_token stop_;
  const SteadyTime deadline_;
  std::string mounts_;
  std::vector<fs::path> ignored_;
  std::optional<std::set<std::string>> restored_;  // read where it is needed
  Discovery result_;
  std::set<FolderKey> seen_files_, seen_folders_;
  std::vector<FolderKey> ancestors_;  // of the folder that is being read
  std::size_t entries_ = 0;
  bool depth_told_ = false;
};

}  // namespace

std::string_view to_string(DatabaseKind kind) {
  switch (kind) {
    case DatabaseKind::global:
      return "global";
    case DatabaseKind::legacy_global:
      return "legacy global";
    case DatabaseKind::project:
      return "project";
    case DatabaseKind::program:
      return "program";
    case DatabaseKind::other:
      return "other";
  }
  return "other";
}

Expected<Discovery> discover_databases(const DiscoverRequest& request, const Env& env,
                                       std::stop_token stop) {
  return Search(request, env, std::move(stop)).run();
}

}  // namespace core
