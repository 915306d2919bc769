#include "core/catalog/retention.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/base/paths.h"
#include "core/catalog/catalog.h"
#include "core/catalog/loss.h"
#include "core/catalog/names.h"
#include "core/sqlite/file_header.h"

namespace core {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

// https://www.sqlite.org/fileformat.html#magic_header_string

// When the period began that a name falls in: equal for two names of one period. In minutes, as if
// the clock on the wall showed UTC.
using Wall = std::chrono::sys_time<std::chrono::minutes>;

// A name without a time is an hour of its own, which no clock shows: the minute after a full hour.
Wall start_of_hour(const SnapshotDay& day) {
  if (!day.time) return Wall{sys_days{day.date}} + std::chrono::minutes{1};
  return Wall{sys_days{day.date}} + std::chrono::floor<std::chrono::hours>(*day.time);
}
Wall start_of_day(const SnapshotDay& day) {
  return sys_days{day.date};
}
Wall start_of_week(const SnapshotDay& day) {
  const sys_days date{day.date};
  return date - days{std::chrono::weekday{date}.iso_encoding() - 1};
}
Wall start_of_month(const SnapshotDay& day) {
  return sys_days{day.date.year() / day.date.month() / std::chrono::day{1}};
}

bool given(const std::optional<int>& count) {
  return count && *count > 0;
}

// The newest of each of the last `count` periods in which there is a snapshot.
class PeriodRule {
 public:
  PeriodRule(const char* name, const std::optional<int>& count,
             Wall (*period_of)(const SnapshotDay&))
      : name_(name), count_(given(count) ? *count : 0), period_of_(period_of) {}

  // Called newest first; the reason for keeping, or an empty string. What does not `count` leaves
  // its place to the next one.
  std::string keeps(const SnapshotDay& day, bool counts) {
    const Wall period = period_of_(day);
    if (static_cast<int>(seen_.size()) >= count_ || seen_.contains(period)) return "";
    const std::size_t place = seen_.size() + 1;
    if (counts) seen_.insert(period);
    return std::string(name_) + " " + std::to_string(place) + " of " + std::to_string(count_);
  }

 private:
  const char* name_;
  int count_;
  Wall (*period_of_)(const SnapshotDay&);
  std::set<Wall> seen_;
};

// The rules of one policy, asked about a series newest first.
class Rules {
 public:
  explicit Rules(const RetentionPolicy& policy)
      : keep_last_(given(policy.keep_last) ? *policy.keep_last : 0),
        periods_{PeriodRule("hourly", policy.keep_hourly, start_of_hour),
                 PeriodRule("daily", policy.keep_daily, start_of_day),
                 PeriodRule("weekly", policy.keep_weekly, start_of_week),
                 PeriodRule("monthly", policy.keep_monthly, start_of_month),
                 PeriodRule("day", policy.retain_days, start_of_day)} {}

  // Every rule is asked even when one has answered: each counts its own periods.
  std::string keeps(const SnapshotDay& day, bool counts) {
    std::string reason;
    if (seen_ < keep_last_) {
      reason = "last " + std::to_string(seen_ + 1) + " of " + std::to_string(keep_last_);
    }
    if (counts) ++seen_;
    for (PeriodRule& rule : periods_) {
      const std::string more = rule.keeps(day, counts);
      if (reason.empty()) reason = more;
    }
    return reason;
  }

 private:
  int keep_last_;
  std::array<PeriodRule, 5> periods_;
  int seen_ = 0;
};

bool is_given(const RetentionPolicy& policy) {
  return std::any_of(kKeepRules.begin(), kKeepRules.end(),
                     [&](const KeepRule& rule) { return given(policy.*rule.count); });
}

// Why a snapshot is outside the policy altogether, or an empty string.
std::string why_untouchable(const Snapshot& snapshot, const std::string& source, Date today) {
  if (!snapshot.manifest_problem.empty()) return "its manifest cannot be read";
  if (snapshot.manifest && snapshot.manifest->source != source) return "it is of another database";
  if (snapshot.date > today) return "dated in the future";
  return "";
}

// A snapshot that only the cloud holds is judged by what its folder tells: a single byte read would
// bring the whole of it, each night of each.
std::string why_unusable(const Snapshot& snapshot, bool elsewhere, const FileSystem& files) {
  if (snapshot.bytes == 0) return "is empty (0 bytes)";
  if (!elsewhere) {
    const auto start = files.read_start(snapshot.path, kFileMagic.size());
    if (!start) return "cannot be read (" + start.error().message + ")";
    if (*start != kFileMagic) return "is not an SQLite database";
  }
  if (snapshot.manifest && !snapshot.has_told_length()) {
    return "has " + std::to_string(snapshot.bytes) + " bytes, its manifest says " +
           std::to_string(snapshot.manifest->bytes);
  }
  return "";
}

// What is decided about a series so far, newest first.
class Choice {
 public:
  explicit Choice(const RetentionPolicy& policy) : given_(is_given(policy)), rules_(policy) {}

  // Without the snapshot itself.
  Expiry decide(const Snapshot& snapshot) {
    const bool counts = snapshot.restorable();
    Expiry decision;
    decision.reason = why_kept(snapshot, counts);
    decision.expired = decision.reason.empty();
    if (decision.expired) decision.reason = "no rule keeps it";
    if (!counts && given_) {
      decision.reason += snapshot.unusable.empty()
                             ? "; it was found damaged and takes no place"
                             : "; it " + snapshot.unusable + " and takes no place";
    }
    if (counts && !decision.expired && snapshot.manifest) {
      const Holdings holdings = holdings_of(*snapshot.manifest);
      fullest_ = fullest_ ? most_of(*fullest_, holdings) : holdings;
    }
    return decision;
  }

