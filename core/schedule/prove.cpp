// Makes a scheduler run a schedule once, and waits for the record of that run.
#include "core/schedule/prove.h"

#include <algorithm>
#include <set>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/discovery/discover.h"
#include "core/schedule/folder_members.h"
#include "core/schedule/run_job.h"
#include "core/schedule/run_offsite.h"
#include "core/schedule/schedulers.h"
#include "core/schedule/success.h"

namespace core {

namespace {

// Between two looks into the history: a twentieth of the time waited so far, within these.
constexpr std::chrono::milliseconds kLeastPause{200}, kMostPause{2'000};
// What history.db may lag behind the end of a run that was waited for.
constexpr std::chrono::milliseconds kRecordGrace{5'000};
constexpr int kStartAttempts = 2;
// For each database of a folder that somebody has locked: the run itself waits longer.
constexpr std::chrono::milliseconds kPreviewPatience{2'000};

Expected<std::optional<RunRecord>> newest_run(const BackupJob& job, const Env& env) {
  BPD_TRY_AS(runs, runs_of(job, job.run_kind(), 1, env));
  if (runs->empty()) return std::optional<RunRecord>();
  return std::optional<RunRecord>(std::move(runs->front()));
}

Expected<RunRecord> wait_for_record(const BackupJob& job, std::int64_t after,
                                    std::chrono::milliseconds timeout, const Env& env,
                                    std::stop_token stop) {
  const auto begin = env.clock.steady_now();
  while (true) {
    BPD_TRY_AS(run, newest_run(job, env));
    if (*run && (*run)->id > after) return **run;
    const auto waited =
        std::chrono::duration_cast<std::chrono::milliseconds>(env.clock.steady_now() - begin);
    if (waited >= timeout) {
      return fail(
          ErrorCode::timed_out,
          "The scheduler was told to run '" + job.name + "', but no run of it was recorded.",
          "Look at " + say(Action::list_schedules) + ", and at the scheduler's own log.");
    }
    if (!env.clock.sleep_for(std::clamp(waited / 20, kLeastPause, kMostPause), stop)) {
      return fail(ErrorCode::cancelled, "Stopped while waiting for the run of '" + job.name + "'.");
    }
  }
}

// busy, naming the run that goes on.
Expected<> check_not_running(const std::string& name, const Env& env, std::stop_token stop) {
  const auto lock = lock_run(name, std::chrono::milliseconds(0), env, stop);
  if (!lock && lock.error().code == ErrorCode::busy) return fail(lock.error());
  return {};
}

Error error_of_run(const RunRecord& run, const HostFacts& facts) {
  Error error{error_code_of(run.error_code),
              "The run of '" + run.schedule + "' failed: " + run.error,
              "Mend that, then try again."};
  if (facts.system == HostFacts::System::macos && error.code == ErrorCode::permission_denied) {
    error.hint =
        "macOS may deny a background job a folder that the terminal may read: allow the program "
        "Full Disk Access in System Settings, or choose a destination outside Desktop, Documents, "
        "Downloads and cloud folders.";
  }
  return error;
}

Error error_of_other_run(const RunRecord& other, const Env& env, std::stop_token stop) {
  if (auto running = check_not_running(other.schedule, env, stop); !running) return running.error();
  return {ErrorCode::timed_out,
          "The scheduler was told to run '" + other.schedule + "', but only another run ended" +
              (other.ok ? "." : ", and failed: " + other.error),
          "Try again. If it stays so, run " + say(Action::install_schedule) +
              " with this name: that renews the program that the scheduler runs."};
}

std::string how_it_ran(SchedulerKind kind) {
  switch (kind) {
    case SchedulerKind::systemd:
      return "systemctl --user start";
    case SchedulerKind::cron:
      return "the crontab's own line, in cron's environment: cron cannot be told to run an entry";
    case SchedulerKind::launchd:
      return "launchctl kickstart";
    case SchedulerKind::windows:
      return "schtasks /run";
  }
  return "";
}

// The run itself, or those of the folder's databases in it: its own record closes them.
Expected<std::vector<RunRecord>> snapshot_runs(const BackupJob& job, const RunRecord& run,
                                               const Env& env) {
  if (!job.is_of_folder()) return std::vector<RunRecord>{run};
  constexpr std::size_t kLimit = kMaxFoundDatabases * 2;  // failed attempts, too
  BPD_TRY_AS(runs, runs_of(job, kSnapshotRun, kLimit, env));
  std::set<std::string> seen;  // newest first: the last attempt counts
  std::erase_if(*runs, [&](const RunRecord& one) {
    return one.id > run.id || one.started_at < run.started_at || !seen.insert(one.source).second;
  });
  std::sort(runs->begin(), runs->end(),
            [](const RunRecord& a, const RunRecord& b) { return a.source < b.source; });
  return std::move(*runs);
}

Expected<ProvenSnapshot> prove_snapshot(RunRecord run, const Env& env, ProgressSink& progress,
                                        const std::stop_token& stop) {
  ProvenSnapshot proven{std::move(run), {}};
  if (!proven.record.ok) return proven;
  VerifyRequest request;
  request.snapshot = proven.record.snapshot;
  request.level = VerifyLevel::quick;
  BPD_TRY_AS(report, verify_snapshot(request, env, progress, stop));
  if (report->verdict == VerifyReport::Verdict::damaged) {
    return fail(ErrorCode::damaged,
                "The snapshot '" + proven.record.snapshot + "' of '" + proven.record.schedule +
                    "' is damaged.",
                "Check the destination's disk; " + say(Action::verify) + " tells more.");
  }
  proven.verification = std::move(*report);
  return proven;
}

Expected<PreviewedDatabase> preview_one(const SnapshotRequest& given, RunPreview& preview,
                                        const Env& env, const std::stop_token& stop) {
  SnapshotRequest request = given;
  request.dry_run = true;
  NoProgress no_progress;
  BPD_TRY_AS(result, take_snapshot(request, env, no_progress, stop));
  const auto expired = expired_of(result->retention);
  preview.expired.insert(preview.expired.end(), expired.begin(), expired.end());
  return PreviewedDatabase{request.source,
                           result->manifest.label,
                           result->manifest.bytes,
                           {},
                           planned_snapshot(*result, request.verify)};
}

Expected<RunPreview> preview_folder(const BackupJob& job, const Env& env,
                                    const std::stop_token& stop) {
  BPD_TRY_AS(members, members_of(job, kRunSearch, env, stop));
  RunPreview preview;
  preview.warnings = std::move(members->warnings);
  bool any_good = false;
  for (SnapshotRequest& request : members->snapshots) {
    request.busy_timeout = kPreviewPatience;
    auto database = preview_one(request, preview, env, stop);
    if (stop.stop_requested())
      return fail(ErrorCode::cancelled, "Stopped before anything was done.");
    any_good |= database.has_value();
    if (!database) {
      database = PreviewedDatabase{request.source, request.label, 0, database.error(), {}};
    }
    preview.databases.push_back(std::move(*database));
  }
  if (any_good) return preview;
  if (!preview.databases.empty()) return fail(*preview.databases.front().error);
  return fail(ErrorCode::not_found, "There is no database below " + text_of(job.folder) + ".",
              "Give the folder that holds your projects; " + say_parameter("pattern") +
                  " takes further file names, such as *.sqlite.");
}

// Copies off this machine follow the snapshots, and the run holds its lock meanwhile.
Expected<> wait_for_end(const std::string& name, const Env& env, const std::stop_token& stop) {
  const auto lock = lock_run(name, kFirstRunTimeout, env, stop);
  if (lock) return {};
  if (lock.error().code == ErrorCode::cancelled) {
    return fail(ErrorCode::cancelled, "Stopped while waiting for the run of '" + name + "'.");
  }
  if (lock.error().code != ErrorCode::busy) return {};
  return fail(ErrorCode::timed_out, "The first copy off this machine did not end in an hour.",
              "Raise " + say_parameter("offsite_bwlimit") + ", or take the first copy by hand.");
}

Expected<std::vector<RunRecord>> prove_offsite(const BackupJob& job, std::int64_t after,
                                               const HostFacts& facts, const Env& env,
                                               const std::stop_token& stop) {
  if (!job.offsite) return std::vector<RunRecord>{};
  BPD_TRY(wait_for_end(job.name, env, stop));
  BPD_TRY_AS(runs, runs_of(job, kOffsiteRun, kMaxFoundDatabases * 2, env));
  std::erase_if(*runs, [&](const RunRecord& run) { return run.id <= after; });
  for (const RunRecord& run : *runs) {
    if (!leaves_copy(run)) return fail(error_of_run(run, facts));
  }
  if (!runs->empty()) return std::move(*runs);
  return fail(ErrorCode::timed_out,
              "The run of '" + job.name + "' ended, but no copy off this machine was recorded.",
              "Look at " + say(Action::list_schedules) + ", and at the scheduler's own log.");
}

}  // namespace

Expected<ProvenRun> prove_schedule(const BackupJob& job, const HostFacts& facts, const Env& env,
                                   ProgressSink& progress, std::stop_token stop) {
  const Scheduler& scheduler = scheduler_of(job.scheduler);
  BPD_TRY_AS(plan, scheduler.plan_run(job.name, facts, kFirstRunTimeout));
  BPD_TRY_AS(before, newest_run(job, env));
  std::int64_t last_id = *before ? (*before)->id : 0;
  BPD_TRY(request_run(job.name, env));

  Expected<> started;
  Expected<RunRecord> run;
  bool other = false;  // what was recorded is of a run that did not take the request
  for (int attempt = 1; attempt <= kStartAttempts; ++attempt) {
    started = apply(*plan, env, stop);
    if (!started && started.error().code == ErrorCode::cancelled) return fail(started.error());
    const bool ended = scheduler.run_waits() || !started;
    run = wait_for_record(job, last_id, ended ? kRecordGrace : kFirstRunTimeout, env, stop);
    other = run && has_request(job.name, env);
    if (other) {
      last_id = run->id;  // of a run that was going on already, maybe of the job as it was before
      continue;
    }
    if (run || !started || run.error().code != ErrorCode::timed_out) break;
    if (auto running = check_not_running(job.name, env, stop); !running) {
      run = fail(running.error());
      break;
    }
    // A start that met a run just ending, as that of the full hour, was taken for that one.
    if (!has_request(job.name, env)) break;
  }
  withdraw_request(job.name, env);
  if (other) return fail(error_of_other_run(*run, env, stop));
  if (!run) return fail(started ? run.error() : started.error());
  BPD_TRY_AS(snapshots, snapshot_runs(job, *run, env));
  const bool any_good = std::any_of(snapshots->begin(), snapshots->end(),
                                    [](const RunRecord& snapshot) { return snapshot.ok; });
  if (!run->ok && !any_good) return fail(error_of_run(*run, facts));
  BPD_TRY_AS(offsite, prove_offsite(job, last_id, facts, env, stop));
  ProvenRun proven{std::move(*run), {}, how_it_ran(job.scheduler), std::move(*offsite)};
  for (RunRecord& snapshot : *snapshots) {
    BPD_TRY_AS(one, prove_snapshot(std::move(snapshot), env, progress, stop));
    proven.snapshots.push_back(std::move(*one));
  }
  return proven;
}

std::uint64_t RunPreview::bytes() const {
  std::uint64_t sum = 0;
  for (const PreviewedDatabase& database : databases) sum += database.bytes;
  return sum;
}

Expected<RunPreview> preview_run(const BackupJob& job, const Env& env, std::stop_token stop) {
  if (job.is_of_folder()) return preview_folder(job, env, stop);
  RunPreview preview;
  BPD_TRY_AS(database, preview_one(snapshot_of(job), preview, env, stop));
  preview.databases.push_back(std::move(*database));
  return preview;
}

Expected<ProvenRun> run_schedule(const std::string& name, const Env& env, std::stop_token stop) {
  BPD_TRY_AS(job, read_job(name, env.places, env.files));
  const HostFacts facts = gather_host_facts(env, stop);
  const Scheduler& scheduler = scheduler_of(job->scheduler);
  if (!holds_entry(scheduler, name, facts)) {
    return fail(ErrorCode::not_found,
                "The schedule '" + name + "' has a job, but " +
                    std::string(to_string(job->scheduler)) + " has no entry of it.",
                "Run " + say(Action::install_schedule) + " again with this name.");
  }
  // What this refuses, the run refuses better: it is recorded, and tells of it.
  const auto preview = preview_run(*job, env, stop);
  NoProgress no_progress;
  BPD_TRY_AS(run, prove_schedule(*job, facts, env, no_progress, stop));
  if (preview) run->expired = gone_by_now(preview->expired, env.files);
  return run;
}

}  // namespace core
