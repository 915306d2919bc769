#include "core/status/status.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/manifest.h"

namespace core {
namespace {

using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// "3 days", "5 hours", "20 minutes": what a person needs to judge.
std::string describe(Instant::duration span) {
  if (span >= hours{48}) return std::to_string(span / hours{24}) + " days";
  if (span >= hours{2}) return std::to_string(span / hours{1}) + " hours";
  return std::to_string(std::max<std::int64_t>(span / minutes{1}, 0)) + " minutes";
}

void raise(BackupState& state, BackupState to) {
  state = std::max(state, to);
}

std::optional<Instant> later(std::optional<Instant> a, std::optional<Instant> b) {
  if (!a || !b) return a ? a : b;
  return std::max(*a, *b);
}

// What there is of each database, by its path as manifests and runs have it; runs newest first.
struct Records {
  explicit Records(const StatusInput& input);

  std::map<std::string, std::vector<const RunRecord*>> runs;
  std::map<std::string, std::vector<const Snapshot*>> snapshots;
  std::map<fs::path::string_type, std::vector<const StatusInput::Schedule*>> schedules;
};

Records::Records(const StatusInput& input) {
  for (const RunRecord& run : input.runs) runs[manifest_text(run.source)].push_back(&run);
  for (const Snapshot& snapshot : input.snapshots) {
    if (snapshot.manifest) snapshots[snapshot.manifest->source].push_back(&snapshot);
  }
  for (const StatusInput::Schedule& schedule : input.schedules) {
    schedules[schedule.source.native()].push_back(&schedule);
  }
}

// Judges one database; the parts are in the order in which a person would ask.
class Judge {
 public:
  Judge(const StatusInput& input, const Records& records, const StatusInput::Database& database)
      : input_(input), database_(database) {
    const std::string recorded = manifest_text(text_of(database.path));
    if (const auto it = records.runs.find(recorded); it != records.runs.end()) runs_ = it->second;
    if (const auto found = records.schedules.find(database.path.native());
        found != records.schedules.end()) {
      schedules_ = found->second;
    }
    const auto it = records.snapshots.find(recorded);
    if (it != records.snapshots.end()) snapshots_ = it->second;
    status_.source = database.path;
    status_.missing = database.presence != Presence::there;
    status_.totals = totals_of(database.medium, snapshots_, input.series);
  }

  // Nothing for what is missing and nobody's.
  std::optional<DatabaseStatus> judge() {
    look_at_snapshots();
    look_at_schedules();
    look_at_runs();
    look_at_destination();
    status_.ignored = database_.ignored && schedules_.empty();
    if (status_.ignored) return status_;
    if (status_.missing) look_for_way_back();
    if (status_.missing && !status_.covered && snapshots_.empty() && !way_back_) return {};
    look_at_coverage();
    look_at_failures();
    look_for_shrinking();
    look_for_damage();
    for (const auto* schedule : schedules_) look_at_freshness_of(*schedule);
    look_at_offsite();
    if (!status_.missing) look_at_verification();
    for (const std::string& warning : database_.warnings) note(Concern::upkeep, warning);
    std::stable_sort(problems_.begin(), problems_.end(),
                     [](const Problem& a, const Problem& b) { return a.concern > b.concern; });
    if (!problems_.empty()) status_.concern = problems_.front().concern;
    for (Problem& problem : problems_) status_.problems.push_back(std::move(problem.text));
    return std::move(status_);
  }

 private:
  using Presence = StatusInput::Presence;
  struct Problem {
    Concern concern;
    std::string text;
  };
  struct WayBack {
    fs::path snapshot;
    Instant taken;
  };

  void note(Concern concern, std::string problem, BackupState state = BackupState::attention) {
    raise(status_.state, state);
    problems_.push_back({concern, std::move(problem)});
  }

  // A time that has not come yet says nothing.
  bool counts(Instant instant) const { return instant <= input_.now; }

  void look_at_snapshots() {
    for (const Snapshot* snapshot : snapshots_) {
      const Manifest& manifest = *snapshot->manifest;
      if (counts(manifest.taken_at)) {
        status_.last_success = later(status_.last_success, manifest.taken_at);
      }
      if (!snapshot->verified()) continue;
      const auto full = full_check_of(manifest);
      if (full && counts(*full)) {
        status_.last_full_check = later(status_.last_full_check, full);
      }
      if (manifest.verified_at && counts(*manifest.verified_at)) {
        status_.last_verified = later(status_.last_verified, manifest.verified_at);
        if (counts(manifest.taken_at)) {
          status_.verified_taken = later(status_.verified_taken, manifest.taken_at);
        }
      }
    }
  }

