#include "core/status/missed_days.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/paths.h"
#include "core/catalog/manifest.h"

namespace core {
namespace {

using std::chrono::days;
using std::chrono::minutes;
using std::chrono::sys_days;

// When times of day are on the days that are looked at: each is asked of the clock once.
class Calendar {
 public:
  Calendar(const Clock& clock, Instant now) : clock_(clock), today_(clock.local_date(now)) {}

  Date day(int days_ago) const { return Date(today_ - days(days_ago)); }
  Instant at(int days_ago, minutes time) {
    const auto [known, is_new] = instants_.try_emplace({days_ago, time});
    if (is_new) known->second = clock_.local_instant(day(days_ago), time);
    return known->second;
  }

 private:
  const Clock& clock_;
  const sys_days today_;
  std::map<std::pair<int, minutes>, Instant> instants_;
};

struct Record {
  std::vector<const StatusInput::Schedule*> schedules;
  std::vector<Instant> successes;  // rising
};

// By the path as manifests and runs have it.
std::map<std::string, Record> records_of(const StatusInput& input) {
  std::map<std::string, Record> records;
  for (const auto& schedule : input.schedules) {
    if (schedule.times.empty()) continue;
    records[manifest_text(text_of(schedule.source))].schedules.push_back(&schedule);
  }
  const auto note = [&](const std::string& source, Instant success) {
    const auto record = records.find(source);
    if (record != records.end()) record->second.successes.push_back(success);
  };
  for (const RunRecord& run : input.runs) {
    if (run.kind == kSnapshotRun && run.ok) note(manifest_text(run.source), run.started_at);
  }
  for (const Snapshot& snapshot : input.snapshots) {
    if (snapshot.manifest) note(snapshot.manifest->source, snapshot.manifest->taken_at);
  }
  for (auto& [source, record] : records) {
    std::sort(record.successes.begin(), record.successes.end());
  }
  return records;
}

bool is_missed(int days_ago, const StatusInput::Schedule& schedule, const Record& record,
               const StatusInput& input, Calendar& calendar) {
  const Instant known_since = std::max(record.successes.front(), input.runs.back().started_at);
  const Instant first = calendar.at(days_ago, schedule.times.front());
  if (first < std::max(known_since, schedule.since)) return false;
  if (input.now < calendar.at(days_ago, schedule.times.back()) + kStatusGrace) return false;
  const Instant begin = calendar.at(days_ago, minutes(0));
  const Instant end = calendar.at(days_ago - 1, schedule.times.front());
  const auto next = std::lower_bound(record.successes.begin(), record.successes.end(), begin);
  return next == record.successes.end() || *next >= end;
}

std::vector<DaySpan> missed_days(const Record& record, const StatusInput& input,
                                 Calendar& calendar) {
  std::vector<DaySpan> spans;
  if (record.successes.empty() || input.runs.empty()) return spans;
  for (int days_ago = kMissedDaysLookedAt; days_ago >= 0; --days_ago) {
    if (std::none_of(record.schedules.begin(), record.schedules.end(), [&](const auto* schedule) {
          return is_missed(days_ago, *schedule, record, input, calendar);
        })) {
      continue;
    }
    const Date day = calendar.day(days_ago);
    if (!spans.empty() && spans.back().last == calendar.day(days_ago + 1)) {
      spans.back().last = day;
    } else {
      spans.push_back({day, day});
    }
  }
  return spans;
}

}  // namespace

void find_missed_days(const StatusInput& input, const Clock& clock, StatusReport& report) {
  const auto records = records_of(input);
  Calendar calendar(clock, input.now);
  for (DatabaseStatus& status : report.databases) {
    const auto record = records.find(manifest_text(text_of(status.source)));
    if (record != records.end()) status.missed = missed_days(record->second, input, calendar);
  }
}

}  // namespace core
