// Which snapshots there are, and which of them a retention policy lets go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/env.h"
#include "core/manifest.h"

namespace core {

// The place of a snapshot: <destination>/<host>/[<label>/]<stem>-YYYY-MM-DD.db; with `flat`,
// <destination>/[<label>/]<stem>-YYYY-MM-DD.db.
struct SnapshotName {
  std::string stem;
  Date date;
};
// "global", 2026-11-23 -> "global-2026-11-23.db".
std::string format_snapshot_name(const SnapshotName& name);
// The stem of a source's snapshots: "/x/global.db" -> "global", without leading dots, which would
// hide a snapshot from every listing.
std::string stem_of(const fs::path& source);
// Nothing for any other file: temporaries, manifests, side files, foreign names.
std::optional<SnapshotName> parse_snapshot_name(std::string_view file_name);

struct Snapshot {
  fs::path path;
  std::string host;   // folder name; empty in a flat destination
  std::string label;  // empty for none
  std::string stem;
  Date date{};
  std::uint64_t bytes = 0;
  Instant modified{};
  std::optional<Manifest> manifest;  // absent: made by an earlier tool, or the manifest was lost
  std::string manifest_problem;      // why a manifest that is there could not be read
  // By a later check (mark_damaged in verify_run.h), or by the run that kept it (is_damaged_copy).
  bool found_damaged = false;
  std::string unusable;  // "is empty (0 bytes)" and the like: mark_unusable

  // Nothing is known that would keep it from being restored.
  bool restorable() const { return !found_damaged && unusable.empty(); }
  // The file has the length that the manifest tells, or that of the snapshot which was to be
  // replaced.
  bool has_told_length() const {
    return manifest &&
           (manifest->bytes == bytes || (manifest->replaces && manifest->replaces->bytes == bytes));
  }
  // By the manifest's word, as far as nothing is known to be otherwise by now.
  bool verified() const {
    return restorable() && has_told_length() && manifest->verified != VerifyLevel::none;
  }
  // The manifest's time where there is one, else the file's.
  Instant taken_at() const { return manifest ? manifest->taken_at : modified; }
};

// True for what a run kept of a database that was damaged, as `<stem>-damaged-YYYY-MM-DD.db`
// (core/damaged_copy.h). Neither retention nor restoring of the latest looks at it.
bool is_damaged_copy(const Snapshot& snapshot);

// True when `a` was taken before `b`. One that is yet to be taken, from a time when the clock was
// ahead, comes before all others.
bool taken_before(const Snapshot& a, const Snapshot& b, Instant now);

struct ListFilter {
  std::optional<std::string> host{}, label{}, stem{};
  std::optional<std::string> source{};  // only those whose manifest names it (recorded_source)
  std::optional<Date> from{}, to{};     // both inclusive
};

struct ListPage {
  std::vector<Snapshot> snapshots;  // newest first: by date, then path; rows forgotten (manifest.h)
  std::uint64_t total = 0;          // that match the filter, all pages
  std::uint64_t total_bytes = 0;    // likewise
  std::string next_cursor;          // empty on the last page
  std::vector<std::string> warnings;  // unreadable folders and manifests
};

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

// All snapshots of one folder with one stem, newest first, manifests read. For retention. Of the
// oldest the rows are forgotten where there are very many tables.
Expected<std::vector<Snapshot>> list_series(const fs::path& folder, const std::string& stem,
                                            const FileSystem& files);

// Notes in Snapshot::unusable what nobody could restore: a file that is empty, cannot be read, is
// no SQLite database, or has not the length that its manifest tells. Reads the first bytes of each.
void mark_unusable(std::vector<Snapshot>& snapshots, const FileSystem& files);

// Keep rules as restic has them: a snapshot stays if any rule keeps it. Unset everywhere: keep all;
// a count below 1 is as if unset. Each rule counts snapshots, or the days, weeks or months that
// have one, never the time between them: while none succeeds nothing grows too old, and neither a
// long pause nor a clock that jumps, for however many nights, lets go more than as many good nights
// would.
struct RetentionPolicy {
  std::optional<int> retain_days{};  // keep those of the newest N days that have one
  std::optional<int> keep_last{};    // keep the newest N
  // The newest of each of the last N periods that have one; weeks begin on Monday.
  std::optional<int> keep_daily{}, keep_weekly{}, keep_monthly{};
  bool empty() const {
    return !retain_days && !keep_last && !keep_daily && !keep_weekly && !keep_monthly;
  }
};

struct Expiry {
  Snapshot snapshot;
  bool expired = false;
  std::string reason;  // of keeping or of letting go: "daily 3 of 7", "no rule keeps it"
};

// Pure. One decision per snapshot, newest first. Never expires: anything under an empty policy,
// the newest verified snapshot, the newest of all, one that has more than twice the rows (of all
// tables together, or of one) or bytes that any newer one has that stays (what was lost after it
// may not have been missed yet; of any table at most as many as its rows can be doubled), one whose
// manifest names another source or cannot be read, or one dated after `today` (a clock that jumped
// must not empty the folder). One of another source, with an unreadable manifest or dated after
// `today` does not count towards any rule. Nor does one that is not restorable(): it takes no place
// and protects nothing, and stays exactly as long as a good one of its day would.
std::vector<Expiry> choose_expired(std::vector<Snapshot> series, const std::string& source,
                                   const RetentionPolicy& policy, Date today);

// Removes the expired ones of choose_expired: manifest after snapshot, folder fsynced. Looks at
// each file once more before removing it. What could not be removed is a warning, and its decision
// becomes one to keep.
struct RemovalReport {
  std::vector<fs::path> removed;
  std::uint64_t freed_bytes = 0;
  std::vector<std::string> warnings;
};
RemovalReport remove_expired(std::vector<Expiry>& decisions, FileSystem& files);

// One sentence about those unusable ones that stay; nothing where there are none.
std::optional<std::string> unusable_warning(const std::vector<Expiry>& decisions);

}  // namespace core
