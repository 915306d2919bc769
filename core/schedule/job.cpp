// Job files, and the names of schedules.
#include "core/schedule/job.h"

#include <algorithm>
#include <limits>

#include "core/base/call.h"
#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/base/json_limits.h"
#include "core/base/paths.h"
#include "core/base/utf8.h"
#include "core/schedule/due.h"
#include "core/schedule/quoting.h"

namespace core {

namespace {

constexpr std::uint64_t kMaxJobBytes = 64 * 1024;
constexpr JsonLimits kJobLimits{8, 1'000, 1'000};
constexpr std::size_t kMaxUrlBytes = 2048;
constexpr std::size_t kMaxCommandBytes = 4096;
constexpr std::size_t kMaxRateBytes = 500;
constexpr std::int64_t kMaxCount = std::numeric_limits<int>::max();  // of days or snapshots

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_name_char(char c) {
  return is_name_start(c) || c == '-' || c == '_';
}

tl::unexpected<Error> refuse(std::string message, std::string hint) {
  return fail(ErrorCode::invalid_argument, std::move(message), std::move(hint));
}

Expected<> check_text(std::string_view what, std::string_view text) {
  if (is_utf8_without_nul(text) && !has_line_break(text)) return {};
  return refuse("The " + std::string(what) + " holds a line break or is not UTF-8.",
                "Rename it, or give another " + std::string(what) + ".");
}

Expected<> check_hours(const BackupJob& job) {
  if (job.every_hours == 0 && job.between) {
    return refuse(
        say_parameter("between") + " is for runs by the hour, and this schedule runs daily.",
        "Add " + say_parameter("every") + " hour" + ", or leave it out.");
  }
  if (job.every_hours < 0 || job.every_hours > kMaxEveryHours) {
    return refuse("A run every " + std::to_string(job.every_hours) + " hours is not possible.",
                  "Give " + say_parameter("every") + " as day, hour, or 2h to 12h.");
  }
  if (!due_times(job).empty()) return {};
  return refuse("No run falls into " + format_window(*job.between) +
                    ": runs are at the minute of " + say_parameter("time") + ", " +
                    format_time_of_day(job.time) + ".",
                "Give a longer span, or another time.");
}

Expected<> check_path(std::string_view what, const fs::path& path) {
  if (!path.is_absolute()) {
    return refuse("The " + std::string(what) + " '" + text_of(path) + "' is not an absolute path.",
                  "Give the whole path: a scheduler starts in another folder.");
  }
  return check_text(what, text_of(path));
}

Expected<> check_source(const BackupJob& job) {
  if (job.global || !job.patterns.empty()) {
    return refuse("Only the schedule of a folder covers more than its source.",
                  "Give " + say_parameter("folder") + " with " + say_parameter("global") + " or " +
                      say_parameter("pattern") + ".");
  }
  return check_path("source", job.snapshot.source);
}

Expected<> check_folder(const BackupJob& job) {
  BPD_TRY(check_path("folder", job.folder));
  if (!job.snapshot.source.empty()) {
    return refuse("A schedule covers one database or a folder, not both.",
                  "Give " + say_parameter("source") + " or " + say_parameter("folder") + ".");
  }
  if (!job.snapshot.label.empty()) {
    return refuse(
        "The schedule of a folder takes no label: each of its databases has one of its own.",
        "Leave " + say_parameter("label") + " out.");
  }
  for (const std::string& pattern : job.patterns) BPD_TRY(check_text("pattern", pattern));
  return {};
}

Expected<> check_ping_url(const std::string& url) {
  const bool known_scheme = url.starts_with("https://") || url.starts_with("http://");
  const bool plain = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 127; });
  if (known_scheme && plain && url.size() <= kMaxUrlBytes) return {};
  return refuse("The " + say_parameter("ping_url") + " '" + url.substr(0, 200) +
                    "' is not an http or https URL.",
                "Give it as your monitor shows it, e.g. https://hc-ping.com/<uuid>.");
}

