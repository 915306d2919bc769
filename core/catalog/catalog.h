// Which snapshots there are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/catalog/manifest.h"
#include "core/catalog/names.h"

namespace core {

inline constexpr std::size_t kNoSeries = static_cast<std::size_t>(-1);

struct Snapshot {
  fs::path path;
  std::string host;   // folder name; empty in a flat destination
  std::string label;  // empty for none
  std::string stem;
  Date date{};
  std::optional<std::chrono::minutes> time{};  // of the hour that the name carries, if it does
  std::uint64_t bytes = 0;
  Instant modified{};
  std::optional<Manifest> manifest;  // absent: made by an earlier tool, or the manifest was lost
  std::string manifest_problem;      // why a manifest that is there could not be read
  // By a later check (mark_damaged in verify_run.h), or by the run that kept it (is_damaged_copy).
  bool found_damaged = false;
  std::size_t series = kNoSeries;  // of the listing that it is of: ListPage::series
  std::string unusable;            // "is empty (0 bytes)" and the like: mark_unusable

  // Nothing is known that would keep it from being restored.
  bool restorable() const { return !found_damaged && unusable.empty(); }
  // The file has the length that the manifest tells, or that of the snapshot which was to be
  // replaced.
  bool has_told_length() const {
    return manifest &&
           (manifest->bytes == bytes || (manifest->replaces && manifest->replaces->bytes == bytes));
  }
  SnapshotDay day() const { return {date, time}; }
  // The manifest says that it passed a check, and nothing known since speaks against it.
  bool verified() const {
    return restorable() && has_told_length() && manifest->verified != VerifyLevel::none;
  }
  // The manifest's time where there is one, else the file's.
  Instant taken_at() const { return manifest ? manifest->taken_at : modified; }
};

// True for what a run kept of a database that was damaged, as `<stem>-damaged-YYYY-MM-DD.db`
// (core/snapshot/damaged_copy.h). Neither retention nor restoring of the latest looks at it.
bool is_damaged_copy(const Snapshot& snapshot);

// True when `a` was taken before `b`. One dated after `now` (the clock was ahead when it was taken)
// counts as older than all others.
bool taken_before(const Snapshot& a, const Snapshot& b, Instant now);

// What a file's name and the file itself tell, without its manifest and its place.
Snapshot snapshot_of_file(const fs::path& path, const SnapshotName& name, const FileInfo& info);

// The order of a series: by the day of the name, then by when they were taken, so that names with a
// time and without one mix. (A name without one tells nothing of the hour.)
bool newer_in_series(const Snapshot& a, const Snapshot& b);

struct ListFilter {
  std::optional<std::string> host{}, label{}, stem{};
  std::optional<std::string> source{};  // only those whose manifest names it (recorded_source)
  std::optional<Date> from{}, to{};     // both inclusive
  std::optional<std::chrono::minutes> time{};  // only those whose name carries it
};

// What one folder holds of one stem: as a rule the snapshots of one database.
struct SeriesTotal {
  std::uint64_t snapshots = 0, bytes = 0;
  Date oldest{};
};

struct ListPage {
  std::vector<Snapshot> snapshots;  // newest first: by day, hour, path; rows forgotten (manifest.h)
  std::uint64_t total = 0;          // that match the filter, all pages
  std::uint64_t total_bytes = 0;    // likewise
  std::vector<SeriesTotal> series;  // likewise; Snapshot::series
  std::string next_cursor;          // empty on the last page
  std::vector<std::string> warnings;  // unreadable folders and manifests
};

// More snapshots of one database than anybody keeps; a listing beyond it is cut, and says so.
constexpr std::size_t kMaxSnapshots = 100'000;

// Lists the destination: its own folder, hosts and labels, two levels deep at most, following no
// links and passing over what begins with a dot. A single folder counts as a host's unless the
// manifest says that it is a label's (flat); filters accept it as either. Reads the
// manifests only of the snapshots on the page (and, with filter.source, of the candidates).
// `cursor` is a former next_cursor; anything else is invalid_argument. Never writes.
Expected<ListPage> list_snapshots(const fs::path& destination, const ListFilter& filter,
                                  std::size_t limit, const std::string& cursor,
                                  const FileSystem& files);

// The path as manifests name a source: links resolved; where the file is gone, those of its folder;
// where that is gone too, the absolute path as given.
fs::path recorded_source(const fs::path& source, const FileSystem& files);

// All snapshots of one folder with one stem, newest first, manifests read. For retention. Where
// there are very many tables, the row counts of the oldest snapshots are dropped.
Expected<std::vector<Snapshot>> list_series(const fs::path& folder, const std::string& stem,
                                            const FileSystem& files);

}  // namespace core
