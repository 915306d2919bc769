#include "core/status.h"

#include <algorithm>
#include <set>

#include "core/manifest.h"

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

// Judges one database; the parts are in the order in which a person would ask.
class Judge {
 public:
  Judge(const StatusInput& input, const fs::path& source)
      : input_(input), recorded_(manifest_text(source.string())) {
    status_.source = source;
  }

  DatabaseStatus judge(const std::vector<std::string>* place_warnings) {
    look_at_snapshots();
    look_at_schedules();
    look_at_runs();
    look_at_freshness();
    look_at_verification();
    if (place_warnings == nullptr) {
      note(BackupState::attention,
           "The database is not where the schedule looks for it. If it moved, install the schedule "
           "again; if it is gone for good, remove the schedule; its snapshots stay.");
    } else {
      for (const std::string& warning : *place_warnings) note(BackupState::attention, warning);
    }
    return std::move(status_);
  }

 private:
  void note(BackupState state, std::string problem) {
    raise(status_.state, state);
    status_.problems.push_back(std::move(problem));
  }

  // A time that has not come yet says nothing.
  bool counts(Instant instant) const { return instant <= input_.now; }

  void look_at_snapshots() {
    for (const Snapshot& snapshot : input_.snapshots) {
      if (!snapshot.manifest || snapshot.manifest->source != recorded_) continue;
      const Manifest& manifest = *snapshot.manifest;
      if (counts(manifest.taken_at)) {
        status_.last_success = later(status_.last_success, manifest.taken_at);
      }
      if (snapshot.verified() && manifest.verified_at && counts(*manifest.verified_at)) {
        status_.last_verified = later(status_.last_verified, manifest.verified_at);
      }
    }
  }

  void look_at_schedules() {
    for (const StatusInput::Schedule& schedule : input_.schedules) {
      if (schedule.source != status_.source) continue;
      if (!status_.covered) {
        status_.covered = true;
        status_.schedule = schedule.name;
        status_.destination = schedule.destination;
        schedule_ = &schedule;
      }
      if (schedule.next_run && (!status_.next_run || *schedule.next_run < *status_.next_run)) {
        status_.next_run = schedule.next_run;
      }
      const BackupState state = schedule.broken ? BackupState::failing : BackupState::attention;
      for (const std::string& problem : schedule.problems) note(state, problem);
      if (schedule.broken && schedule.problems.empty()) {
        note(state, "The schedule " + schedule.name + " cannot run; install it again.");
      }
    }
    if (status_.covered) return;
    note(BackupState::attention,
         status_.last_success
             ? "No schedule backs it up; its last snapshot is " +
                   describe(input_.now - *status_.last_success) + " old. Install a schedule."
             : "Nothing backs it up: no schedule and no snapshot. Install a schedule.");
  }

  // The latest snapshot run decides: an earlier failure was made good since.
  void look_at_runs() {
    bool latest = true;
    const RunRecord* restored = nullptr;  // since the latest snapshot run
    for (const RunRecord& run : input_.runs) {
      if (manifest_text(run.source) != recorded_) continue;
      if (run.kind == "verify" && run.ok && counts(run.finished_at)) {
        status_.last_verified = later(status_.last_verified, run.finished_at);
      }
      if (run.kind == "restore" && run.ok && latest && restored == nullptr) restored = &run;
      if (run.kind != "snapshot") continue;
      if (latest && !run.ok) {
        status_.last_error = run.error.empty() ? run.error_code : run.error;
        note(BackupState::failing, "The last run failed: " + status_.last_error);
      } else if (latest && run.warnings.find(kShrinkWarning) != std::string::npos) {
        note(BackupState::attention, "The last run warned: " + run.warnings);
        if (restored != nullptr) {
          note(BackupState::attention, "Since then it was restored, at " +
                                           format_instant(restored->finished_at) + " from " +
                                           restored->snapshot +
                                           ". The next snapshot of it settles the warning.");
        }
      }
      if (run.ok && counts(run.finished_at)) {
        status_.last_success = later(status_.last_success, run.finished_at);
      }
      latest = false;
    }
  }

  void look_at_freshness() {
    if (schedule_ == nullptr) return;
    const Instant from = std::max(status_.last_success.value_or(Instant::min()),
                                  std::min(schedule_->since, input_.now));
    const Instant due = from + schedule_->interval;
    if (input_.now <= due + kStatusGrace) return;
    status_.overdue = duration_cast<seconds>(input_.now - due);
    const bool twice = *status_.overdue > schedule_->interval + seconds{kStatusGrace};
    note(twice ? BackupState::failing : BackupState::attention,
         "A snapshot is overdue by " + describe(*status_.overdue) +
             ". Take one now, and look why the schedule did not run.");
  }

  void look_at_verification() {
    if (!status_.last_success) return;
    if (!status_.last_verified) {
      note(BackupState::attention, "No snapshot of it has passed a check yet. Verify the latest.");
      return;
    }
    const auto age = input_.now - *status_.last_verified;
    if (age > kMaxVerifiedAge && !status_.overdue) {
      note(BackupState::attention,
           "The last check is " + describe(age) + " old. Verify the latest snapshot.");
    }
  }

  const StatusInput& input_;
  const std::string recorded_;  // the source as manifests and runs have it
  const StatusInput::Schedule* schedule_ = nullptr;
  DatabaseStatus status_;
};

std::string summarize(const StatusReport& report) {
  std::size_t attention = 0, failing = 0;
  for (const DatabaseStatus& status : report.databases) {
    attention += status.state == BackupState::attention ? 1U : 0U;
    failing += status.state == BackupState::failing ? 1U : 0U;
  }
  const std::size_t total = report.databases.size();
  if (total == 0) return "No database was found and no schedule is installed.";
  const std::string all = std::to_string(total) + (total == 1 ? " database" : " databases");
  if (failing == 0 && attention == 0) {
    return all + (total == 1 ? " is" : " are") + " backed up and verified.";
  }
  std::string text = all + ": ";
  if (failing > 0) text += std::to_string(failing) + " failing";
  if (attention > 0) {
    text += (failing > 0 ? ", " : "") + std::to_string(attention) + " in need of attention";
  }
  return text + ". First: " + report.databases.front().source.string() + ": " +
         report.databases.front().problems.front();
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
  StatusReport report;
  std::set<fs::path> judged;
  for (const StatusInput::Database& database : input.databases) {
    if (!judged.insert(database.path).second) continue;
    report.databases.push_back(Judge(input, database.path).judge(&database.warnings));
  }
  for (const StatusInput::Schedule& schedule : input.schedules) {
    if (!judged.insert(schedule.source).second) continue;
    report.databases.push_back(Judge(input, schedule.source).judge(nullptr));
  }
  std::sort(report.databases.begin(), report.databases.end(),
            [](const DatabaseStatus& a, const DatabaseStatus& b) {
              return a.state != b.state ? a.state > b.state : a.source < b.source;
            });
  report.state = report.databases.empty() ? BackupState::attention : report.databases.front().state;
  report.summary = summarize(report);
  return report;
}

}  // namespace core
