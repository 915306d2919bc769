#include "core/schedule/run_folder.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/catalog/run_records.h"
#include "core/discovery/ignored.h"
#include "core/schedule/attempt.h"
#include "core/schedule/folder_members.h"
#include "core/schedule/success.h"

namespace core {
namespace {

// More than as many databases leave in a few days.
constexpr std::size_t kMaxFolderRunsLookedAt = 4'000;

std::vector<RunRecord> readable_runs(const BackupJob& job, const char* kind, const Env& env) {
  return runs_of(job, kind, kMaxFolderRunsLookedAt, env).value_or(std::vector<RunRecord>());
}

Warning gone_warning(const std::string& source) {
  return {source + " is gone. Its snapshots stay; if it is missed, restore the newest.",
          WarningKind::gone};
}

bool was_told(const std::vector<RunRecord>& folder_runs, const Warning& warning, Instant since) {
  return std::any_of(folder_runs.begin(), folder_runs.end(), [&](const RunRecord& run) {
    return run.started_at >= since &&
           std::find(run.warnings.begin(), run.warnings.end(), warning) != run.warnings.end();
  });
}

// What one run does, and what it has come to.
class Round {
 public:
  Round(const BackupJob& job, const FolderRunOptions& options, const Env& env,
        ProgressSink& progress, const std::stop_token& stop)
      : job_(job),
        options_(options),
        env_(env),
        progress_(progress),
        stop_(stop),
        deadline_(env.clock.steady_now() + kMaxFolderRun) {}

  FolderRun run() {
    auto members = members_of(job_, kRunSearch, env_, stop_);
    if (!members) {
      result_.error = members.error();
      return std::move(result_);
    }
    for (std::string& warning : members->warnings)
      result_.warnings.emplace_back(std::move(warning));
    const auto runs = readable_runs(job_, kSnapshotRun, env_);
    add_known(*members, runs);
    prepare(std::move(members->snapshots), runs);
    if (requests_.empty()) {
      result_.error = nothing_there();
      return std::move(result_);
    }
    attempt_all();
    judge();
    return std::move(result_);
  }

 private:
  // Databases of earlier runs that the search did not find: what is gone is told, and what it could
  // not look at, or did not come to, is tried all the same. What is passed over on purpose stays
  // so.
  void add_known(FolderMembers& members, const std::vector<RunRecord>& runs) {
    const auto folder_runs = readable_runs(job_, kFolderRun, env_);
    std::set<std::string> looked_at;
    for (const SnapshotRequest& request : members.snapshots)
      looked_at.insert(text_of(request.source));
    for (const RunRecord& run : runs) {
      if (!run.ok || !looked_at.insert(run.source).second) continue;
      const fs::path source = path_of(run.source);
      const auto info = env_.files.info(source);
      if (!info && info.error().code == ErrorCode::not_found) {
        Warning warning = gone_warning(run.source);
        if (!was_told(folder_runs, warning, run.started_at))
          result_.warnings.push_back(std::move(warning));
      } else if ((!info || !members.complete) && is_wanted(source, members.folder)) {
        members.snapshots.push_back(
            member_request(job_, source, folder_label(members.folder, source)));
      }
    }
    std::ranges::sort(members.snapshots, {}, &SnapshotRequest::source);
  }

  bool is_wanted(const fs::path& source, const fs::path& folder) const {
    const auto ignored = read_ignored(env_.places, env_.files);
    return is_inside(source, folder) && !(ignored && is_ignored(source, *ignored));
  }

  Error nothing_there() const {
    return {ErrorCode::not_found,
            "There is no database below " + text_of(job_.folder) + ", so nothing was backed up.",
            "If it lies on another disk, attach that. If its databases are gone, restore them; " +
                say(Action::status) + " tells of each. If none is wanted, remove the schedule."};
  }

  // Well done in this period is what its last run in it did, if the snapshot is still there.
  std::set<std::string> done_in_period(const std::vector<RunRecord>& runs) const {
    std::set<std::string> done, looked_at;
    for (const RunRecord& run : runs) {  // newest first
      if (!options_.period.contains(run.started_at) || !looked_at.insert(run.source).second)
        continue;
      if (run.ok && env_.files.info(path_of(run.snapshot))) done.insert(run.source);
    }
    return done;
  }