  void look_at_schedules() {
    for (const StatusInput::Schedule* one : schedules_) {
      const StatusInput::Schedule& schedule = *one;
      if (schedule.next_run && (!status_.next_run || *schedule.next_run < *status_.next_run)) {
        status_.next_run = schedule.next_run;
      }
      const BackupState state = schedule.broken ? BackupState::failing : BackupState::attention;
      const Concern concern = schedule.broken ? Concern::failing : Concern::upkeep;
      for (const std::string& problem : schedule.problems) {
        note(concern, "Schedule " + schedule.name + ": " + problem, state);
      }
      if (schedule.broken && schedule.problems.empty()) {
        note(concern, "The schedule " + schedule.name + " cannot run; install it again.", state);
      }
    }
    if (schedules_.empty()) return;
    status_.covered = true;
    status_.schedule = schedules_.front()->name;
    status_.destination = schedules_.front()->destination;
  }

  void look_at_runs() {
    for (const RunRecord* run : runs_) {
      if (run->kind == "drill") look_at_drill(*run);
      if (!run->ok || !counts(run->finished_at)) continue;
      if (run->kind == "verify") {
        status_.last_verified = later(status_.last_verified, run->finished_at);
      }
      if (run->kind != kSnapshotRun) continue;
      if (input_.lost_runs.contains(run->id)) lost_.push_back(run);
      if (!is_lost(*run)) status_.last_success = later(status_.last_success, run->finished_at);
    }
  }

  // Without a schedule, where the newest snapshot lies; of what was not listed the history tells.
  void look_at_destination() {
    if (status_.destination.empty()) {
      const Snapshot* newest = nullptr;
      for (const Snapshot* snapshot : snapshots_) {
        if (snapshot->series >= input_.series.size()) continue;
        if (newest == nullptr || newest->taken_at() < snapshot->taken_at()) newest = snapshot;
      }
      if (newest != nullptr) status_.destination = input_.series[newest->series].destination;
    }
    for (const RunRecord* run : runs_) {
      if (!status_.destination.empty()) break;
      const bool good = run->kind == kSnapshotRun && run->ok && !is_lost(*run);
      if (good) status_.destination = path_of(run->destination);
    }
    for (const ListedSeries& listed : input_.series) {
      if (listed.destination == status_.destination) status_.free_bytes = listed.free_bytes;
    }
  }

  // Runs come newest first: a failure is told until a drill goes well.
  void look_at_drill(const RunRecord& run) {
    if (run.ok && counts(run.finished_at)) {
      status_.last_drill = later(status_.last_drill, run.finished_at);
    }
    if (run.ok || status_.last_drill || drill_failed_) return;
    drill_failed_ = true;
    const bool damaged = run.error_code == to_string(ErrorCode::damaged);
    note(damaged ? Concern::damage : Concern::upkeep, "Its last drill failed: " + run.error);
  }

  // The last word of history on a snapshot.
  bool is_damaged(const fs::path& snapshot) const {
    for (const RunRecord* run : runs_) {
      if (run->snapshot != text_of(snapshot)) continue;
      if (run->ok && (run->kind == "verify" || run->kind == kSnapshotRun)) return false;
      if (run->kind == "verify" && run->error_code == to_string(ErrorCode::damaged)) return true;
    }
    return false;
  }

  // The newest snapshot that nothing speaks against: a restore checks it in full before it writes.
  // A run's word is for what was not listed, as on a disk that is away.
  void find_way_back() {
    std::vector<WayBack> found;
    for (const Snapshot* snapshot : snapshots_) {
      const Manifest& manifest = *snapshot->manifest;
      const bool good = snapshot->verified() || manifest.verified == VerifyLevel::none;
      if (good && counts(manifest.taken_at)) found.push_back({snapshot->path, manifest.taken_at});
    }
    if (found.empty()) {
      for (const RunRecord* run : runs_) {
        const bool good = run->kind == kSnapshotRun && run->ok && counts(run->finished_at);
        if (good && !is_lost(*run)) found.push_back({path_of(run->snapshot), run->finished_at});
      }
    }
    std::erase_if(found, [&](const WayBack& one) { return is_damaged(one.snapshot); });
    std::stable_sort(found.begin(), found.end(),
                     [](const WayBack& a, const WayBack& b) { return a.taken > b.taken; });
    // From the alarm on snapshots hold what was left.
    const RunRecord* alarm = standing_alarm();
    const auto before = std::find_if(found.begin(), found.end(), [&](const WayBack& one) {
      return alarm == nullptr || one.taken < alarm->started_at;
    });
    if (before != found.end()) {
      way_back_ = std::move(*before);
    } else if (!found.empty()) {
      way_back_ = std::move(found.front());
    }
  }