void get_count(const Json& json, const char* key, std::optional<int>& count) {
  if (!json.contains(key)) return;
  const Json& value = json.at(key);
  const auto number = value.is_number_integer() ? value.get<std::int64_t>() : 0;
  if (number < 1 || number > kMaxCount) {
    throw std::invalid_argument(std::string(key) + " is no number of days or snapshots");
  }
  count = static_cast<int>(number);
}

// What a program of version 1 would overlook: it would run the job once a day, and remove what only
// the hours keep. Of a folder it knows nothing.
int format_version_of(const BackupJob& job) {
  const bool by_hours = job.every_hours > 0 || job.snapshot.retention.keep_hourly;
  return by_hours || job.is_of_folder() ? BackupJob::kFormatVersion : 1;
}

void get_hours(const Json& json, BackupJob& job) {
  const auto every = parse_every(json.value("every", "day"));
  if (!every) throw std::invalid_argument("every is unknown");
  job.every_hours = *every;
  if (!json.contains("between")) return;
  job.between = parse_window(json.at("between").get<std::string>());
  if (!job.between) throw std::invalid_argument("between is no HH:MM-HH:MM");
}

RetentionPolicy rules_in(const Json& json) {
  RetentionPolicy policy;
  for (const auto& [name, count] : kKeepRules) get_count(json, name, policy.*count);
  return policy;
}

void put_rules(Json& json, const RetentionPolicy& policy) {
  for (const auto& [name, count] : kKeepRules) {
    if (const auto& given = policy.*count) json[name] = *given;
  }
}

OffsiteTarget offsite_in(const Json& json) {
  OffsiteTarget target;
  const auto remote = parse_remote_folder(json.at("remote").get<std::string>());
  if (!remote) throw std::invalid_argument(remote.error().message);
  target.remote = *remote;
  target.rclone = {path_of(json.at("program").get<std::string>()),
                   path_of(json.at("config").get<std::string>())};
  if (json.contains("keep")) target.keep = rules_in(json.at("keep"));
  target.bandwidth = json.value("bwlimit", "");
  target.encrypted = json.value("encrypted", false);
  target.off_machine = json.value("off_machine", true);
  return target;
}

Json encode_offsite(const OffsiteTarget& target) {
  Json json{{"remote", text_of(target.remote)},
            {"program", text_of(target.rclone.program)},
            {"config", text_of(target.rclone.config)}};
  if (target.keep) {
    json["keep"] = Json::object();
    put_rules(json["keep"], *target.keep);
  }
  if (!target.bandwidth.empty()) json["bwlimit"] = target.bandwidth;
  json["encrypted"] = target.encrypted;
  json["off_machine"] = target.off_machine;
  return json;
}

// rclone's --bwlimit: rates, and a timetable of them.
// https://rclone.org/docs/#bwlimit-bandwidth-spec
Expected<> check_offsite(const OffsiteTarget& target) {
  BPD_TRY(parse_remote_folder(text_of(target.remote)));
  BPD_TRY(check_path("path of rclone", target.rclone.program));
  BPD_TRY(check_path("path of rclone's settings", target.rclone.config));
  const bool plain = target.bandwidth.find_first_not_of(
                         "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:.,- ") ==
                     std::string::npos;
  if (plain && !target.bandwidth.starts_with('-') && target.bandwidth.size() <= kMaxRateBytes) {
    return {};
  }
  return refuse("The " + say_parameter("offsite_bwlimit") + " is no bandwidth as rclone has it.",
                "Give it as 1M (bytes in a second), or as a timetable: 08:00,512k 23:00,off.");
}