 private:
  std::string why_kept(const Snapshot& snapshot, bool counts) {
    const std::string kept_by = rules_.keeps(snapshot.day(), counts);
    const bool is_newest = counts && !std::exchange(newest_seen_, true);
    const bool is_newest_verified = snapshot.verified() && !std::exchange(verified_seen_, true);
    if (!given_) return "no retention rule is given";
    if (!kept_by.empty()) return kept_by;
    if (is_newest) return "the newest";
    if (is_newest_verified) return "the newest verified";
    return fullest_ && loss_since(snapshot, *fullest_) ? "the last before a loss" : "";
  }

  bool given_;
  Rules rules_;
  bool newest_seen_ = false, verified_seen_ = false;
  std::optional<Holdings> fullest_;  // the most that those have which stay
};

// The file is still the one that was listed.
bool is_unchanged(const Snapshot& snapshot, const FileInfo& info) {
  return info.kind == FileInfo::Kind::file && info.bytes == snapshot.bytes &&
         info.modified == snapshot.modified;
}

// Only the file that the decision was about.
Expected<> remove_unchanged(const Snapshot& snapshot, FileSystem& files) {
  const auto info = files.link_info(snapshot.path);
  if (!info && info.error().code != ErrorCode::not_found) return fail(info.error());
  if (!info || !is_unchanged(snapshot, *info)) {
    return fail(ErrorCode::conflict, text_of(snapshot.path) +
                                         " changed since the retention was worked out and was "
                                         "kept.");
  }
  return files.remove(snapshot.path);
}

}  // namespace

std::map<std::string, std::uint64_t> rules_of(const RetentionPolicy& policy) {
  std::map<std::string, std::uint64_t> rules;
  for (const auto& [name, count] : kKeepRules) {
    const int value = (policy.*count).value_or(0);
    if (value > 0) rules[name] = static_cast<std::uint64_t>(value);
  }
  return rules;
}

bool RetentionPolicy::empty() const {
  return std::none_of(kKeepRules.begin(), kKeepRules.end(),
                      [&](const KeepRule& rule) { return (this->*rule.count).has_value(); });
}

std::vector<Expiry> choose_expired(std::vector<Snapshot> series, const std::string& source,
                                   const RetentionPolicy& policy, Date today) {
  std::sort(series.begin(), series.end(), newer_in_series);
  Choice choice(policy);
  const std::string wanted_source = manifest_text(source);
  std::vector<Expiry> decisions;
  decisions.reserve(series.size());
  for (Snapshot& snapshot : series) {
    Expiry decision;
    decision.reason = why_untouchable(snapshot, wanted_source, today);
    if (decision.reason.empty()) decision = choice.decide(snapshot);
    decision.snapshot = std::move(snapshot);
    decisions.push_back(std::move(decision));
  }
  return decisions;
}

void mark_unusable(std::vector<Snapshot>& snapshots, const FileSystem& files) {
  for (Snapshot& snapshot : snapshots) {
    const auto before = files.link_info(snapshot.path);
    snapshot.unusable = why_unusable(snapshot, before && before->elsewhere, files);
    const auto after = files.link_info(snapshot.path);
    // Some file systems (rclone's cache) give a file another time and identity when it is opened.
    const bool same = before && after && is_unchanged(snapshot, *before) &&
                      before->kind == after->kind && before->bytes == after->bytes;
    if (same) snapshot.modified = after->modified;
  }
}

RemovalReport remove_expired(std::vector<Expiry>& decisions, FileSystem& files) {
  RemovalReport report;
  std::set<fs::path> touched;
  for (Expiry& decision : decisions) {
    if (!decision.expired) continue;
    const fs::path& path = decision.snapshot.path;
    if (auto removed = remove_unchanged(decision.snapshot, files); !removed) {
      report.warnings.push_back(removed.error().message);
      decision.expired = false;
      decision.reason = "could not be removed";
      continue;
    }
    touched.insert(path.parent_path());
    report.removed.push_back(path);
    report.freed_bytes += decision.snapshot.bytes;
    const auto removed = files.remove(manifest_path_of(path));
    if (!removed && removed.error().code != ErrorCode::not_found) {
      report.warnings.push_back(removed.error().message);
    }
  }
  for (const fs::path& folder : touched) {
    if (auto synced = files.sync_folder(folder); !synced) {
      report.warnings.push_back(synced.error().message);
    }
  }
  return report;
}

std::optional<std::string> unusable_warning(const std::vector<Expiry>& decisions) {
  const Snapshot* first = nullptr;
  std::size_t count = 0;
  for (const Expiry& decision : decisions) {
    if (decision.expired || decision.snapshot.unusable.empty()) continue;
    if (first == nullptr) first = &decision.snapshot;
    ++count;
  }
  if (first == nullptr) return std::nullopt;
  return text_of(first->path) + " " + first->unusable +
         (count > 1 ? ", and " + std::to_string(count - 1) + " more like it" : "") +
         ": no keep rule counts what cannot be restored. Look at it, and remove it.";
}

}  // namespace core