  // The newest run that warned of a loss and was not answered by a restore.
  const RunRecord* standing_alarm() const {
    for (const RunRecord* run : runs_) {
      if (run->kind == "restore" && run->ok) return nullptr;
      if (run->kind == kSnapshotRun && run->ok && warns_of(run->warnings, WarningKind::shrunk)) {
        return run;
      }
    }
    return nullptr;
  }

  void look_for_way_back() {
    find_way_back();
    const bool empty = database_.presence == Presence::empty;
    std::string text = empty ? "It is empty (0 bytes)." : "It is gone.";
    if (way_back_) {
      const bool folder_gone = database_.presence == Presence::gone_with_folder;
      text +=
          " Its last good snapshot is of " + format_instant(way_back_->taken) +
          (empty ? ". If its content was lost, " : ". If it was lost, ") +
          (folder_gone ? "make " + text_of(database_.path.parent_path()) + " again and " : "") +
          "bring it back: " +
          say(Action::restore, {{"snapshot", text_of(way_back_->snapshot)}, {"in_place", true}}) +
          ".";
    } else {
      text += " No good snapshot of it is known.";
    }
    if (!status_.covered) {
      text += " If that was meant, there is nothing to do: the status forgets it " +
              describe(kLossTold) + " after its last snapshot, and at once with " +
              say(Action::ignore, {{"path", text_of(database_.path)}}) + ".";
    } else if (!empty) {
      text +=
          " If it moved, install the schedule again; if it is gone for good, remove the schedule; "
          "its snapshots stay.";
    }
    // One that was never written to is told by its runs.
    if (!empty || way_back_ || !snapshots_.empty()) note(Concern::loss, std::move(text));
  }

  void look_at_coverage() {
    if (schedules_.empty() && !status_.missing) {
      note(Concern::uncovered,
           status_.last_success
               ? "No schedule backs it up; its last snapshot is " +
                     describe(input_.now - *status_.last_success) +
                     " old. Install a schedule, or ignore it."
               : "Nothing backs it up: no schedule and no snapshot. Install a schedule.");
    }
    for (const RunRecord* run : lost_) {
      note(Concern::damage, "Its last snapshot, " + run->snapshot + ", is gone." + take_another(),
           status_.last_success ? BackupState::attention : BackupState::failing);
    }
  }

  std::string take_another() const { return status_.missing ? "" : " Take a new one."; }

  // Where the newest snapshot has gone, older runs prove nothing either.
  bool is_lost(const RunRecord& run) const {
    return std::any_of(lost_.begin(), lost_.end(),
                       [&](const RunRecord* lost) { return lost->destination == run.destination; });
  }

  // A run by hand to a schedule's destination stands for one of its own.
  static bool is_of(const RunRecord& run, const StatusInput::Schedule& schedule) {
    return run.schedule == schedule.name ||
           (run.schedule.empty() && run.destination == text_of(schedule.destination));
  }

  // The latest run of each schedule decides: an earlier failure was made good since. Another
  // schedule's success makes nothing good.
  void look_at_failures() {
    const auto judge_latest = [&](BackupState state, const std::string& whose, const auto& fits) {
      for (const RunRecord* run : runs_) {
        if (run->kind != kSnapshotRun || !fits(*run)) continue;
        if (run->ok) return;
        status_.last_error = run->error.empty() ? run->error_code : run->error;
        return note(Concern::failing, "The last run" + whose + " failed: " + status_.last_error,
                    state);
      }
    };
    for (const StatusInput::Schedule* schedule : schedules_) {
      judge_latest(BackupState::failing, schedules_.size() > 1 ? " of " + schedule->name : "",
                   [&](const RunRecord& run) { return is_of(run, *schedule); });
    }
    if (schedules_.empty() && !status_.missing) {
      judge_latest(BackupState::attention, "", [](const RunRecord&) { return true; });
    }
  }

  void look_for_shrinking() {
    const RunRecord* restored = nullptr;  // the latest restore
    bool latest = true, settled = false;  // settled: copied since it was restored
    for (const RunRecord* run : runs_) {
      if (run->kind == "restore" && run->ok && restored == nullptr) {
        restored = run;
        settled = !latest;
      }
      if (run->kind != kSnapshotRun || !run->ok) continue;
      const bool is_latest = std::exchange(latest, false);
      if (!warns_of(run->warnings, WarningKind::shrunk)) continue;
      const auto age = input_.now - run->finished_at;
      if (settled || (!is_latest && age > kShrinkTold)) return;
      tell_warnings(
          *run, is_latest ? "The last run warned: " : "A run " + describe(age) + " ago warned: ",
          restored == nullptr ? Concern::loss : Concern::upkeep);
      if (restored == nullptr) return;
      return note(Concern::upkeep, "Since then it was restored, at " +
                                       format_instant(restored->finished_at) + " from " +
                                       restored->snapshot +
                                       ". The next snapshot of it settles the warning.");
    }
  }