BackupJob job_from(const Json& json) {
  BackupJob job;
  job.name = json.at("name").get<std::string>();
  const auto kind = parse_scheduler_kind(json.at("scheduler").get<std::string>());
  const auto time = parse_time_of_day(json.at("time").get<std::string>());
  const auto since = parse_instant(json.at("scheduled_since").get<std::string>());
  const auto verify = parse_verify_level(json.at("verify").get<std::string>());
  if (!kind || !time || !since || !verify) throw std::invalid_argument("a value is unknown");
  job.scheduler = *kind;
  job.time = *time;
  get_hours(json, job);
  job.scheduled_since = *since;
  job.snapshot.verify = *verify;
  if (json.contains("folder")) {
    job.folder = path_of(json.at("folder").get<std::string>());
    job.global = json.value("global", false);
    job.patterns = json.value("patterns", job.patterns);
  } else {
    job.snapshot.source = path_of(json.at("source").get<std::string>());
  }
  job.snapshot.destination = path_of(json.at("destination").get<std::string>());
  job.snapshot.hostname = json.value("hostname", "");
  job.snapshot.label = json.value("label", "");
  job.snapshot.flat = json.value("flat", false);
  job.snapshot.retention = rules_in(json);
  if (json.contains("offsite")) job.offsite = offsite_in(json.at("offsite"));
  const auto drills = parse_drills(json.value("drills", "never"));
  if (!drills) throw std::invalid_argument("drills is unknown");
  job.drills = *drills;
  job.on_failure = json.value("on_failure", "");
  job.ping_url = json.value("ping_url", "");
  return job;
}

tl::unexpected<Error> damaged_job(const std::string& name, std::string_view why) {
  return fail(ErrorCode::damaged,
              "The job file of schedule '" + name + "' cannot be used: " + std::string(why) +
                  (why.ends_with('.') ? "" : "."),
              "Run " + say(Action::install_schedule) + " again with this name and its source, or " +
                  say(Action::remove_schedule) + ".");
}

// not_found where there is no file.
Expected<BackupJob> read_job_file(const std::string& name, const Places& places,
                                  const FileSystem& files) {
  const fs::path path = job_path(name, places);
  const auto text = files.read(path, kMaxJobBytes);
  if (!text && text.error().code != ErrorCode::invalid_argument) return fail(text.error());
  auto job = text ? decode_job(name, *text) : damaged_job(name, text.error().message);
  if (!job) {
    Error error = job.error();
    error.message += " It is " + text_of(path) + ".";
    return fail(std::move(error));
  }
  return job;
}

}  // namespace

std::string_view to_string(SchedulerKind kind) {
  switch (kind) {
    case SchedulerKind::systemd:
      return "systemd";
    case SchedulerKind::cron:
      return "cron";
    case SchedulerKind::launchd:
      return "launchd";
    case SchedulerKind::windows:
      return "windows";
  }
  return "systemd";
}

std::string_view to_string(Drills drills) {
  return drills == Drills::monthly ? "monthly" : "never";
}

std::optional<Drills> parse_drills(std::string_view text) {
  for (const auto drills : {Drills::never, Drills::monthly}) {
    if (text == to_string(drills)) return drills;
  }
  return std::nullopt;
}

std::optional<SchedulerKind> parse_scheduler_kind(std::string_view text) {
  for (const auto kind : {SchedulerKind::systemd, SchedulerKind::cron, SchedulerKind::launchd,
                          SchedulerKind::windows}) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

Expected<> check_schedule_name(std::string_view name) {
  if (!name.empty() && name.size() <= kMaxNameBytes && is_name_start(name[0]) &&
      std::all_of(name.begin(), name.end(), is_name_char)) {
    return {};
  }
  return refuse("'" + std::string(name.substr(0, 100)) +
                    "' cannot be the name of a schedule: it takes up to 48 of a-z, 0-9, '-', '_', "
                    "beginning with a letter or digit.",
                "Try '" + slug(name) + "'.");
}

std::string slug(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!is_name_char(c)) c = '-';
    if (c == '-' && (out.empty() || out.back() == '-')) continue;
    if (out.empty() && !is_name_start(c)) continue;
    out += c;
    if (out.size() == kMaxNameBytes) break;
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "db" : out;
}

