#include "core/catalog/catalog.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/paths.h"
#include "core/catalog/names.h"

namespace core {
namespace {

constexpr std::size_t kMaxEntriesPerFolder = 200'000;
constexpr std::size_t kMaxFolders = 10'000;
constexpr std::string_view kCursorPrefix = "v1:";
// Row counts by table that are kept of one series, some 20 MiB.
constexpr std::size_t kMaxTablesOfSeries = 150'000;

// A file that bears a snapshot's name, before anything but its name is known.
struct Candidate {
  std::string relative;  // below the destination, '/' between the parts
  std::size_t folder = 0;
  SnapshotName name;
};

// Where candidates lie: hosts[/labels] below the destination.
struct SearchedFolder {
  fs::path path;
  std::string first, second;  // folder names below the destination; empty for none

  std::string prefix() const {
    if (first.empty()) return "";
    return second.empty() ? first + "/" : first + "/" + second + "/";
  }
};

// By what names tell. Of one day those without a time come last.
bool newer(const SnapshotDay& day, const std::string& path, const SnapshotDay& than_day,
           const std::string& than_path) {
  if (day.date != than_day.date) return day.date > than_day.date;
  if (day.time != than_day.time) return day.time > than_day.time;
  return path < than_path;
}

struct Cursor {
  SnapshotDay day;
  std::string relative;
};

Expected<std::optional<Cursor>> decode_cursor(const std::string& text) {
  if (text.empty()) return std::optional<Cursor>();
  if (text.starts_with(kCursorPrefix)) {
    std::string relative = text.substr(kCursorPrefix.size());
    const auto name = parse_snapshot_name(text_of(path_of(relative).filename()));
    if (name) return std::optional<Cursor>({name->day(), std::move(relative)});
  }
  return fail(ErrorCode::invalid_argument, "The cursor is not one that a listing returned.",
              "Leave the cursor out to begin with the newest snapshot.");
}

// Walks the destination and collects what bears a snapshot's name and passes the filter's tests
// of names.
class Walk {
 public:
  Walk(const ListFilter& filter, const FileSystem& files, ListPage& page)
      : filter_(filter), files_(files), page_(page) {}

  Expected<> run(const fs::path& destination) {
    BPD_TRY(enter({destination, "", ""}));
    // Index, not iterator: entering a host's folder appends its labels.
    for (std::size_t next = 0; next < pending_.size(); ++next) {
      if (next == kMaxFolders) {
        page_.warnings.push_back(text_of(destination) + " holds more than " +
                                 std::to_string(kMaxFolders) + " folders; the rest was left out.");
        break;
      }
      if (auto listed = enter(pending_[next]); !listed) {
        page_.warnings.push_back(listed.error().message);
      }
    }
    return {};
  }

  std::vector<Candidate> candidates;
  std::vector<SearchedFolder> folders;

 private:
  Expected<> enter(SearchedFolder folder) {
    BPD_TRY_AS(entries, files_.list(folder.path, kMaxEntriesPerFolder));
    const std::string prefix = folder.prefix();
    const bool matches = folder_matches(folder);
    for (DirEntry& entry : *entries) {
      if (entry.name.starts_with('.')) continue;
      if (entry.kind == FileInfo::Kind::folder && folder.second.empty()) {
        SearchedFolder below = folder;
        below.path /= path_of(entry.name);
        (folder.first.empty() ? below.first : below.second) = entry.name;
        pending_.push_back(std::move(below));
      } else if (entry.kind == FileInfo::Kind::file && matches) {
        auto name = parse_snapshot_name(entry.name);
        if (!name || !name_matches(*name)) continue;
        candidates.push_back({prefix + entry.name, folders.size(), std::move(*name)});
      }
    }
    folders.push_back(std::move(folder));
    return {};
  }

