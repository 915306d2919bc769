#include "core/status/status_facts.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/base/patience.h"
#include "core/catalog/machine.h"
#include "core/discovery/discover.h"
#include "core/discovery/ignored.h"
#include "core/discovery/location.h"
#include "core/schedule/folder_members.h"
#include "core/schedule/job.h"
#include "core/schedule/list.h"
#include "core/status/missed_days.h"

namespace core {
namespace {

// Enough for the newest of every series: listings begin with the newest.
constexpr std::size_t kMaxSnapshots = 2'000;
constexpr std::size_t kMaxRunsQuick = 1'000;
constexpr std::size_t kMaxSourcesLookedAt = 200;  // of the history, whether they are still there
// A session must not wait for a slow disk.
constexpr std::chrono::milliseconds kQuickSearch{30};

// That the history was damaged, and what was remembered is gone.
constexpr std::chrono::hours kNewHistoryTold{24 * 7};
// An entry runs at least daily.
constexpr std::chrono::hours kJoblessRunTold{26};

// A schedule as it is judged, and the folder that it is of.
struct NamedSchedule {
  StatusInput::Schedule schedule;  // without a source, where it is of a folder
  std::optional<BackupJob> folder;
};

NamedSchedule schedule_of(const BackupJob& job, const Env& env) {
  NamedSchedule named;
  StatusInput::Schedule& schedule = named.schedule;
  schedule.name = job.name;
  if (job.is_of_folder()) {
    named.folder = job;
  } else {
    schedule.source = recorded_source(job.snapshot.source, env.files);
  }
  schedule.destination = job.snapshot.destination;
  schedule.since = job.scheduled_since;
  schedule.times = due_times(job);
  if (job.every_hours > 0) {
    schedule.interval = longest_gap(schedule.times);
    schedule.last_due = due_period(env.clock, schedule.times, env.clock.now() - kStatusGrace).begin;
  }
  if (const auto& offsite = job.offsite) {
    schedule.offsite = {job.name, text_of(offsite->remote), offsite->encrypted,
                        offsite->off_machine, sheet_written_at(offsite->remote, env).has_value()};
  }
  return named;
}

// What was noted of each database's copies elsewhere.
void add_offsite_notes(StatusInput& input, const Env& env) {
  for (StatusInput::Schedule& schedule : input.schedules) {
    if (!schedule.offsite) continue;
    const auto remote = parse_remote(schedule.offsite->remote);
    if (remote) schedule.offsite->note = read_offsite_note(*remote, text_of(schedule.source), env);
  }
}

// Of a list that cannot be read the search for databases has told.
std::vector<fs::path> ignored_places(const Env& env) {
  return read_ignored(env.places, env.files).value_or(std::vector<fs::path>{});
}

// By its runs a database that a search did not come to is known, too.
std::set<fs::path> sources_of(const BackupJob& job, const StatusInput& input,
                              const std::vector<fs::path>& ignored, const FileSystem& files) {
  std::set<fs::path> sources;
  std::set<std::string> looked_at;
  for (const RunRecord& run : input.runs) {
    if (run.kind != kSnapshotRun || run.schedule != job.name || !run.ok) continue;
    if (!looked_at.insert(run.source).second) continue;
    const auto info = files.info(path_of(run.source));
    if (!info && info.error().code == ErrorCode::not_found) continue;
    sources.insert(path_of(run.source));
  }
  const fs::path folder = files.canonical(job.folder).value_or(job.folder);
  for (const auto& database : input.databases) {
    if (is_inside(database.path, folder)) sources.insert(database.path);
  }
  std::erase_if(sources, [&](const fs::path& source) { return is_ignored(source, ignored); });
  return sources;
}

// From when a run of it is owed: a database that no run has seen was made after the last one.
Instant begin_of(const StatusInput::Schedule& schedule, const fs::path& source,
                 const StatusInput& input) {
  const std::string path = text_of(source);
  std::optional<Instant> last_round;
  for (const RunRecord& run : input.runs) {
    if (run.schedule != schedule.name) continue;
    if (run.kind == kSnapshotRun && run.source == path) return schedule.since;
    if (run.kind == kFolderRun && !last_round) last_round = run.started_at;
  }
  return std::max(schedule.since, last_round.value_or(schedule.since));
}

// A folder's schedule is one for each of its databases. Below a folder that is searched, what was
// made since the last run is found.
void spread(const std::vector<NamedSchedule>& schedules, FactDepth depth, StatusInput& input,
            std::vector<std::string>& warnings, const Env& env, const std::stop_token& stop) {
  const auto ignored = ignored_places(env);
  for (const NamedSchedule& named : schedules) {
    if (!named.folder) {
      input.schedules.push_back(named.schedule);
      continue;
    }
    auto sources = sources_of(*named.folder, input, ignored, env.files);
    if (depth == FactDepth::whole) {
      const auto members = members_of(*named.folder, kStatusSearch, env, stop);
      if (members) {
        for (const auto& member : members->snapshots) sources.insert(member.source);
        warnings.insert(warnings.end(), members->warnings.begin(), members->warnings.end());
      }
    }
    for (const fs::path& source : sources) {
      input.schedules.push_back(named.schedule);
      input.schedules.back().source = source;
      input.schedules.back().since = begin_of(named.schedule, source, input);
    }
    if (!sources.empty()) continue;
    input.unusable.push_back(
        {named.schedule.name, "It finds no database below " + text_of(named.folder->folder) + "."});
  }
}

std::vector<NamedSchedule> listed_schedules(StatusInput& input, std::vector<std::string>& warnings,
                                            const Env& env, std::stop_token stop) {
  std::vector<NamedSchedule> schedules;
  auto list = list_schedules(env, stop);
  std::move(list.warnings.begin(), list.warnings.end(), std::back_inserter(warnings));
  for (auto& status : list.schedules) {
    if (!status.job) {
      for (auto& problem : status.problems) {
        input.unusable.push_back({status.name, std::move(problem.text)});
      }
      continue;
    }
    auto named = schedule_of(*status.job, env);
    StatusInput::Schedule& schedule = named.schedule;
    schedule.next_run = status.next_run;
    schedule.broken = status.broken;
    for (auto& problem : status.problems) {
      // The others judge_status words for itself.
      if (problem.kind == ProblemKind::other) schedule.problems.push_back(std::move(problem.text));
    }
    schedules.push_back(std::move(named));
  }
  return schedules;
}

void add_runs(std::size_t limit, StatusInput& input, std::vector<std::string>& warnings,
              const Env& env) {
  RunFilter filter;
  filter.limit = limit;
  auto runs = list_runs(filter, env);
  if (runs) {
    input.runs = std::move(*runs);
  } else {
    warnings.push_back("The history of runs cannot be read: " + runs.error().message + " " +
                       runs.error().hint);
  }
  if (auto anew = history_begun_anew(input.now - kNewHistoryTold, env)) {
    warnings.push_back(std::move(*anew));
  }
}

// Not those of other machines, which share the destination and have a database of the same path.
// What the history of this user names is ours by whatever name.
void keep_ours(StatusInput& input, const Env& env) {
  const std::string machine = known_machine_id(env);
  std::set<std::string> by_us;
  for (const auto& run : input.runs) {
    if (run.kind == kSnapshotRun && run.ok) by_us.insert(run.snapshot);
  }
  const auto is_others = [&](const Snapshot& snapshot) {
    return snapshot.manifest &&
           whose_is(*snapshot.manifest, env.places.host, machine) == Whose::others &&
           !by_us.contains(text_of(snapshot.path));
  };
  std::erase_if(input.snapshots, is_others);
  std::erase_if(input.set_aside, is_others);
}

struct Listing {
  ListPage page;
  Medium medium;
  std::optional<std::uint64_t> free_bytes;
};

// Nothing where it does not answer in time.
std::optional<Expected<Listing>> list_patiently(const fs::path& destination, FileSystem& files,
                                                const std::stop_token& stop) {
  const std::string place = text_of(destination);
  const auto there =
      within(kPatience, place, stop, [&files, destination] { return files.info(destination); });
  if (!there) return std::nullopt;
  return within(kListPatience, place, stop, [&files, destination]() -> Expected<Listing> {
    BPD_TRY_AS(real, files.canonical(destination));
    BPD_TRY_AS(page, list_snapshots(*real, {}, kMaxSnapshots, "", files.no_links()));
    Medium medium = Media(files).of(*real);
    if (!cloud_service_of(*real / "file").empty()) medium.off_machine = true;
    std::optional<std::uint64_t> free_bytes;
    const auto free = files.free_bytes(*real);
    if (free && *free != std::numeric_limits<std::uint64_t>::max()) free_bytes = *free;
    return Listing{std::move(*page), std::move(medium), free_bytes};
  });
}

// Those that do not answer go to `silent`.
void add_snapshots(StatusInput& input, std::set<std::string>& silent,
                   std::vector<std::string>& warnings, const Env& env,
                   const std::stop_token& stop) {
  std::set<fs::path> destinations;
  for (const auto& schedule : input.schedules) destinations.insert(schedule.destination);
  for (const auto& run : input.runs) {
    if (run.kind == kSnapshotRun && !run.destination.empty())
      destinations.insert(path_of(run.destination));
  }
  for (const auto& destination : destinations) {
    // One that is gone is told by its schedule; without a schedule nobody waits for it.
    auto listed = list_patiently(destination, env.files, stop);
    if (!listed) {
      silent.insert(text_of(destination));
      warnings.push_back("The destination " + text_of(destination) + std::string(kSilentProblem) +
                         " What is known of its snapshots is what the history says.");
    }
    if (listed && !*listed) input.unlisted.insert(destination);
    if (!listed || !*listed) continue;
    ListPage& page = (*listed)->page;
    for (Snapshot& snapshot : page.snapshots) {
      snapshot.series += input.series.size();
      // No success, and no way back.
      auto& list = is_damaged_copy(snapshot) ? input.set_aside : input.snapshots;
      list.push_back(std::move(snapshot));
    }
    std::move(page.warnings.begin(), page.warnings.end(), std::back_inserter(warnings));
    for (const SeriesTotal& total : page.series) {
      input.series.push_back({total, (*listed)->medium, destination, (*listed)->free_bytes});
    }
  }
}

// Whether the snapshots of the newest good runs are where they were put.
void find_lost_runs(StatusInput& input, const std::set<std::string>& silent, const Env& env) {
  std::set<std::pair<std::string, std::string>> looked_at;
  for (const auto& run : input.runs) {
    if (run.kind != kSnapshotRun || !run.ok || run.snapshot.empty()) continue;
    if (!looked_at.emplace(run.source, run.destination).second) continue;
    if (silent.contains(run.destination)) continue;
    if (!env.files.info(path_of(run.destination)))
      continue;  // a disk that is away: its schedule tells
    const auto info = env.files.info(path_of(run.snapshot));
    if (!info && info.error().code == ErrorCode::not_found) input.lost_runs.insert(run.id);
  }
}

// A scheduled run that found no job is recorded without a source. It tells of an entry that goes on
// without one, for as long as it is fresh: a removed schedule leaves its last run behind, too.
void find_jobless_runs(StatusInput& input) {
  std::set<std::string> seen;
  for (const auto& schedule : input.schedules) seen.insert(schedule.name);
  for (const auto& job : input.unusable) seen.insert(job.name);
  for (const auto& run : input.runs) {
    if (run.kind != kSnapshotRun || run.schedule.empty()) continue;
    if (!seen.insert(run.schedule).second || run.ok || !run.source.empty()) continue;
    if (input.now - run.started_at > kJoblessRunTold) continue;
    input.unusable.push_back({run.schedule, "Its last run failed: " + run.error + " Run " +
                                                say(Action::install_schedule) +
                                                " with this name and its source, or " +
                                                say(Action::remove_schedule) + "."});
  }
}

// A scheduled run that ended well has verified its snapshot, unless its job says otherwise.
void take_runs_for_snapshots(const std::vector<BackupJob>& jobs, StatusInput& input,
                             const std::set<std::string>* destinations = nullptr) {
  std::map<std::string, VerifyLevel> levels;
  for (const auto& job : jobs) levels[job.name] = job.snapshot.verify;
  for (const auto& run : input.runs) {
    if (run.kind != kSnapshotRun || !run.ok) continue;
    if (destinations != nullptr && !destinations->contains(run.destination)) continue;
    const auto level = levels.find(run.schedule);
    Manifest manifest;
    manifest.source = run.source;
    manifest.taken_at = run.finished_at;
    manifest.verified = level == levels.end() ? VerifyLevel::quick : level->second;
    if (manifest.verified != VerifyLevel::none) manifest.verified_at = run.finished_at;
    Snapshot snapshot;
    snapshot.path = path_of(run.snapshot);
    snapshot.manifest = std::move(manifest);
    input.snapshots.push_back(std::move(snapshot));
  }
}

bool is_gone(const fs::path& path, const FileSystem& files) {
  const auto info = files.info(path);
  return !info && info.error().code == ErrorCode::not_found;
}

// One that may not be looked at counts as there.
StatusInput::Presence presence_of(const fs::path& path, const FileSystem& files) {
  using Presence = StatusInput::Presence;
  const auto info = files.info(path);
  if (info && info->kind == FileInfo::Kind::file) {
    return info->bytes > 0 ? Presence::there : Presence::empty;
  }
  if (!info && info.error().code != ErrorCode::not_found) return Presence::there;
  return is_gone(path.parent_path(), files) ? Presence::gone_with_folder : Presence::gone;
}

// A whole project is removed on purpose, as a rule, and so is a schedule.
bool was_meant(const RunRecord& run, const StatusInput& input, const FileSystem& files) {
  const fs::path project = path_of(run.source).parent_path().parent_path();
  if (is_gone(project, files)) return true;
  return !run.schedule.empty() &&
         std::none_of(input.schedules.begin(), input.schedules.end(),
                      [&](const auto& schedule) { return schedule.name == run.schedule; });
}

void add_scheduled_databases(StatusInput& input, std::set<std::string>& known, const Env& env) {
  for (const auto& schedule : input.schedules) {
    if (!known.insert(text_of(schedule.source)).second) continue;
    input.databases.push_back({schedule.source, {}, presence_of(schedule.source, env.files)});
  }
}

// Databases that are known by good runs alone: those that are lost and, with FactDepth::whole,
// those that were backed up by hand, or by a schedule that has been removed.
void add_remembered_databases(FactDepth depth, StatusInput& input, std::set<std::string>& known,
                              const Env& env) {
  const auto told = depth == FactDepth::quick ? kLossToldToSessions : kLossTold;
  const auto ignored = ignored_places(env);
  std::size_t looked_at = 0;
  for (const auto& run : input.runs) {
    if (run.kind != kSnapshotRun || !run.ok || input.now - run.finished_at > told) continue;
    if (!known.insert(run.source).second) continue;
    if (++looked_at > kMaxSourcesLookedAt) return;
    const fs::path source = path_of(run.source);
    const auto presence = presence_of(source, env.files);
    const bool is_ignored_one = is_ignored(source, ignored);
    const bool is_lost = presence != StatusInput::Presence::there;
    if (is_lost && is_ignored_one) continue;
    if (depth == FactDepth::quick && (!is_lost || was_meant(run, input, env.files))) continue;
    input.databases.push_back({source, {}, presence, is_ignored_one});
  }
}

}  // namespace

void gather_backups(FactDepth depth, StatusInput& input, std::vector<std::string>& warnings,
                    const Env& env, std::stop_token stop) {
  input.now = env.clock.now();
  if (depth == FactDepth::whole) {
    const auto schedules = listed_schedules(input, warnings, env, stop);
    add_runs(kRunsOfStatus, input, warnings, env);
    spread(schedules, depth, input, warnings, env, stop);
    std::set<std::string> silent;
    add_snapshots(input, silent, warnings, env, stop);
    keep_ours(input, env);
    find_lost_runs(input, silent, env);
    std::vector<UnusableJob> told;  // by listed_schedules already
    if (!silent.empty()) {
      take_runs_for_snapshots(list_jobs(env.places, env.files, told), input, &silent);
    }
  } else {
    const auto jobs = list_jobs(env.places, env.files, input.unusable);
    std::vector<NamedSchedule> schedules;
    schedules.reserve(jobs.size());
    for (const auto& job : jobs) schedules.push_back(schedule_of(job, env));
    add_runs(kMaxRunsQuick, input, warnings, env);
    spread(schedules, depth, input, warnings, env, stop);
    find_jobless_runs(input);
    take_runs_for_snapshots(jobs, input);
  }
  add_offsite_notes(input, env);
  for (const auto& job : input.unusable) warnings.push_back(to_text(job));
  std::set<std::string> known;
  for (const auto& database : input.databases) known.insert(text_of(database.path));
  add_scheduled_databases(input, known, env);
  add_remembered_databases(depth, input, known, env);
  if (depth == FactDepth::quick) return;
  Media media(env.files);
  for (auto& database : input.databases) database.medium = media.of(database.path);
}

Expected<BackupReport> report_status(FactDepth depth, const Env& env, std::stop_token stop) {
  DiscoverRequest request;
  request.read_contents = false;
  request.programs = depth == FactDepth::whole;
  if (depth == FactDepth::quick) {
    request.skim = true;
    request.timeout = kQuickSearch;
  }
  BPD_TRY_AS(found, discover_databases(request, env, stop));
  BackupReport report;
  report.warnings = std::move(found->warnings);
  StatusInput input;
  for (auto& database : found->databases) {
    if (database.kind == DatabaseKind::program) continue;  // nobody asked for it so far
    input.databases.push_back({std::move(database.path), std::move(database.warnings),
                               StatusInput::Presence::there, database.ignored});
  }
  gather_backups(depth, input, report.warnings, env, stop);
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "The status was cancelled.");
  report.status = judge_status(input);
  if (depth == FactDepth::whole) {
    find_missed_days(input, env.clock, report.status);
    report.kept = kept_files(input, env);
  }
  for (auto& database : found->databases) {
    const bool known =
        std::any_of(report.status.databases.begin(), report.status.databases.end(),
                    [&](const DatabaseStatus& status) { return status.source == database.path; });
    if (known || database.ignored || database.kind != DatabaseKind::program) continue;
    report.also_found.push_back({std::move(database.program), std::move(database.path)});
  }
  return report;
}

}  // namespace core