  void prepare(std::vector<SnapshotRequest> requests, const std::vector<RunRecord>& runs) {
    const std::set<std::string> done = done_in_period(runs);
    requests_ = std::move(requests);
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      SnapshotRequest& request = requests_[i];
      request.schedule = job_.name;
      request.unless_unchanged = !options_.again;  // who asks for a run gets a snapshot
      MemberRun& member = result_.members.emplace_back(MemberRun{request.source});
      member.done_before = !options_.again && done.contains(text_of(request.source));
      if (!member.done_before) waiting_.push_back(i);
    }
  }

  void attempt_all() {
    const std::uint64_t total = result_.members.size();
    std::uint64_t over = total - waiting_.size();
    for (int attempt = 1; !waiting_.empty(); ++attempt) {
      std::vector<std::size_t> busy;
      for (const std::size_t i : waiting_) {
        attempt_one(i);
        const auto& error = result_.members[i].error;
        if (error && error->code == ErrorCode::busy && attempt < options_.max_attempts) {
          busy.push_back(i);
        } else {
          progress_.report(++over, total, "databases");
        }
      }
      waiting_ = std::move(busy);
      if (!waiting_.empty() && !env_.clock.sleep_for(kRetryPause, stop_)) return;
    }
  }

  void attempt_one(std::size_t i) {
    MemberRun& member = result_.members[i];
    if (stop_.stop_requested()) {
      member.error = Error{ErrorCode::cancelled, "It was stopped.", ""};
      return;
    }
    if (env_.clock.steady_now() >= deadline_) {
      member.error =
          Error{ErrorCode::timed_out, "The time for one run was up before its turn came.",
                "Split the folder into several schedules."};
      return;
    }
    NoProgress unheard;  // pages of one database say little among many
    auto taken = attempt_snapshot(requests_[i], env_, unheard, stop_);
    member.error.reset();
    if (!taken) {
      member.error = taken.error();
      return;
    }
    member.error = drill_if_due(job_, *taken, result_.warnings, env_, unheard, stop_);
    member.snapshot = std::move(*taken);
  }

  void judge() {
    std::size_t failed = 0;
    std::string which;
    for (const MemberRun& member : result_.members) {
      if (!member.error) continue;
      if (++failed > kMaxNamedFailures) continue;
      which += " " + text_of(member.source) + ": " + member.error->message;
      if (failed == 1) result_.error = member.error;
    }
    if (failed == 0) return;
    if (stop_.stop_requested()) {
      result_.error =
          Error{ErrorCode::cancelled, "The run of '" + job_.name + "' was stopped.", ""};
      return;
    }
    result_.error->message = std::to_string(failed) + " of " +
                             std::to_string(result_.members.size()) + " databases below " +
                             text_of(job_.folder) + " could not be backed up." + which;
    if (failed > kMaxNamedFailures) {
      result_.error->message += " And " + std::to_string(failed - kMaxNamedFailures) + " more; " +
                                say(Action::status) + " tells of each.";
    }
  }

  const BackupJob& job_;
  const FolderRunOptions& options_;
  const Env& env_;
  ProgressSink& progress_;
  const std::stop_token& stop_;
  const std::chrono::steady_clock::time_point deadline_;
  std::vector<SnapshotRequest> requests_;  // by the numbers of result_.members
  std::vector<std::size_t> waiting_;       // numbers of those that are still to be tried
  FolderRun result_;
};

}  // namespace

FolderRun run_folder(const BackupJob& job, const FolderRunOptions& options, const Env& env,
                     ProgressSink& progress, std::stop_token stop) {
  const Instant started_at = env.clock.now();
  FolderRun result = Round(job, options, env, progress, stop).run();
  RunRecord run = ended_run(kFolderRun, started_at, env);
  run.schedule = job.name;
  run.source = text_of(job.folder);
  run.destination = text_of(job.snapshot.destination);
  run.warnings = result.warnings;
  for (const MemberRun& member : result.members) {
    if (member.snapshot && !member.snapshot->unchanged)
      run.bytes += member.snapshot->manifest.bytes;
  }
  if (result.error) note_failure(run, *result.error);
  for (std::string& warning : record_and_tell(run, env)) {
    result.warnings.emplace_back(std::move(warning));
  }
  return result;
}

}  // namespace core
