#include "core/schedule/announce.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <tuple>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/names.h"

namespace core {
namespace {

// What says which snapshots a schedule's rules are about.
auto series_of(const BackupJob& job) {
  const SnapshotRequest& request = job.snapshot;
  return std::tie(request.source, job.folder, job.global, job.patterns, request.destination,
                  request.hostname, request.label, request.flat);
}

}  // namespace

std::vector<Expiry> expired_of(const std::vector<Expiry>& decisions) {
  std::vector<Expiry> expired;
  std::copy_if(decisions.begin(), decisions.end(), std::back_inserter(expired),
               [](const Expiry& decision) { return decision.expired; });
  return expired;
}

bool has_new_rules(const std::optional<BackupJob>& former, const BackupJob& job) {
  if (job.snapshot.retention.empty()) return false;
  return !former || former->snapshot.retention != job.snapshot.retention ||
         series_of(*former) != series_of(job);
}

std::optional<std::string> few_hours_warning(const BackupJob& job) {
  RetentionPolicy others = job.snapshot.retention;
  others.keep_last.reset();
  others.keep_hourly.reset();
  if (job.every_hours == 0 || job.snapshot.retention.empty() || !others.empty()) {
    return std::nullopt;
  }
  const auto& policy = job.snapshot.retention;
  const int runs = std::max(policy.keep_last.value_or(0), policy.keep_hourly.value_or(0));
  const int a_day = static_cast<int>(due_times(job).size());
  const int days = (runs + a_day - 1) / a_day;
  return "Its keep rules count single runs, of which it has " + std::to_string(a_day) +
         " a day: what they keep reaches back about " + std::to_string(days) +
         (days == 1 ? " day" : " days") + ". Add " + say_parameter("keep_daily") +
         " for a longer way back.";
}

// By retention itself: rules overlap in ways that no sum of their counts tells.
std::size_t count_kept(const RetentionPolicy& policy,
                       const std::vector<std::chrono::minutes>& times, int every_hours) {
  const auto days = [](const std::optional<int>& count, int each) {
    return std::min(count.value_or(0), kMaxEstimatedDays / each) * each;
  };
  const int a_day = std::max(1, static_cast<int>(times.size()));
  const int by_run = std::max(days(policy.keep_last, 1), days(policy.keep_hourly, 1));
  const int covered = std::max({days(policy.retain_days, 1), by_run, days(policy.keep_daily, 1),
                                days(policy.keep_weekly, 7), days(policy.keep_monthly, 31)});
  const std::chrono::sys_days today = std::chrono::year{2027} / 12 / 31;
  std::vector<Snapshot> series;
  for (int day = 0; day <= covered + 31; ++day) {
    // Of days beyond those that a rule counts by their runs only the last one matters.
    const int runs = day <= by_run / a_day + 1 ? a_day : 1;
    for (int run = 0; run < runs; ++run) {
      const auto time = times.empty() ? std::chrono::minutes{0} : times[times.size() - 1 - run];
      Snapshot snapshot;
      snapshot.date = Date(today - std::chrono::days(day));
      if (every_hours > 0) snapshot.time = time;
      snapshot.path = format_snapshot_day(snapshot.day());
      snapshot.bytes = 1;
      Manifest manifest;
      manifest.bytes = 1;
      manifest.taken_at = today - std::chrono::days(day) + time;
      manifest.verified = VerifyLevel::quick;
      snapshot.manifest = std::move(manifest);
      series.push_back(std::move(snapshot));
    }
  }
  const auto decisions = choose_expired(std::move(series), "", policy, Date(today));
  return static_cast<std::size_t>(
      std::count_if(decisions.begin(), decisions.end(),
                    [](const Expiry& decision) { return !decision.expired; }));
}

KeepEstimate estimate_kept(const BackupJob& job, std::size_t databases, std::uint64_t bytes,
                           const FileSystem& files) {
  KeepEstimate estimate;
  estimate.databases = databases;
  if (!job.snapshot.retention.empty()) {
    estimate.snapshots = count_kept(job.snapshot.retention, due_times(job), job.every_hours);
  }
  estimate.bytes_each = bytes;
  estimate.free_bytes = files.free_bytes(job.snapshot.destination)
                            .value_or(std::numeric_limits<std::uint64_t>::max());
  return estimate;
}

std::vector<Expiry> gone_by_now(std::vector<Expiry> expired, const FileSystem& files) {
  std::erase_if(expired, [&](const Expiry& decision) {
    const auto info = files.link_info(decision.snapshot.path);
    return info || info.error().code != ErrorCode::not_found;
  });
  return expired;
}

}  // namespace core
