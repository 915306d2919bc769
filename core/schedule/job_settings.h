// What a call sets of a schedule's job, laid over what stands there: what is not given stays.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/catalog/retention.h"
#include "core/schedule/job.h"

namespace core {

// Absent: as it is, or a new job's default. An empty text clears one.
struct JobSettings {
  // A source ends a folder's schedule and makes it one of that database, and the other way about.
  std::optional<fs::path> source{}, folder{}, destination{};
  std::optional<bool> global{};
  std::optional<std::vector<std::string>> patterns{};
  std::optional<std::string> hostname, label;
  std::optional<bool> flat;
  std::optional<VerifyLevel> verify;
  std::optional<RetentionPolicy> retention;  // all keep rules at once; an empty policy keeps all
  std::optional<std::chrono::minutes> time;
  std::optional<int> every_hours{};
  std::optional<std::optional<DayWindow>> between{};  // nothing in it: the whole day
  std::optional<Drills> drills{};
  std::optional<std::optional<RemotePath>> offsite{};  // nothing in it: no copies elsewhere
  // Nothing in it: the rules of the snapshots here. These and the next need an offsite.
  std::optional<std::optional<RetentionPolicy>> offsite_keep{};
  std::optional<std::string> offsite_bandwidth{};
  std::optional<std::string> on_failure, ping_url;
};

// A new offsite has no program yet: settle_offsite (run_offsite.h) finds it.
BackupJob with_settings(BackupJob job, const JobSettings& settings);

inline constexpr std::string_view kNothingKept = " So nothing of its former settings was kept.";

struct SettledJob {
  BackupJob job;                    // its destination is empty where nothing names one
  std::optional<BackupJob> former;  // what stands there
  bool unreadable = false;          // what stands there cannot be read; a warning says why
  std::vector<std::string> warnings;
};
// The job of that name with these settings. An empty name: default_schedule_name of the source,
// or folder, the source's own default being the orchestrator's global database. Refuses
// (invalid_argument) to guess what a job file held that cannot be read, unless name and source are
// given; and (unsupported) to replace one of a newer version.
Expected<SettledJob> settle_job(const std::string& name, const JobSettings& settings,
                                const Places& places, const FileSystem& files);

// One setting in words, as "time" and "04:07"; an empty text: not set.
struct SettingText {
  std::string name, text;
};
// All of them, in the same order for every job. The scheduler is among them, the name is not.
std::vector<SettingText> describe_settings(const BackupJob& job);

// For people: of a ping_url only shown_ping_url.
struct SettingChanges {
  std::vector<SettingText> changed;  // "time" and "12:30 (was 04:07)"
  std::vector<SettingText> kept;     // "label" and "app"; only what is set
};
SettingChanges compare_jobs(const BackupJob& former, const BackupJob& job);

}  // namespace core
