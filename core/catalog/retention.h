// Which snapshots of a series a policy keeps, and the removal of the others.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/catalog/catalog.h"

namespace core {

// Keep rules as restic has them: a snapshot stays if any rule keeps it. Unset everywhere: keep all;
// a count below 1 is as if unset. Each rule counts snapshots, or the hours, days, weeks or months
// that have one, never the time between them. So nothing grows too old while no snapshot succeeds.
// A long pause, or a clock that jumps, lets no more go than as many good nights would.
struct RetentionPolicy {
  std::optional<int> retain_days{};  // keep one of each of the newest N days that have one
  std::optional<int> keep_last{};    // keep the newest N
  // The newest of each of the last N periods that have one; weeks begin on Monday. The hour is that
  // of the name; a snapshot whose name has a day only is an hour of its own.
  std::optional<int> keep_hourly{}, keep_daily{}, keep_weekly{}, keep_monthly{};
  bool empty() const;
  bool operator==(const RetentionPolicy&) const = default;
};

struct KeepRule {
  const char* name;
  std::optional<int> RetentionPolicy::*count;
};
// Each rule of a policy once, by the name that people and job files know it by.
inline constexpr std::array kKeepRules{KeepRule{"retain_days", &RetentionPolicy::retain_days},
                                       KeepRule{"keep_last", &RetentionPolicy::keep_last},
                                       KeepRule{"keep_hourly", &RetentionPolicy::keep_hourly},
                                       KeepRule{"keep_daily", &RetentionPolicy::keep_daily},
                                       KeepRule{"keep_weekly", &RetentionPolicy::keep_weekly},
                                       KeepRule{"keep_monthly", &RetentionPolicy::keep_monthly}};

// The rules that a policy sets, by name: as manifests tell them.
std::map<std::string, std::uint64_t> rules_of(const RetentionPolicy& policy);

struct Expiry {
  Snapshot snapshot;
  bool expired = false;
  std::string reason;  // of keeping or of letting go: "daily 3 of 7", "no rule keeps it"
};

// Pure. One decision per snapshot, newest first. Never expires:
// - anything under an empty policy;
// - the newest verified snapshot, and the newest of all;
// - one that has more than twice the rows (of all tables together, or of one) or bytes of every
//   newer one that stays: what was lost after it may not have been missed yet. Of each table that
//   keeps at most as many as its rows can be doubled;
// - one whose manifest names another source or cannot be read;
// - one dated after `today`: a clock that jumped must not empty the folder.
//
// One of another source, with an unreadable manifest or dated after `today` does not count towards
// any rule. Nor does one that is not restorable(): it takes no place and protects nothing, and
// stays exactly as long as a good one of its day would.
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

// Notes in Snapshot::unusable what nobody could restore: a file that is empty, cannot be read, is
// no SQLite database, or has not the length that its manifest tells. Reads the first bytes of each.
void mark_unusable(std::vector<Snapshot>& snapshots, const FileSystem& files);

}  // namespace core