  // A single folder is a host's, or a label's in a flat destination: it may be asked for as either.
  bool folder_matches(const SearchedFolder& folder) const {
    if (filter_.host && folder.first != *filter_.host) return false;
    if (!filter_.label) return true;
    if (folder.second.empty() && !filter_.host && folder.first == *filter_.label) return true;
    return folder.second == *filter_.label;
  }

  bool name_matches(const SnapshotName& name) const {
    return (!filter_.stem || name.stem == *filter_.stem) &&
           (!filter_.time || name.time == filter_.time) &&
           (!filter_.from || name.date >= *filter_.from) &&
           (!filter_.to || name.date <= *filter_.to);
  }

  const ListFilter& filter_;
  const FileSystem& files_;
  ListPage& page_;
  std::vector<SearchedFolder> pending_;
};

void attach_manifest(Snapshot& snapshot, const FileSystem& files) {
  auto manifest = read_manifest(snapshot.path, files);
  if (manifest) {
    snapshot.manifest = std::move(*manifest);
    snapshot.found_damaged = is_damaged_copy(snapshot);
  } else if (manifest.error().code != ErrorCode::not_found) {
    snapshot.manifest_problem = manifest.error().message;
  }
}

// Nothing when it vanished since the folder was read: another run's retention is at work.
std::optional<Snapshot> load(const fs::path& path, const SnapshotName& name,
                             const FileSystem& files, std::vector<std::string>& warnings) {
  const auto info = files.link_info(path);
  if (!info) {
    if (info.error().code != ErrorCode::not_found) warnings.push_back(info.error().message);
    return std::nullopt;
  }
  return snapshot_of_file(path, name, *info);
}

// Totals of a listing by its series.
class SeriesTotals {
 public:
  void add(std::size_t folder, Snapshot& snapshot) {
    const auto [at, is_new] = places_.try_emplace({folder, snapshot.stem}, totals.size());
    if (is_new) totals.push_back({0, 0, snapshot.date});
    SeriesTotal& total = totals[at->second];
    ++total.snapshots;
    total.bytes += snapshot.bytes;
    total.oldest = std::min(total.oldest, snapshot.date);
    snapshot.series = at->second;
  }

  std::vector<SeriesTotal> totals;

