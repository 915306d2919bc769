// A schedule's job: what is backed up where and when, kept as one JSON file per name under the
// user's config folder, so that a crontab line or unit holds nothing but the name.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/env.h"
#include "core/catalog/history.h"
#include "core/offsite/offsite_plan.h"
#include "core/schedule/due.h"
#include "core/snapshot/snapshot.h"

namespace core {

enum class SchedulerKind { systemd, cron, launchd, windows };
std::string_view to_string(SchedulerKind kind);  // "systemd", "cron", "launchd", "windows"
std::optional<SchedulerKind> parse_scheduler_kind(std::string_view text);

enum class Drills { never, monthly };
std::string_view to_string(Drills drills);  // "never", "monthly"
std::optional<Drills> parse_drills(std::string_view text);
// A month, for a drill: one is due when the last good one is older.
inline constexpr std::chrono::hours kDrillPeriod{24 * 30};

struct BackupJob {
  static constexpr int kFormatVersion = 2;                         // the highest that is read
  static constexpr std::chrono::minutes kDefaultTime{4 * 60 + 7};  // outside every DST change

  std::string name;
  SchedulerKind scheduler = SchedulerKind::systemd;
  std::chrono::minutes time = kDefaultTime;  // after local midnight; hourly its minute counts
  int every_hours = 0;                       // 0: once a day
  std::optional<DayWindow> between{};        // of the day, for hourly runs; absent: all of it
  Instant scheduled_since{};                 // when that was last set: no run is owed from before
  // Everything a snapshot takes; `date`, `dry_run` and the timeouts are not kept. How its names are
  // made follows from the above: snapshot_of. With a folder it has neither source nor label.
  SnapshotRequest snapshot;
  fs::path folder{};    // all databases below it (folder_members.h); empty: one source
  bool global = false;  // with a folder: the orchestrator's global database, too
  std::vector<std::string> patterns{};     // with a folder: further file names, as for discovery
  Drills drills = Drills::never;           // after a run that went well (core/restore/drill.h)
  std::optional<OffsiteTarget> offsite{};  // where good snapshots are copied to (run_offsite.h)
  std::string on_failure;                  // a command line for the user's shell; empty: none
  std::string ping_url;                    // as healthchecks.io has them; empty: none

  bool is_of_folder() const { return !folder.empty(); }
  // What it backs up: the folder, or the one database.
  const fs::path& place() const { return is_of_folder() ? folder : snapshot.source; }
  // The kind of the run, in history.db, that tells whether a run of the schedule went well.
  const char* run_kind() const { return is_of_folder() ? kFolderRun : kSnapshotRun; }
};

// Up to 48 of a-z, 0-9, '-' and '_', the first a letter or digit: fit for unit, label, task and
// file names on every system, also where case does not count.
inline constexpr std::size_t kMaxNameBytes = 48;
Expected<> check_schedule_name(std::string_view name);
// The nearest valid name: "My Löve.app" -> "my-l-ve-app"; "db" when nothing is left.
std::string slug(std::string_view text);
// "global" for ~/.claude/orchestrator/global.db, "my-app-project" for
// …/My App/.orchestrator/project.db, "code" for the folder ~/code. A name that one of `jobs` uses
// for another source gets a few digits of the path's hash, so that every source keeps a name of its
// own.
std::string default_schedule_name(const fs::path& place, const fs::path& home,
                                  const std::vector<BackupJob>& jobs);

// Refuses (invalid_argument) what could never run or be written down: a bad name or time, relative
// paths, line breaks or invalid UTF-8 anywhere, a ping_url that is no plain http(s) URL.
Expected<> check_job(const BackupJob& job);

// When on each day: due_times of the above.
std::vector<std::chrono::minutes> due_times(const BackupJob& job);
// For people: "daily at 04:07", "every hour, 08:00-20:00", "every 4 hours".
std::string describe_times(const BackupJob& job);
// The minutes of an hour at which the entry of an hourly schedule asks whether a run is due: that
// of `time` and three more. So what was missed, or failed, is made up within a quarter of an hour.
std::vector<int> ask_minutes(const BackupJob& job);
inline constexpr int kAskEveryMinutes = 15;
// How long a due run by the hour waits before it starts, by the schedule's name: most have one
// minute, and are not all to start in one second. None for a daily one.
std::chrono::seconds start_delay(const BackupJob& job);
inline constexpr std::chrono::seconds kMaxStartDelay{60};
// What a run of it asks for: its snapshots are named by the day or by the hour.
SnapshotRequest snapshot_of(const BackupJob& job);

// <config>/jobs/<name>.json
fs::path job_path(const std::string& name, const Places& places);
// Pretty-printed, fixed order of keys, ends in a newline. Of the lowest format_version that says
// all of it: what an older program would overlook, to the harm of its snapshots, it must refuse.
std::string encode_job(const BackupJob& job);
// damaged for what does not fit the shape, unsupported for a newer format_version. Unknown keys are
// ignored. The name in the file must be `name`.
Expected<BackupJob> decode_job(const std::string& name, std::string_view text);
// not_found names the schedules that there are.
Expected<BackupJob> read_job(const std::string& name, const Places& places,
                             const FileSystem& files);
// Mode 0600: a ping_url is a secret of sorts (shown_ping_url).
Expected<> write_job(const BackupJob& job, const Places& places, FileSystem& files);
// A schedule whose job cannot be used.
struct UnusableJob {
  std::string name;  // empty: which schedules there are cannot be read
  std::string why;   // with what to do
};
std::string to_text(const UnusableJob& job);  // "name: why"

// Every readable job, by name; what cannot be read goes to `unusable`.
inline constexpr std::size_t kMaxJobs = 1000;
std::vector<BackupJob> list_jobs(const Places& places, const FileSystem& files,
                                 std::vector<UnusableJob>& unusable);

// What may be told of a ping_url: "https://hc-ping.com/…". Empty for none.
std::string shown_ping_url(const std::string& url);

}  // namespace core