  // What else the run warned of is of less weight.
  void tell_warnings(const RunRecord& run, const std::string& who, Concern shrunken) {
    for (const Warning& warning : run.warnings) {
      const bool shrunk = warning.kind == WarningKind::shrunk;
      note(shrunk ? shrunken : Concern::upkeep, who + warning.text);
    }
  }

  // Told until another snapshot is there.
  void look_for_damage() {
    std::set<std::string> good;  // since the damage was found
    const RunRecord* damaged = nullptr;
    const RunRecord* newest = nullptr;
    for (const RunRecord* run : runs_) {
      if (run->kind == kSnapshotRun && run->ok) {
        newest = run;
        break;
      }
      if (run->kind != "verify") continue;
      if (run->ok) good.insert(run->snapshot);
      const bool is_damaged = run->error_code == to_string(ErrorCode::damaged);
      if (is_damaged && !good.contains(run->snapshot) && damaged == nullptr) damaged = run;
    }
    if (damaged == nullptr) return;
    const bool others = newest != nullptr && newest->snapshot != damaged->snapshot;
    note(Concern::damage,
         "A check found " + damaged->snapshot + " damaged. " + say(Action::verify) + " says how." +
             take_another(),
         others ? BackupState::attention : BackupState::failing);
  }

  // When the schedule last did its work. Where there is but one, any snapshot does.
  std::optional<Instant> success_of(const StatusInput::Schedule& schedule) const {
    if (schedules_.size() == 1) return status_.last_success;
    std::optional<Instant> success;
    for (const RunRecord* run : runs_) {
      const bool good = run->kind == kSnapshotRun && run->ok && counts(run->finished_at);
      if (good && is_of(*run, schedule) && !is_lost(*run))
        success = later(success, run->finished_at);
    }
    for (const Snapshot* snapshot : snapshots_) {
      const Instant taken = snapshot->manifest->taken_at;
      if (counts(taken) && is_inside(snapshot->path, schedule.destination)) {
        success = later(success, taken);
      }
    }
    return success;
  }

  void look_at_freshness_of(const StatusInput::Schedule& schedule) {
    const std::string whose = schedules_.size() > 1 ? " by " + schedule.name : "";
    const auto success = success_of(schedule);
    const Instant from =
        std::max(success.value_or(Instant::min()), std::min(schedule.since, input_.now));
    Instant due = from + schedule.interval;
    bool late = input_.now > due + kStatusGrace;
    if (schedule.last_due) {
      late = from < *schedule.last_due;
      due = std::min(due, *schedule.last_due);
    }
    if (!late) {
      if (success || !lost_.empty()) return;
      return note(Concern::uncovered,
                  "There is no snapshot" + whose +
                      " yet. Run the schedule now: " + say(Action::run_schedule) + ".");
    }
    const auto overdue = duration_cast<seconds>(input_.now - due);
    status_.overdue = std::max(overdue, status_.overdue.value_or(overdue));
    const bool twice = overdue > schedule.interval + seconds{kStatusGrace};
    note(Concern::failing,
         "A snapshot" + whose + " is overdue by " + describe(overdue) +
             ". Take one now, and look why the schedule did not run.",
         twice ? BackupState::failing : BackupState::attention);
  }

  // A copy elsewhere survives what the snapshots here do not. Before there is any snapshot, that is
  // told, and no more.
  void look_at_offsite() {
    for (const StatusInput::Schedule* schedule : schedules_) {
      if (!schedule->offsite || !status_.last_success) continue;
      OffsiteStatus offsite = judge_offsite(*schedule->offsite, runs_, input_.now);
      if (offsite.last_copy && offsite.off_machine)
        status_.totals.survives = Survives::lost_machine;
      if (!offsite.problem.empty()) {
        note(offsite.failing ? Concern::failing : Concern::upkeep, offsite.problem,
             offsite.failing ? BackupState::failing : BackupState::attention);
      }
      if (!status_.offsite) status_.offsite = std::move(offsite);
    }
  }