std::string default_schedule_name(const fs::path& place, const fs::path& home,
                                  const std::vector<BackupJob>& jobs) {
  std::string base = text_of(place.stem());
  // A database in a hidden folder (.orchestrator) belongs to the project around that folder.
  const fs::path folder = place.parent_path();
  if (text_of(folder.filename()).starts_with('.') && folder.parent_path() != home) {
    base = text_of(folder.parent_path().filename()) + "-" + base;
  }
  base = slug(base);
  const bool taken = std::any_of(jobs.begin(), jobs.end(), [&](const BackupJob& job) {
    return job.name == base && job.place() != place;
  });
  if (!taken) return base;
  return base.substr(0, kMaxNameBytes - 7) + "-" + short_hash(text_of(place));
}

Expected<> check_job(const BackupJob& job) {
  BPD_TRY(check_schedule_name(job.name));
  if (job.time < std::chrono::minutes(0) || job.time >= std::chrono::hours(24)) {
    return refuse("The time is outside the day.", "Give it as HH:MM, 00:00 to 23:59.");
  }
  BPD_TRY(check_hours(job));
  BPD_TRY(job.is_of_folder() ? check_folder(job) : check_source(job));
  BPD_TRY(check_path("destination", job.snapshot.destination));
  BPD_TRY(check_text("label", job.snapshot.label));
  BPD_TRY(check_text("hostname", job.snapshot.hostname));
  if (job.offsite) {
    BPD_TRY(check_offsite(*job.offsite));
  }
  BPD_TRY(check_text("on_failure", job.on_failure));
  if (job.on_failure.size() > kMaxCommandBytes) {
    return refuse("The " + say_parameter("on_failure") + " command is longer than 4096 bytes.",
                  "Put it into a script.");
  }
  return job.ping_url.empty() ? Expected<>{} : check_ping_url(job.ping_url);
}

std::vector<std::chrono::minutes> due_times(const BackupJob& job) {
  return due_times(job.time, job.every_hours, job.between);
}

std::string describe_times(const BackupJob& job) {
  if (job.every_hours == 0) return "daily at " + format_time_of_day(job.time);
  const std::string often =
      job.every_hours == 1 ? "every hour" : "every " + std::to_string(job.every_hours) + " hours";
  return job.between ? often + ", " + format_window(*job.between) : often;
}

std::vector<int> ask_minutes(const BackupJob& job) {
  std::vector<int> minutes;
  for (int minute = static_cast<int>(job.time.count()) % kAskEveryMinutes; minute < 60;
       minute += kAskEveryMinutes) {
    minutes.push_back(minute);
  }
  return minutes;
}

std::chrono::seconds start_delay(const BackupJob& job) {
  if (job.every_hours == 0) return std::chrono::seconds(0);
  return std::chrono::seconds(fnv1a(job.name) % kMaxStartDelay.count());
}

SnapshotRequest snapshot_of(const BackupJob& job) {
  SnapshotRequest request = job.snapshot;
  if (job.every_hours > 0) request.by_hour_from = job.time % std::chrono::hours(1);
  return request;
}

fs::path job_path(const std::string& name, const Places& places) {
  return places.config / "jobs" / (name + ".json");
}

std::string encode_job(const BackupJob& job) {
  Json json{{"format_version", format_version_of(job)},
            {"name", job.name},
            {"scheduler", to_string(job.scheduler)},
            {"time", format_time_of_day(job.time)},
            {"scheduled_since", format_instant(job.scheduled_since)}};
  if (job.is_of_folder()) {
    json["folder"] = text_of(job.folder);
    json["global"] = job.global;
    json["patterns"] = job.patterns;
  } else {
    json["source"] = text_of(job.snapshot.source);
  }
  json["destination"] = text_of(job.snapshot.destination);
  json["hostname"] = job.snapshot.hostname;
  json["label"] = job.snapshot.label;
  json["flat"] = job.snapshot.flat;
  json["verify"] = to_string(job.snapshot.verify);
  if (job.every_hours > 0) json["every"] = format_every(job.every_hours);
  if (job.between) json["between"] = format_window(*job.between);
  put_rules(json, job.snapshot.retention);
  if (job.offsite) json["offsite"] = encode_offsite(*job.offsite);
  if (job.drills != Drills::never) json["drills"] = to_string(job.drills);
  json["on_failure"] = job.on_failure;
  json["ping_url"] = job.ping_url;
  return json_file_text(json);
}

