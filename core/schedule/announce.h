// What the keep rules of a schedule remove is told before they do: with the preview of a run, and
// as a question where the rules are new.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/catalog/retention.h"
#include "core/schedule/job.h"
#include "core/snapshot/snapshot.h"

namespace core {

// What goes, by the decisions of a run or of its preview.
std::vector<Expiry> expired_of(const std::vector<Expiry>& decisions);

// Whether these rules have not been applied to these snapshots yet: there was no such schedule, or
// it had other rules, or another series of snapshots. Without rules nothing goes: false.
bool has_new_rules(const std::optional<BackupJob>& former, const BackupJob& job);

// Told where a schedule runs by the hour and only a number of snapshots is kept: what were days
// before are hours then.
std::optional<std::string> few_hours_warning(const BackupJob& job);

// What a schedule's snapshots come to, one for each of its due times.
struct KeepEstimate {
  std::size_t databases = 1;
  std::optional<std::size_t>
      snapshots;                 // of each database, that the rules keep in full use; none: all
  std::uint64_t bytes_each = 0;  // one of each database, as these are now
  std::uint64_t free_bytes = 0;  // at the destination; the largest number: not told
};
KeepEstimate estimate_kept(const BackupJob& job, std::size_t databases, std::uint64_t bytes,
                           const FileSystem& files);
// How many a policy keeps of one for each due time (due_times) of a schedule that runs every so
// many hours; 0: daily. Pure; counts of rules beyond kMaxEstimatedDays are taken for that.
std::size_t count_kept(const RetentionPolicy& policy,
                       const std::vector<std::chrono::minutes>& times = {std::chrono::minutes{0}},
                       int every_hours = 0);
inline constexpr int kMaxEstimatedDays = 3'660;

// Those whose files are gone by now.
std::vector<Expiry> gone_by_now(std::vector<Expiry> expired, const FileSystem& files);

}  // namespace core