  // Then whether the snapshots there passed a check, only their manifests know.
  bool has_unlisted() const {
    return std::any_of(runs_.begin(), runs_.end(), [&](const RunRecord* run) {
      return run->kind == kSnapshotRun && run->ok &&
             input_.unlisted.contains(path_of(run->destination));
    });
  }

  void look_at_verification() {
    if (!status_.last_success || has_unlisted()) return;
    if (!status_.last_verified) {
      note(Concern::upkeep, "No snapshot of it has passed a check yet. Verify the latest.");
      return;
    }
    const auto age = input_.now - *status_.last_verified;
    if (age > kMaxVerifiedAge && !status_.overdue) {
      note(Concern::upkeep,
           "The last check is " + describe(age) + " old. Verify the latest snapshot.");
    }
  }

  const StatusInput& input_;
  const StatusInput::Database& database_;
  // All of this database; runs newest first.
  std::vector<const RunRecord*> runs_;
  std::vector<const Snapshot*> snapshots_;
  std::vector<const StatusInput::Schedule*> schedules_;
  std::vector<const RunRecord*> lost_;  // whose snapshots are gone
  std::optional<WayBack> way_back_;     // of what is missing
  bool drill_failed_ = false;
  std::vector<Problem> problems_;
  DatabaseStatus status_;
};

std::string summarize(const StatusReport& report) {
  std::size_t attention = 0, failing = 0;
  std::size_t total = 0;
  for (const DatabaseStatus& status : report.databases) {
    total += status.ignored ? 0U : 1U;
    attention += status.state == BackupState::attention ? 1U : 0U;
    failing += status.state == BackupState::failing ? 1U : 0U;
  }
  if (total == 0 && !report.databases.empty()) return "All databases that were found are ignored.";
  if (total == 0) return "No database was found and no schedule is installed.";
  const auto first = [&] {
    const DatabaseStatus& worst = report.databases.front();
    return text_of(worst.source) + ": " + worst.problems.front();
  };
  const std::string all = std::to_string(total) + (total == 1 ? " database" : " databases");
  if (failing == 0 && attention == 0) {
    return all + (total == 1 ? " is" : " are") + " backed up and verified.";
  }
  if (total == 1) {
    return (failing > 0 ? "The backup is failing. " : "The backup needs attention. ") + first();
  }
  std::string text = all + ": ";
  if (failing > 0) text += std::to_string(failing) + " failing";
  if (attention > 0) {
    text += (failing > 0 ? ", " : "") + std::to_string(attention) + " in need of attention";
  }
  return text + ". First: " + first();
}

std::string describe_unusable(const std::vector<UnusableJob>& unusable) {
  const std::string first = to_text(unusable.front());
  if (unusable.size() == 1) return "A schedule cannot run. " + first;
  return std::to_string(unusable.size()) + " schedules cannot run. First: " + first;
}

}  // namespace

std::string_view to_string(BackupState state) {
  switch (state) {
    case BackupState::ok:
      return "ok";
    case BackupState::attention:
      return "attention";
    case BackupState::failing:
      return "failing";
  }
  return "failing";
}

StatusReport judge_status(const StatusInput& input) {
  std::vector<DatabaseStatus> databases;
  const Records records(input);
  std::set<fs::path> judged;
  const auto judge = [&](const StatusInput::Database& database) {
    if (!judged.insert(database.path).second) return;
    if (auto status = Judge(input, records, database).judge()) {
      databases.push_back(std::move(*status));
    }
  };
  for (const StatusInput::Database& database : input.databases) judge(database);
  for (const StatusInput::Schedule& schedule : input.schedules) {
    judge({schedule.source, {}, StatusInput::Presence::gone});
  }
  return report_of(std::move(databases), input.unusable);
}

StatusReport report_of(std::vector<DatabaseStatus> databases, std::vector<UnusableJob> unusable) {
  StatusReport report;
  report.databases = std::move(databases);
  report.unusable = std::move(unusable);
  std::sort(report.databases.begin(), report.databases.end(),
            [](const DatabaseStatus& a, const DatabaseStatus& b) {
              return std::tie(a.ignored, b.concern, b.state, a.source) <
                     std::tie(b.ignored, a.concern, a.state, b.source);
            });
  report.state = report.databases.empty() ? BackupState::attention : BackupState::ok;
  for (const DatabaseStatus& status : report.databases) raise(report.state, status.state);
  report.summary = summarize(report);
  if (!report.unusable.empty()) {
    if (report.state == BackupState::ok || report.databases.empty()) report.summary.clear();
    report.state = BackupState::failing;
    report.summary = describe_unusable(report.unusable) + " " + report.summary;
    if (report.summary.ends_with(' ')) report.summary.pop_back();
  }
  return report;
}

}  // namespace core