Expected<BackupJob> decode_job(const std::string& name, std::string_view text) {
  if (text.empty()) return damaged_job(name, "it is empty (0 bytes)");
  // What a parser quotes of other bytes could not be told to a client.
  if (!is_utf8_without_nul(text)) return damaged_job(name, "it is not UTF-8 text");
  if (const std::string why = beyond_limits(text, kJobLimits); !why.empty()) {
    return damaged_job(name, "it is " + why);
  }
  try {
    const Json json = json_of(text);
    if (json.at("format_version").get<int>() > BackupJob::kFormatVersion) {
      return fail(ErrorCode::unsupported,
                  "The job file of schedule '" + name + "' is of a newer version of this program.",
                  "Use the newer program; or end this schedule with " +
                      say(Action::remove_schedule) + " first.");
    }
    BackupJob job = job_from(json);
    if (job.name != name) return damaged_job(name, "it is of schedule '" + job.name + "'");
    if (auto checked = check_job(job); !checked) return damaged_job(name, checked.error().message);
    return job;
  } catch (const Json::parse_error& error) {
    return damaged_job(name, "it is cut short, or not JSON (" + std::string(error.what()) + ")");
  } catch (const std::exception& exception) {
    return damaged_job(name, exception.what());
  }
}

Expected<BackupJob> read_job(const std::string& name, const Places& places,
                             const FileSystem& files) {
  BPD_TRY(check_schedule_name(name));
  auto job = read_job_file(name, places, files);
  if (job || job.error().code != ErrorCode::not_found) return job;
  std::vector<UnusableJob> unusable;
  std::string names;
  for (const BackupJob& other : list_jobs(places, files, unusable)) {
    names += (names.empty() ? "" : ", ") + other.name;
  }
  return fail(ErrorCode::not_found, "There is no schedule named '" + name + "'.",
              names.empty() ? "No schedule is installed: use " + say(Action::install_schedule) + "."
                            : "Schedules are: " + names + ".");
}

Expected<> write_job(const BackupJob& job, const Places& places, FileSystem& files) {
  const fs::path path = job_path(job.name, places);
  BPD_TRY(files.make_folders(path.parent_path(), kPrivateFolder));
  return files.write_atomically(path, encode_job(job), kPrivateFile);
}

std::string to_text(const UnusableJob& job) {
  return job.name.empty() ? job.why : job.name + ": " + job.why;
}

std::vector<BackupJob> list_jobs(const Places& places, const FileSystem& files,
                                 std::vector<UnusableJob>& unusable) {
  std::vector<BackupJob> jobs;
  const fs::path folder = places.config / "jobs";
  const auto entries = files.list(folder, kMaxJobs);
  if (!entries) {
    if (entries.error().code != ErrorCode::not_found) {
      unusable.push_back({"", entries.error().message});
    }
    return jobs;
  }
  for (const DirEntry& entry : *entries) {
    const fs::path file = entry.name;
    const std::string name = text_of(file.stem());
    if (file.extension() != ".json" || !check_schedule_name(name)) continue;
    auto job = read_job_file(name, places, files);
    if (job) {
      jobs.push_back(std::move(*job));
    } else {
      unusable.push_back({name, job.error().message + " " + job.error().hint});
    }
  }
  std::sort(jobs.begin(), jobs.end(),
            [](const BackupJob& a, const BackupJob& b) { return a.name < b.name; });
  return jobs;
}

std::string shown_ping_url(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url.empty() ? "" : "…";
  const std::size_t begin = scheme + 3;
  std::string host = url.substr(begin, url.find_first_of("/?#\\", begin) - begin);
  host.erase(0, host.rfind('@') + 1);  // a user and a password; without one nothing
  return url.substr(0, begin) + host + "/…";
}

}  // namespace core
