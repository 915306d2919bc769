// Which snapshots a retention policy lets go, and their removal (declared in catalog.h).
#include <algorithm>
#include <set>

#include "core/catalog.h"
#include "core/loss.h"

namespace core {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

// The first day of the period that a date falls in: equal for two dates of one period.
sys_days start_of_day(Date date) {
  return sys_days{date};
}
sys_days start_of_week(Date date) {
  const sys_days day{date};
  return day - days{std::chrono::weekday{day}.iso_encoding() - 1};
}
sys_days start_of_month(Date date) {
  return sys_days{date.year() / date.month() / std::chrono::day{1}};
}

bool given(const std::optional<int>& count) {
  return count && *count > 0;
}

// The newest of each of the last `count` periods in which there is a snapshot.
class PeriodRule {
 public:
  PeriodRule(const char* name, const std::optional<int>& count, sys_days (*period_of)(Date))
      : name_(name), count_(given(count) ? *count : 0), period_of_(period_of) {}

  // Called newest first; the reason for keeping, or an empty string.
  std::string keeps(Date date) {
    if (static_cast<int>(seen_.size()) >= count_ || !seen_.insert(period_of_(date)).second) {
      return "";
    }
    return std::string(name_) + " " + std::to_string(seen_.size()) + " of " +
           std::to_string(count_);
  }

 private:
  const char* name_;
  int count_;
  sys_days (*period_of_)(Date);
  std::set<sys_days> seen_;
};

// The rules of one policy, asked about a series newest first.
class Rules {
 public:
  // Ages count back from `origin`.
  Rules(const RetentionPolicy& policy, Date origin)
      : policy_(policy),
        origin_(origin),
        daily_("daily", policy.keep_daily, start_of_day),
        weekly_("weekly", policy.keep_weekly, start_of_week),
        monthly_("monthly", policy.keep_monthly, start_of_month) {}

  // Every rule is asked even when one has answered: each counts its own periods.
  std::string keeps(Date date) {
    ++seen_;
    std::string reason;
    const auto note = [&](const std::string& more) {
      if (reason.empty()) reason = more;
    };
    if (given(policy_.keep_last) && seen_ <= *policy_.keep_last) {
      note("last " + std::to_string(seen_) + " of " + std::to_string(*policy_.keep_last));
    }
    note(daily_.keeps(date));
    note(weekly_.keeps(date));
    note(monthly_.keeps(date));
    if (given(policy_.retain_days) &&
        sys_days{origin_} - sys_days{date} < days{*policy_.retain_days}) {
      note("within " + std::to_string(*policy_.retain_days) + " days of the newest");
    }
    return reason;
  }

  std::string why_let_go() const {
    const bool by_age_alone = given(policy_.retain_days) && !given(policy_.keep_last) &&
                              !given(policy_.keep_daily) && !given(policy_.keep_weekly) &&
                              !given(policy_.keep_monthly);
    if (!by_age_alone) return "no rule keeps it";
    return std::to_string(*policy_.retain_days) + " days or more older than the newest";
  }

 private:
  const RetentionPolicy& policy_;
  Date origin_;
  PeriodRule daily_, weekly_, monthly_;
  int seen_ = 0;
};

bool is_given(const RetentionPolicy& policy) {
  return given(policy.retain_days) || given(policy.keep_last) || given(policy.keep_daily) ||
         given(policy.keep_weekly) || given(policy.keep_monthly);
}

// The day from which ages count: that of the newest, or of the one before where a gap as long as
// the ages lies between the two. So a clock that jumped for one night, or the first night after a
// long pause, removes nothing by age.
Date origin_of_ages(const std::vector<Date>& newest_first, const std::optional<int>& retain_days) {
  if (newest_first.size() < 2 || !given(retain_days)) return newest_first.front();
  const auto before = std::find_if(newest_first.begin(), newest_first.end(),
                                   [&](const Date& date) { return date != newest_first.front(); });
  if (before == newest_first.end()) return newest_first.front();
  const bool gap = sys_days{newest_first.front()} - sys_days{*before} >= days{*retain_days};
  return gap ? *before : newest_first.front();
}

// Why a snapshot is outside the policy altogether, or an empty string.
std::string why_untouchable(const Snapshot& snapshot, const std::string& source, Date today) {
  if (!snapshot.manifest_problem.empty()) return "its manifest cannot be read";
  if (snapshot.manifest && snapshot.manifest->source != source) {
    return "it is of another database";
  }
  if (snapshot.date > today) return "dated in the future";
  return "";
}

// The file is still the one that the decision was about.
bool is_unchanged(const Snapshot& snapshot, const FileInfo& info) {
  return info.kind == FileInfo::Kind::file && info.bytes == snapshot.bytes &&
         info.modified == snapshot.modified;
}

}  // namespace

std::vector<Expiry> choose_expired(std::vector<Snapshot> series, const std::string& source,
                                   const RetentionPolicy& policy, Date today) {
  std::sort(series.begin(), series.end(), [](const Snapshot& a, const Snapshot& b) {
    return a.date != b.date ? a.date > b.date : a.path > b.path;
  });
  const std::string wanted_source = manifest_text(source);
  const bool policy_given = is_given(policy);
  std::vector<Date> touchable;
  for (const Snapshot& snapshot : series) {
    if (why_untouchable(snapshot, wanted_source, today).empty()) touchable.push_back(snapshot.date);
  }
  std::optional<Rules> rules;
  bool newest_verified_seen = false;
  std::optional<Holdings> fullest;  // the most that those have which stay
  std::vector<Expiry> decisions;
  decisions.reserve(series.size());
  for (Snapshot& snapshot : series) {
    Expiry decision;
    decision.reason = why_untouchable(snapshot, wanted_source, today);
    if (decision.reason.empty()) {
      const bool is_newest = !rules;
      if (is_newest) rules.emplace(policy, origin_of_ages(touchable, policy.retain_days));
      const std::string kept_by = rules->keeps(snapshot.date);
      const bool is_newest_verified = snapshot.verified() && !newest_verified_seen;
      newest_verified_seen = newest_verified_seen || is_newest_verified;
      if (!policy_given) {
        decision.reason = "no retention rule is given";
      } else if (!kept_by.empty()) {
        decision.reason = kept_by;
      } else if (is_newest) {
        decision.reason = "the newest";
      } else if (is_newest_verified) {
        decision.reason = "the newest verified";
      } else if (fullest && loss_since(snapshot, *fullest)) {
        decision.reason = "the last before a loss";
      } else {
        decision.expired = true;
        decision.reason = rules->why_let_go();
      }
      if (!decision.expired && snapshot.manifest) {
        fullest = most_of(fullest.value_or(Holdings{}), holdings_of(*snapshot.manifest));
      }
    }
    decision.snapshot = std::move(snapshot);
    decisions.push_back(std::move(decision));
  }
  return decisions;
}

RemovalReport remove_expired(const std::vector<Expiry>& decisions, FileSystem& files) {
  RemovalReport report;
  std::set<fs::path> touched;
  for (const Expiry& decision : decisions) {
    if (!decision.expired) continue;
    const fs::path& path = decision.snapshot.path;
    const auto info = files.link_info(path);
    if (!info || !is_unchanged(decision.snapshot, *info)) {
      report.warnings.push_back(path.string() +
                                " changed since the retention was worked out and was kept.");
      continue;
    }
    if (auto removed = files.remove(path); !removed) {
      report.warnings.push_back(removed.error().message);
      continue;
    }
    touched.insert(path.parent_path());
    report.removed.push_back(decision);
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

}  // namespace core
