// Lays the settings of a call over a job.
#include "core/schedule/job_settings.h"

#include "core/base/paths.h"
#include "core/catalog/retention.h"
#include "core/discovery/project_here.h"
#include "core/offsite/keep_text.h"
#include "core/schedule/due.h"

namespace core {

namespace {

template <class T>
void take(T& value, const std::optional<T>& given) {
  if (given) value = *given;
}

std::string count_text(const std::optional<int>& count) {
  return count ? std::to_string(*count) : "";
}

void take_offsite(BackupJob& job, const JobSettings& settings) {
  if (settings.offsite && !*settings.offsite) job.offsite.reset();
  if (settings.offsite && *settings.offsite) {
    if (!job.offsite) job.offsite.emplace();
    job.offsite->remote = **settings.offsite;
  }
  if (!job.offsite) return;
  take(job.offsite->keep, settings.offsite_keep);
  take(job.offsite->bandwidth, settings.offsite_bandwidth);
}

std::string shown(const SettingText& setting) {
  if (setting.text.empty()) return "none";
  return setting.name == "ping_url" ? shown_ping_url(setting.text) : setting.text;
}

}  // namespace

BackupJob with_settings(BackupJob job, const JobSettings& settings) {
  if (settings.source) {
    job.folder.clear();
    job.global = false;
    job.patterns.clear();
  } else if (settings.folder && !job.is_of_folder()) {
    job.snapshot.source.clear();
    job.snapshot.label.clear();
  }
  take(job.snapshot.source, settings.source);
  take(job.folder, settings.folder);
  take(job.global, settings.global);
  take(job.patterns, settings.patterns);
  take(job.snapshot.destination, settings.destination);
  take(job.snapshot.hostname, settings.hostname);
  take(job.snapshot.label, settings.label);
  take(job.snapshot.flat, settings.flat);
  take(job.snapshot.verify, settings.verify);
  take(job.snapshot.retention, settings.retention);
  take(job.time, settings.time);
  take(job.every_hours, settings.every_hours);
  take(job.between, settings.between);
  // A former schedule's hours say nothing of a daily one.
  if (settings.every_hours == 0 && !settings.between) job.between.reset();
  take(job.drills, settings.drills);
  take_offsite(job, settings);
  take(job.on_failure, settings.on_failure);
  take(job.ping_url, settings.ping_url);
  return job;
}

Expected<SettledJob> settle_job(const std::string& name, const JobSettings& settings,
                                const Places& places, const FileSystem& files) {
  SettledJob settled;
  BackupJob base;
  base.snapshot.source = places.home / kGlobalDatabase;
  base.name = name;
  if (name.empty()) {
    std::vector<UnusableJob> unusable;
    const fs::path& place = settings.folder ? *settings.folder : base.snapshot.source;
    base.name = default_schedule_name(settings.source.value_or(place), places.home,
                                      list_jobs(places, files, unusable));
  }
  auto former = read_job(base.name, places, files);
  if (former) {
    settled.former = *former;
    base = std::move(*former);
  } else if (former.error().code == ErrorCode::unsupported) {
    return fail(former.error());  // a newer version's: what it says would be lost
  } else if (former.error().code != ErrorCode::not_found) {
    // A default in place of a setting that is only unreadable would end another database's backups.
    if (name.empty() || (!settings.source && !settings.folder)) {
      return fail(ErrorCode::invalid_argument,
                  former.error().message + " So its settings cannot be kept.",
                  "Give source and name, and whatever else this schedule had.");
    }
    settled.unreadable = true;
    settled.warnings.push_back(former.error().message + std::string(kNothingKept));
  }
  settled.job = with_settings(std::move(base), settings);
  return settled;
}

std::vector<SettingText> describe_settings(const BackupJob& job) {
  const SnapshotRequest& snapshot = job.snapshot;
  std::string patterns;
  for (const std::string& pattern : job.patterns)
    patterns += (patterns.empty() ? "" : ", ") + pattern;
  std::vector<SettingText> settings{
      {"source", text_of(snapshot.source)},
      {"folder", text_of(job.folder)},
      {"global", job.global ? "yes" : ""},
      {"pattern", patterns},
      {"destination", text_of(snapshot.destination)},
      {"scheduler", std::string(to_string(job.scheduler))},
      {"time", format_time_of_day(job.time)},
      {"every", job.every_hours == 0 ? "" : format_every(job.every_hours)},
      {"between", job.between ? format_window(*job.between) : ""},
      {"hostname", snapshot.hostname},
      {"label", snapshot.label},
      {"flat", snapshot.flat ? "yes" : ""}};
  for (const auto& [rule, count] : kKeepRules) {
    settings.push_back({rule, count_text(snapshot.retention.*count)});
  }
  settings.push_back({"verify", std::string(to_string(snapshot.verify))});
  settings.push_back(
      {"drills", job.drills == Drills::never ? "" : std::string(to_string(job.drills))});
  const OffsiteTarget offsite = job.offsite.value_or(OffsiteTarget{});
  settings.push_back({"offsite", job.offsite ? text_of(offsite.remote) : ""});
  settings.push_back({"offsite_keep", offsite.keep ? format_keep_text(*offsite.keep) : ""});
  settings.push_back({"offsite_bwlimit", offsite.bandwidth});
  settings.push_back({"on_failure", job.on_failure});
  settings.push_back({"ping_url", job.ping_url});
  return settings;
}

SettingChanges compare_jobs(const BackupJob& former, const BackupJob& job) {
  SettingChanges changes;
  const auto before = describe_settings(former);
  const auto after = describe_settings(job);
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (after[i].text != before[i].text) {
      changes.changed.push_back(
          {after[i].name, shown(after[i]) + " (was " + shown(before[i]) + ")"});
    } else if (!after[i].text.empty()) {
      changes.kept.push_back({after[i].name, shown(after[i])});
    }
  }
  return changes;
}

}  // namespace core
