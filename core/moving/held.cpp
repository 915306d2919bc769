#include "core/moving/held.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

#include "core/base/paths.h"
#include "core/catalog/catalog.h"
#include "core/catalog/names.h"
#include "core/catalog/retention.h"
#include "core/offsite/keep_text.h"
#include "core/schedule/due.h"
#include "core/schedule/kept_jobs.h"
#include "core/snapshot/snapshot_plan.h"
#include "core/sqlite/pinned_source.h"
#include "core/sqlite/row_counts.h"

namespace core {

namespace {

constexpr std::chrono::milliseconds kBusyTimeout{1'000};
constexpr std::uint64_t kMaxCountedBytes = 64ULL << 20;  // a larger one holds something
// Where the orchestrator's global database lies below a home.
constexpr std::array<std::string_view, 2> kGlobals{"/.claude/orchestrator/global.db",
                                                   "/.orchestrator/global.db"};
constexpr std::array<std::string_view, 2> kHomeFolders{"/home/", "/Users/"};

// Machine by id where there is one, else by name.
using MachineKey = std::string;
MachineKey key_of(const std::string& machine, const std::string& host) {
  return machine.empty() ? "host " + host : machine;
}

// Slashes for all separators that the system knows.
std::string slashed(const std::string& path) {
  const auto text = path_of(path).generic_u8string();
  return {text.begin(), text.end()};
}

bool is_global(const std::string& source) {
  const std::string text = slashed(source);
  return std::any_of(kGlobals.begin(), kGlobals.end(),
                     [&](const auto& global) { return text.ends_with(global); });
}

// "/home/ann/code/x.db" -> "/home/ann", "C:\Users\ann\x.db" -> "C:\Users\ann"; empty where that
// says nothing.
fs::path home_by_name(const std::string& source) {
  const std::string text = slashed(source);
  for (const auto global : kGlobals) {
    if (text.ends_with(global)) return path_of(text.substr(0, text.size() - global.size()));
  }
  const std::size_t drive = text_of(path_of(source).root_name()).size();
  const auto below_drive = std::string_view(text).substr(drive);
  for (const auto folder : kHomeFolders) {
    const auto end = text.find('/', drive + folder.size());
    if (below_drive.starts_with(folder) && end != std::string::npos) {
      return path_of(text.substr(0, end));
    }
  }
  return text.starts_with("/root/") ? "/root" : "";
}

class Survey {
 public:
  Survey(const HeldRequest& request, const Env& env, std::stop_token stop)
      : request_(request),
        env_(env),
        stop_(std::move(stop)),
        home_(env.files.canonical(env.places.home).value_or(env.places.home)) {}

  Expected<Held> run() {
    BPD_TRY(find_newest());
    kept_ = read_kept_jobs(request_.destination, env_.files, held_.warnings);
    find_homes();
    for (auto& [key, newest] : newest_) {
      if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "The search was cancelled.");
      add_database(key.first, newest);
    }
    for (const KeptJobs& kept : kept_) add_schedules(kept);
    sort();
    return std::move(held_);
  }

 private:
  Expected<> find_newest();
  void find_homes();
  void add_database(const MachineKey& machine, const Snapshot& newest);
  void add_schedules(const KeptJobs& kept);
  Expected<fs::path> place_of(const MachineKey& machine, const std::string& source) const;
  fs::path above_all(const MachineKey& machine) const;
  bool leads_out(fs::path path) const;
  std::string what_is_at(const fs::path& target) const;
  bool meets_old_series(const KeptJobs& kept, const BackupJob& job, const fs::path& here) const;
  Call install_call(const BackupJob& job, const std::vector<BackupJob>& ours) const;
  void sort();

  const HeldRequest& request_;
  const Env& env_;
  const std::stop_token stop_;
  const fs::path home_;
  std::map<std::pair<MachineKey, std::string>, Snapshot> newest_;  // by machine and source
  std::map<MachineKey, fs::path> homes_;
  std::vector<KeptJobs> kept_;
  Held held_;
};

Expected<> Survey::find_newest() {
  BPD_TRY_AS(page, list_snapshots(request_.destination, {}, kMaxHeldSnapshots, "", env_.files));
  held_.warnings = std::move(page->warnings);
  if (!page->next_cursor.empty()) {
    held_.warnings.push_back("Only the newest " + std::to_string(kMaxHeldSnapshots) +
                             " snapshots were looked at.");
  }
  for (Snapshot& snapshot : page->snapshots) {
    if (!snapshot.manifest || !snapshot.restorable() || !snapshot.has_told_length()) continue;
    const Manifest& manifest = *snapshot.manifest;
    if (request_.host && *request_.host != manifest.host && *request_.host != snapshot.host) {
      continue;
    }
    const std::pair key{key_of(manifest.machine, manifest.host), manifest.source};
    const auto known = newest_.find(key);
    if (known == newest_.end()) {
      newest_.emplace(key, std::move(snapshot));
    } else if (taken_before(known->second, snapshot, env_.clock.now())) {
      known->second = std::move(snapshot);
    }
  }
  return {};
}

void Survey::find_homes() {
  for (const auto& [key, newest] : newest_) {
    fs::path& home = homes_[key.first];
    const std::string& source = key.second;
    const auto name = home_by_name(source);
    if (home.empty() || is_global(source)) home = name.empty() ? home : name;
  }
  for (const KeptJobs& kept : kept_) {
    if (kept.home.is_absolute()) homes_[key_of(kept.machine, kept.host)] = kept.home;
  }
  if (request_.old_home.empty()) return;
  for (auto& [machine, home] : homes_) home = request_.old_home;
}

// True where a link on the way leads out of the home, or something else than a folder is there.
bool Survey::leads_out(fs::path path) const {
  for (path = path.parent_path(); path != home_; path = path.parent_path()) {
    const auto info = env_.files.link_info(path);
    if (!info && info.error().code == ErrorCode::not_found) continue;
    const auto real = env_.files.canonical(path);
    const auto there = env_.files.info(path);
    return !real || !is_inside(*real, home_) || !there || there->kind != FileInfo::Kind::folder;
  }
  return false;
}

// The deepest folder above all databases there, but for hidden ones: the home is it or above it.
// Paths in order have in common what the first and the last have.
fs::path Survey::above_all(const MachineKey& machine) const {
  const auto is_there = [&](const auto& entry) { return entry.first.first == machine; };
  const auto first = std::find_if(newest_.begin(), newest_.end(), is_there);
  const auto last = std::find_if(newest_.rbegin(), newest_.rend(), is_there);
  fs::path common;
  if (first == newest_.end()) return common;
  const fs::path one = path_of(first->first.second).parent_path();
  const fs::path other = path_of(last->first.second).parent_path();
  for (auto a = one.begin(), b = other.begin();
       a != one.end() && b != other.end() && *a == *b && !text_of(*a).starts_with('.'); ++a, ++b) {
    common /= *a;
  }
  return common;
}

// The place here of what lay at `source` there. The error says in a sentence why there is none:
// not_found where the home there is not known.
Expected<fs::path> Survey::place_of(const MachineKey& machine, const std::string& source) const {
  const auto home = homes_.find(machine);
  const fs::path path = path_of(source);
  const bool plain =
      path.is_absolute() && path == path.lexically_normal() && !may_tell_bytes(source);
  if (plain && (home == homes_.end() || home->second.empty())) {
    return fail(ErrorCode::not_found, "The home that it lay in is not known: give " +
                                          say_parameter("old_home") + ", which is " +
                                          text_of(above_all(machine)) + " or a folder above it.");
  }
  if (!plain || !is_inside(path, home->second.lexically_normal()) || path == home->second) {
    return fail(ErrorCode::unsupported, "It did not lie below its user's home.");
  }
  const fs::path target = home_ / path.lexically_relative(home->second.lexically_normal());
  if (leads_out(target)) {
    return fail(ErrorCode::unsupported, text_of(target) + " leads out of the home.");
  }
  return target;
}

// Empty for nothing, an empty file, and a database without a row.
std::string Survey::what_is_at(const fs::path& target) const {
  const auto info = env_.files.link_info(target);
  if (!info && info.error().code == ErrorCode::not_found) return "";
  if (!info || info->kind != FileInfo::Kind::file) return text_of(target) + " is no plain file.";
  if (info->bytes == 0) return "";
  const std::string there = text_of(target) + " is there already";
  if (info->bytes > kMaxCountedBytes) return there + ".";
  const auto source = PinnedSource::open(target, kBusyTimeout, env_, stop_);
  if (!source) return there + ", and cannot be read: " + source.error().message;
  const auto counts = count_rows(source->connection(), stop_);
  if (!counts) return there + ", and cannot be read: " + counts.error().message;
  std::uint64_t rows = 0;
  for (const auto& [table, count] : counts->all()) rows += count;
  return rows == 0 ? "" : there + " and holds " + std::to_string(rows) + " rows.";
}

void Survey::add_database(const MachineKey& machine, const Snapshot& newest) {
  if (held_.databases.size() == kMaxHeldDatabases) {
    const std::string more = "There are more than " + std::to_string(kMaxHeldDatabases) +
                             " databases; the rest was left out.";
    if (held_.warnings.empty() || held_.warnings.back() != more) held_.warnings.push_back(more);
    return;
  }
  const Manifest& manifest = *newest.manifest;
  HeldDatabase database{manifest.source,   manifest.host, newest.path,
                        newest.taken_at(), newest.bytes,  manifest.omitted.rows};
  auto place = place_of(machine, manifest.source);
  if (place && !has_database_ending(*place)) {
    place = fail(ErrorCode::unsupported, "Its name does not end like a database's.");
  }
  std::vector<Parameter> restore{{"snapshot", text_of(newest.path)}, {"target"}};
  if (!place) {
    database.state = HeldDatabase::State::elsewhere;
    database.home_unknown = place.error().code == ErrorCode::not_found;
    database.why =
        place.error().message + " " + say(Action::restore, restore) + " brings it back by itself.";
  } else {
    if (request_.allows && !request_.allows(*place)) return;
    database.target = std::move(*place);
    if (auto what = what_is_at(database.target); !what.empty()) {
      database.state = HeldDatabase::State::there;
      restore[1] = {"target", text_of(database.target)};
      restore.push_back({"in_place", true});
      database.why = what + " " + say(Action::restore, restore) + " replaces it.";
    }
  }
  held_.databases.push_back(std::move(database));
}

// Whether snapshots taken here would go to the folder where the other machine's lie, of a database
// that counts as another one.
bool Survey::meets_old_series(const KeptJobs& kept, const BackupJob& job,
                              const fs::path& here) const {
  const bool one_folder = !job.snapshot.hostname.empty() || kept.host == env_.places.host;
  return job.snapshot.flat || (one_folder && job.place() != here);
}

// A name that is another database's here is left to be chosen anew.
Call Survey::install_call(const BackupJob& job, const std::vector<BackupJob>& ours) const {
  Call call{std::string(to_string(Action::install_schedule)),
            {{job.is_of_folder() ? "folder" : "source", text_of(job.place())},
             {"destination", text_of(job.snapshot.destination)}}};
  const bool taken = std::any_of(ours.begin(), ours.end(),
                                 [&](const BackupJob& other) { return other.name == job.name; });
  const auto add = [&](const char* name, std::string value) {
    if (!value.empty()) call.parameters.push_back({name, std::move(value)});
  };
  if (!taken) add("name", job.name);
  add("label", job.snapshot.label);
  add("hostname", job.snapshot.hostname);
  if (job.snapshot.flat) call.parameters.push_back({"flat", true});
  add("verify", std::string(to_string(job.snapshot.verify)));
  add("time", format_time_of_day(job.time));
  if (!job.patterns.empty()) call.parameters.push_back({"pattern", job.patterns});
  if (job.global) call.parameters.push_back({"global", true});
  if (job.every_hours > 0) add("every", format_every(job.every_hours));
  if (job.between) add("between", format_window(*job.between));
  if (job.drills != Drills::never) add("drills", std::string(to_string(job.drills)));
  if (const auto& offsite = job.offsite) {
    add("offsite", text_of(offsite->remote));
    if (offsite->keep) add("offsite_keep", format_keep_text(*offsite->keep));
    if (!offsite->bandwidth.empty()) add("offsite_bwlimit", offsite->bandwidth);
  }
  for (const KeepRule& rule : kKeepRules) {
    if (const auto& count = job.snapshot.retention.*rule.count) {
      add(std::string(rule.name).c_str(), std::to_string(*count));
    }
  }
  return call;
}

void Survey::add_schedules(const KeptJobs& kept) {
  if (request_.host && *request_.host != kept.host) return;
  std::vector<UnusableJob> unusable;
  const auto ours = list_jobs(env_.places, env_.files, unusable);
  for (const BackupJob& job : kept.jobs) {
    auto place = place_of(key_of(kept.machine, kept.host), manifest_text(text_of(job.place())));
    const bool fits = place && (job.is_of_folder() || has_database_ending(*place));
    if (!fits || (request_.allows && !request_.allows(*place))) continue;
    const bool stands = std::any_of(ours.begin(), ours.end(), [&](const BackupJob& other) {
      return other.place() == *place && other.snapshot.destination == job.snapshot.destination;
    });
    if (stands) continue;
    HeldSchedule schedule{kept.host, job, {}};
    if (job.is_of_folder()) {
      schedule.job.folder = std::move(*place);
    } else {
      if (meets_old_series(kept, job, *place)) {
        schedule.job.snapshot.label = propose_label(*place, job.snapshot.label);
      }
      schedule.job.snapshot.source = std::move(*place);
    }
    schedule.install = install_call(schedule.job, ours);
    held_.schedules.push_back(std::move(schedule));
  }
}

void Survey::sort() {
  std::sort(held_.databases.begin(), held_.databases.end(),
            [](const HeldDatabase& a, const HeldDatabase& b) {
              return std::tie(a.host, a.source) < std::tie(b.host, b.source);
            });
  std::sort(held_.schedules.begin(), held_.schedules.end(),
            [](const HeldSchedule& a, const HeldSchedule& b) {
              return std::tie(a.host, a.job.name) < std::tie(b.host, b.job.name);
            });
}

}  // namespace

std::string_view to_string(HeldDatabase::State state) {
  switch (state) {
    case HeldDatabase::State::lacking:
      return "lacking";
    case HeldDatabase::State::there:
      return "there";
    case HeldDatabase::State::elsewhere:
      return "elsewhere";
  }
  return "elsewhere";
}

std::vector<const HeldDatabase*> Held::lacking() const {
  std::vector<const HeldDatabase*> all;
  for (const HeldDatabase& database : databases) {
    if (database.state == HeldDatabase::State::lacking) all.push_back(&database);
  }
  return all;
}

Expected<Held> held_in(const HeldRequest& request, const Env& env, std::stop_token stop) {
  return Survey(request, env, std::move(stop)).run();
}

}  // namespace core