 private:
  std::map<std::pair<std::size_t, std::string>, std::size_t> places_;
};

// Which of the two a single folder is, only the manifest knows.
void name_place(Snapshot& snapshot, const SearchedFolder& folder) {
  snapshot.host = folder.first;
  snapshot.label = folder.second;
  const bool flat_label = folder.second.empty() && snapshot.manifest &&
                          snapshot.manifest->label == folder.first &&
                          snapshot.manifest->host != folder.first;
  if (flat_label) std::swap(snapshot.host, snapshot.label);
}

}  // namespace

bool is_damaged_copy(const Snapshot& snapshot) {
  return snapshot.manifest &&
         snapshot.stem == damaged_stem(stem_of(path_of(snapshot.manifest->source)));
}

bool taken_before(const Snapshot& a, const Snapshot& b, Instant now) {
  const bool a_known = a.taken_at() <= now, b_known = b.taken_at() <= now;
  return a_known != b_known ? b_known : a.taken_at() < b.taken_at();
}

Snapshot snapshot_of_file(const fs::path& path, const SnapshotName& name, const FileInfo& info) {
  Snapshot snapshot;
  snapshot.path = path;
  snapshot.stem = name.stem;
  snapshot.date = name.date;
  snapshot.time = name.time;
  snapshot.bytes = info.bytes;
  snapshot.modified = info.modified;
  return snapshot;
}

bool newer_in_series(const Snapshot& a, const Snapshot& b) {
  if (a.date != b.date) return a.date > b.date;
  if (a.taken_at() != b.taken_at()) return a.taken_at() > b.taken_at();
  return a.path > b.path;
}

Expected<ListPage> list_snapshots(const fs::path& destination, const ListFilter& filter,
                                  std::size_t limit, const std::string& cursor,
                                  const FileSystem& files) {
  BPD_TRY_AS(start, decode_cursor(cursor));
  ListPage page;
  Walk walk(filter, files, page);
  if (auto walked = walk.run(destination); !walked) {
    Error error = walked.error();
    // As a rule nobody typed it: a schedule or a run before has it.
    if (error.code == ErrorCode::not_found) {
      error.hint = "Attach the disk it lies on, or give the folder that holds the snapshots.";
    }
    return fail(std::move(error));
  }
  auto& candidates = walk.candidates;
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return newer(a.name.day(), a.relative, b.name.day(), b.relative);
  });

  const std::string source = manifest_text(filter.source.value_or(""));
  std::string last;
  SeriesTotals series;
  for (const Candidate& candidate : candidates) {
    const SearchedFolder& folder = walk.folders[candidate.folder];
    auto snapshot =
        load(destination / path_of(candidate.relative), candidate.name, files, page.warnings);
    if (!snapshot) continue;
    if (filter.source) {
      attach_manifest(*snapshot, files);
      const bool unread =
          !snapshot->manifest_problem.empty() && snapshot->stem == stem_of(path_of(source));
      if (unread) page.warnings.push_back(snapshot->manifest_problem + " It is left out here.");
      if (!snapshot->manifest || snapshot->manifest->source != source) continue;
    }
    ++page.total;
    page.total_bytes += snapshot->bytes;
    series.add(candidate.folder, *snapshot);
    const bool before_page = *start && !newer((*start)->day, (*start)->relative,
                                              candidate.name.day(), candidate.relative);
    if (before_page) continue;
    if (page.snapshots.size() == limit) {
      page.next_cursor = std::string(kCursorPrefix) + last;
      continue;
    }
    if (!filter.source) attach_manifest(*snapshot, files);
    if (snapshot->manifest) forget_rows(*snapshot->manifest);  // of 100,000 snapshots
    name_place(*snapshot, folder);
    if (!snapshot->manifest_problem.empty()) page.warnings.push_back(snapshot->manifest_problem);
    last = candidate.relative;
    page.snapshots.push_back(std::move(*snapshot));
  }
  page.series = std::move(series.totals);
  return page;
}

fs::path recorded_source(const fs::path& source, const FileSystem& files) {
  if (auto resolved = files.canonical(source)) return *resolved;
  if (auto folder = files.canonical(source.parent_path())) return *folder / source.filename();
  return source.lexically_normal();
}

Expected<std::vector<Snapshot>> list_series(const fs::path& folder, const std::string& stem,
                                            const FileSystem& files) {
  BPD_TRY_AS(entries, files.list(folder, kMaxEntriesPerFolder));
  std::vector<SnapshotName> names;
  for (const DirEntry& entry : *entries) {
    auto name = parse_snapshot_name(entry.name);
    if (entry.kind == FileInfo::Kind::file && name && name->stem == stem) {
      names.push_back(std::move(*name));
    }
  }
  // The rows of the oldest are forgotten while they are read; what they were taken at is not known
  // yet.
  std::sort(names.begin(), names.end(), [](const SnapshotName& a, const SnapshotName& b) {
    return newer(a.day(), "", b.day(), "");
  });
  std::vector<Snapshot> series;
  std::vector<std::string> warnings;
  std::size_t tables = 0;
  for (const SnapshotName& name : names) {
    auto snapshot = load(folder / path_of(format_snapshot_name(name)), name, files, warnings);
    if (!snapshot) continue;
    attach_manifest(*snapshot, files);
    if (auto& manifest = snapshot->manifest) {
      snapshot->host = manifest->host;
      snapshot->label = manifest->label;
      tables += manifest->rows.size();
      if (tables > kMaxTablesOfSeries) forget_rows(*manifest);
    }
    series.push_back(std::move(*snapshot));
  }
  if (!warnings.empty()) return fail(ErrorCode::io, warnings.front());
  std::sort(series.begin(), series.end(), newer_in_series);
  return series;
}

}  // namespace core
