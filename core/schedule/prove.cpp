// Makes a scheduler run a schedule once, and waits for the record of that run.
#include "core/schedule/prove.h"

#include "core/base/call.h"
#include "core/schedule/run_job.h"
#include "core/schedule/schedulers.h"

namespace core {

namespace {

constexpr std::chrono::milliseconds kPollPause{200};
// What history.db may lag behind the end of a run that was waited for.
constexpr std::chrono::milliseconds kRecordGrace{5'000};
constexpr int kStartAttempts = 2;

Expected<std::optional<RunRecord>> newest_run(const std::string& name, const Env& env) {
  RunFilter filter;
  filter.kind = "snapshot";
  filter.schedule = name;
  filter.limit = 1;
  BPD_TRY_AS(runs, list_runs(filter, env));
  if (runs->empty()) return std::optional<RunRecord>();
  return std::optional<RunRecord>(std::move(runs->front()));
}

Expected<RunRecord> wait_for_record(const std::string& name, std::int64_t after,
                                    std::chrono::milliseconds timeout, const Env& env,
                                    std::stop_token stop) {
  const auto deadline = env.clock.steady_now() + timeout;
  while (true) {
    BPD_TRY_AS(run, newest_run(name, env));
    if (*run && (*run)->id > after) return **run;
    if (env.clock.steady_now() >= deadline) {
      return fail(ErrorCode::timed_out,
                  "The scheduler was told to run '" + name + "', but no run of it was recorded.",
                  "Look at " + say(Action::list_schedules) + ", and at the scheduler's own log.");
    }
    if (!env.clock.sleep_for(kPollPause, stop)) {
      return fail(ErrorCode::cancelled, "Stopped while waiting for the run of '" + name + "'.");
    }
  }
}

// busy, naming the run that goes on.
Expected<> check_not_running(const std::string& name, const Env& env, std::stop_token stop) {
  const auto lock = lock_run(name, std::chrono::milliseconds(0), env, stop);
  if (!lock && lock.error().code == ErrorCode::busy) return fail(lock.error());
  return {};
}

ErrorCode code_of(const std::string& text) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    if (text == to_string(static_cast<ErrorCode>(code))) return static_cast<ErrorCode>(code);
  }
  return ErrorCode::internal;
}

Error error_of_run(const RunRecord& run, const HostFacts& facts) {
  Error error{code_of(run.error_code), "The run of '" + run.schedule + "' failed: " + run.error,
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

}  // namespace

Expected<ProvenRun> prove_schedule(const BackupJob& job, const HostFacts& facts, const Env& env,
                                   ProgressSink& progress, std::stop_token stop) {
  const Scheduler& scheduler = scheduler_of(job.scheduler);
  BPD_TRY_AS(plan, scheduler.plan_run(job.name, facts, kFirstRunTimeout));
  BPD_TRY_AS(before, newest_run(job.name, env));
  std::int64_t last_id = *before ? (*before)->id : 0;
  BPD_TRY(request_run(job.name, env));

  Expected<> started;
  Expected<RunRecord> run;
  bool other = false;  // what was recorded is of a run that did not take the request
  for (int attempt = 1; attempt <= kStartAttempts; ++attempt) {
    started = apply(*plan, env, stop);
    if (!started && started.error().code == ErrorCode::cancelled) return fail(started.error());
    const bool ended = scheduler.run_waits() || !started;
    run = wait_for_record(job.name, last_id, ended ? kRecordGrace : kFirstRunTimeout, env, stop);
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
  if (!run->ok) return fail(error_of_run(*run, facts));

  VerifyRequest request;
  request.snapshot = run->snapshot;
  request.level = VerifyLevel::quick;
  BPD_TRY_AS(report, verify_snapshot(request, env, progress, stop));
  if (report->verdict == VerifyReport::Verdict::damaged) {
    return fail(ErrorCode::damaged,
                "The snapshot '" + run->snapshot + "' of '" + job.name + "' is damaged.",
                "Check the destination's disk; " + say(Action::verify) + " tells more.");
  }
  return ProvenRun{std::move(*run), std::move(*report), how_it_ran(job.scheduler)};
}

Expected<SnapshotResult> preview_run(const BackupJob& job, const Env& env, std::stop_token stop) {
  SnapshotRequest request = snapshot_of(job);
  request.dry_run = true;
  NoProgress no_progress;
  return take_snapshot(request, env, no_progress, stop);
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
  if (preview) run->expired = gone_by_now(expired_of(preview->retention), env.files);
  return run;
}

}  // namespace core
