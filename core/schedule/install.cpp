// Installs and removes schedules.
#include "core/schedule/install.h"

#include <algorithm>
#include <iterator>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/run_records.h"
#include "core/platform/run_lock.h"
#include "core/schedule/due.h"
#include "core/schedule/installed_program.h"
#include "core/schedule/kept_jobs.h"
#include "core/schedule/launchd.h"
#include "core/schedule/run_job.h"
#include "core/schedule/run_offsite.h"
#include "core/schedule/schedulers.h"
#include "core/snapshot/new_rules.h"

namespace core {

namespace {

constexpr std::uint64_t kInstallSteps = 5;

Expected<RunLock> lock_schedules(const Env& env, std::stop_token stop) {
  return RunLock::acquire("schedules", "a change of the schedules", kInstallLockTimeout, env, stop);
}

bool any_entry(const HostFacts& facts) {
  const auto kinds = schedulers_for(facts.system);
  return std::any_of(kinds.begin(), kinds.end(), [&](SchedulerKind kind) {
    return !scheduler_of(kind).entries(facts).empty();
  });
}

// Why nothing may be removed: an entry that cannot be reached would go on without its job. Without
// a job only what is seen tells whose the entry is.
std::optional<Error> hidden_entry(const std::string& name, const std::optional<BackupJob>& job,
                                  const HostFacts& facts) {
  std::optional<Error> hidden;
  for (const SchedulerKind kind : schedulers_for(facts.system)) {
    const Scheduler& scheduler = scheduler_of(kind);
    if (!job && holds_entry(scheduler, name, facts)) return std::nullopt;
    const bool may_be_its_own = !job || job->scheduler == kind;
    if (may_be_its_own && scheduler.may_hide_entries(facts)) hidden = scheduler.unusable(facts);
  }
  return hidden;
}

// What stood there before, to go back to.
struct Former {
  std::optional<BackupJob> job;
  std::optional<std::string> job_text;
  std::optional<FormerProgram> program;  // set once it has been touched
  HostFacts facts;
};

Former look_back(const std::string& name, const Env& env, const HostFacts& facts) {
  Former former;
  if (auto job = read_job(name, env.places, env.files)) former.job = std::move(*job);
  if (auto text = env.files.read(job_path(name, env.places), 1 << 20)) former.job_text = *text;
  former.facts = facts;
  return former;
}

std::vector<fs::path> logs_of(const std::string& name, const Env& env) {
  std::vector<fs::path> logs;
  for (const fs::path& log :
       {log_path(name, env.places), launchd_output_path(name, env.places.state / "logs")}) {
    logs.push_back(log);
    logs.push_back(text_of(log) + ".1");
  }
  return logs;
}

// Of the folders that schedules need, those that hold nothing any more.
void remove_empty_folders(const Env& env) {
  for (const fs::path& folder : {env.places.config / "jobs", env.places.config,
                                 env.places.state / "logs", env.places.state / "requests"}) {
    (void)env.files.remove_empty_folder(folder);
  }
}

// Goes on past failures: each thing put back is worth it. Returns what could not be.
std::string put_back(const std::string& name, SchedulerKind kind, const Former& former,
                     const Env& env) {
  std::string problems;
  const auto note = [&](const Expected<>& done) {
    if (!done) problems += " " + done.error().message;
  };
  const HostFacts now = gather_host_facts(env, {});
  note(apply(scheduler_of(kind).plan_restore(name, former.job, former.facts, now), env, {}));
  withdraw_request(name, env);
  const fs::path path = job_path(name, env.places);
  if (former.job_text) {
    note(env.files.write_atomically(path, *former.job_text, kPrivateFile));
  } else {
    (void)env.files.remove(path);
    // Of the first run that failed; what it said stands in the error and in history.db.
    for (const fs::path& log : logs_of(name, env)) (void)env.files.remove(log);
    remove_empty_folders(env);
  }
  if (former.program && !former.program->program) {
    note(remove_scheduled_program(env));
  } else if (former.program) {
    note(restore_scheduled_program(*former.program, env));
  }
  return problems;
}

Error after_putting_back(Error error, const std::string& problems) {
  if (problems.empty()) {
    error.message += " Everything is as it was before.";
  } else {
    error.message += " Not everything could be put back:" + problems;
  }
  return error;
}

// The scheduler's own word that the entry is there and will fire.
Expected<> check_known(const BackupJob& job, const HostFacts& facts, const Env& env,
                       std::stop_token stop) {
  const Scheduler& scheduler = scheduler_of(job.scheduler);
  const EntryState state = ask_states(scheduler, {job.name}, facts, env, stop)[job.name];
  if (state.known && state.active) return {};
  return fail(ErrorCode::io,
              "The scheduler does not know '" + job.name +
                  "' after it was installed: " + state.problem + ".",
              "Try another scheduler.");
}

void describe_plan(const SchedulePlan& plan, InstallResult& result) {
  for (const PlanStep& step : plan.steps) {
    if (const auto* write = std::get_if<WriteFile>(&step)) {
      result.files.push_back({write->path, write->text, write->mode});
    }
    std::string command = describe(step);
    if (const auto* run = std::get_if<RunCommand>(&step); run != nullptr && !run->input.empty()) {
      command += " with the input:\n" + run->input;
    }
    result.commands.push_back(std::move(command));
  }
  result.warnings.insert(result.warnings.end(), plan.warnings.begin(), plan.warnings.end());
}

std::vector<SchedulerKind> other_holders(const std::string& name, SchedulerKind chosen,
                                         const HostFacts& facts) {
  std::vector<SchedulerKind> holders;
  for (const SchedulerKind kind : schedulers_for(facts.system)) {
    if (kind != chosen && holds_entry(scheduler_of(kind), name, facts)) holders.push_back(kind);
  }
  return holders;
}

// Everything that is known before the machine is touched.
struct Prepared {
  HostFacts facts;
  SchedulePlan plan;
  Former former;
  InstallResult result;
};

// An entry whose job file has gone backs up a database that nobody can name any more.
Expected<> check_orphan(SettledJob& settled, const JobSettings& settings, const HostFacts& facts) {
  if (settled.former || settled.unreadable) return {};
  const std::string& name = settled.job.name;
  for (const SchedulerKind kind : schedulers_for(facts.system)) {
    if (!holds_entry(scheduler_of(kind), name, facts)) continue;
    const std::string what = "The schedule '" + name + "' has an entry in " +
                             std::string(to_string(kind)) + " but no job file.";
    if (settings.source) {
      settled.warnings.push_back(what + std::string(kNothingKept));
      return {};
    }
    return fail(ErrorCode::invalid_argument, what + " So its settings cannot be kept.",
                "Give source, and whatever else this schedule had.");
  }
  return {};
}

// Told where an update takes a schedule away from a database that no other one backs up.
void warn_of_uncovered(const SettledJob& settled, const Env& env,
                       std::vector<std::string>& warnings) {
  if (!settled.former) return;
  const fs::path& left = settled.former->place();
  if (left == settled.job.place()) return;
  std::vector<UnusableJob> unusable;
  for (const BackupJob& job : list_jobs(env.places, env.files, unusable)) {
    if (job.name != settled.job.name && job.place() == left) return;
  }
  warnings.push_back("No schedule backs up " + text_of(left) +
                     " any more: install one of another name for it.");
}

// A database may have two schedules, to two disks for example; but who gave it one of a folder may
// have forgotten the other.
void warn_of_covered_twice(InstallResult& result, const Env& env) {
  if (!result.job.is_of_folder()) return;
  std::vector<UnusableJob> unusable;
  for (const BackupJob& other : list_jobs(env.places, env.files, unusable)) {
    if (other.name == result.job.name || other.is_of_folder()) continue;
    const std::string source = recorded_path(other.snapshot.source, env);
    for (const PreviewedDatabase& database : result.databases) {
      if (text_of(database.source) != source) continue;
      result.warnings.push_back(source + " has a schedule of its own, '" + other.name +
                                "'; now it is backed up by both.");
    }
  }
}

// Without a job the entry itself tells whose it is.
Expected<SchedulerKind> scheduler_for(const InstallRequest& request, const SettledJob& settled,
                                      const HostFacts& facts) {
  auto wanted = request.scheduler;
  if (!wanted && !request.any_scheduler) {
    if (settled.former) wanted = settled.former->scheduler;
    for (const SchedulerKind kind : schedulers_for(facts.system)) {
      if (!wanted && holds_entry(scheduler_of(kind), settled.job.name, facts)) wanted = kind;
    }
  }
  return choose_scheduler(wanted, facts);
}

// What new rules for copies elsewhere remove there. Others go on as before, and ask nobody.
Expected<> add_offsite_removals(const std::optional<BackupJob>& former, InstallResult& result,
                                const Env& env, const std::stop_token& stop) {
  const BackupJob& job = result.job;
  if (!job.offsite || !has_new_offsite_rules(former, job)) return {};
  std::vector<Snapshot> planned;
  for (const PreviewedDatabase& database : result.databases) {
    if (database.planned) planned.push_back(*database.planned);
  }
  BPD_TRY_AS(removals, preview_offsite(job, planned, env, stop));
  result.new_rules |= !removals->empty();
  std::move(removals->begin(), removals->end(), std::back_inserter(result.expired));
  return {};
}

Expected<Prepared> prepare(const InstallRequest& request, const Env& env, std::stop_token stop) {
  Prepared prepared;
  BPD_TRY_AS(settled, settle_job(request.name, request.settings, env.places, env.files));
  BackupJob& job = prepared.result.job;
  job = settled->job;
  const bool offsite_settings =
      request.settings.offsite_keep || !request.settings.offsite_bandwidth.value_or("").empty();
  BPD_TRY(settle_offsite(job, offsite_settings, settled->warnings, env, stop));
  BPD_TRY(check_job(job));
  prepared.facts = gather_host_facts(env, stop);
  BPD_TRY(check_orphan(*settled, request.settings, prepared.facts));
  BPD_TRY_AS(preview, preview_run(job, env, stop));  // refuses what a snapshot would refuse
  prepared.result.expired = std::move(preview->expired);
  prepared.result.keeps =
      estimate_kept(job, preview->databases.size(), preview->bytes(), env.files);
  prepared.result.databases = std::move(preview->databases);

  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "Stopped before anything was done.");
  BPD_TRY_AS(kind, scheduler_for(request, *settled, prepared.facts));
  job.scheduler = *kind;
  prepared.former = look_back(job.name, env, prepared.facts);
  const auto& former_job = prepared.former.job;
  const bool same_time =
      former_job && former_job->time == job.time && due_times(*former_job) == due_times(job);
  job.scheduled_since = same_time ? former_job->scheduled_since : env.clock.now();
  BPD_TRY_AS(plan, scheduler_of(job.scheduler).plan_install(job, prepared.facts));
  prepared.plan = std::move(*plan);

  InstallResult& result = prepared.result;
  result.dry_run = request.dry_run;
  result.updated = prepared.former.job_text.has_value();
  result.new_rules = !result.expired.empty() && has_new_rules(former_job, job);
  BPD_TRY(add_offsite_removals(former_job, result, env, stop));
  if (former_job) result.changes = compare_jobs(*former_job, job);
  result.warnings = settled->warnings;
  result.warnings.insert(result.warnings.end(), preview->warnings.begin(), preview->warnings.end());
  warn_of_uncovered(*settled, env, result.warnings);
  warn_of_covered_twice(result, env);
  if (auto warning = few_hours_warning(job)) result.warnings.push_back(std::move(*warning));
  result.files.push_back({job_path(job.name, env.places), encode_job(job), kPrivateFile});
  result.commands.push_back("write " + text_of(job_path(job.name, env.places)) + " (mode 0600)");
  result.commands.push_back("copy " + text_of(env.places.program) + " to " +
                            text_of(scheduled_program(env.places)) + " (mode 0755)");
  describe_plan(prepared.plan, result);
  if (prepared.facts.wsl) result.warnings.push_back(wsl_warning());
  result.next_run = due_period(env.clock, due_times(job), env.clock.now()).end;
  return prepared;
}

Expected<> put_in_place(Prepared& prepared, const Env& env, ProgressSink& progress,
                        std::stop_token stop) {
  const BackupJob& job = prepared.result.job;
  progress.report(1, kInstallSteps, "install");
  BPD_TRY(write_job(job, env.places, env.files));
  BPD_TRY_AS(program, update_scheduled_program(env));
  prepared.former.program = std::move(*program);
  progress.report(2, kInstallSteps, "install");
  BPD_TRY(apply(prepared.plan, env, stop));
  progress.report(3, kInstallSteps, "install");
  // The entry is read anew: a run through cron takes its environment from the table as it is now.
  prepared.facts = gather_host_facts(env, stop);
  return check_known(job, prepared.facts, env, stop);
}

void leave_other_schedulers(Prepared& prepared, const Env& env, std::stop_token stop) {
  const BackupJob& job = prepared.result.job;
  for (const SchedulerKind kind : other_holders(job.name, job.scheduler, prepared.facts)) {
    const auto gone = apply(scheduler_of(kind).plan_remove(job.name, prepared.facts), env, stop);
    const std::string entry = "the entry of '" + job.name + "' in " + std::string(to_string(kind));
    if (gone) {
      prepared.result.removed.push_back(entry);
    } else {
      prepared.result.warnings.push_back("Could not remove " + entry + ": " + gone.error().message);
    }
  }
}

// So that the destination tells another machine of its schedules as they are now.
void tell_destination(const fs::path& destination, const Env& env, std::stop_token stop,
                      std::vector<std::string>& warnings) {
  if (auto kept = keep_jobs(destination, env, std::move(stop)); !kept) {
    warnings.push_back("What the schedules are is not kept beside their snapshots: " +
                       kept.error().message);
  }
}

}  // namespace

std::map<std::string, EntryState> ask_states(const Scheduler& scheduler,
                                             const std::vector<std::string>& names,
                                             const HostFacts& facts, const Env& env,
                                             std::stop_token stop) {
  std::map<std::string, EntryState> states;
  const auto ask = [&](const std::vector<std::string>& some) {
    std::vector<CommandResult> answers;
    for (const RunCommand& query : scheduler.queries(some, facts)) {
      const auto answer =
          env.commands.run({query.argv, query.input, query.environment, query.timeout}, stop);
      answers.push_back(answer ? *answer : CommandResult{});
    }
    for (const std::string& name : some) states[name] = scheduler.read_state(name, answers);
  };
  if (scheduler.tells_of_many()) {
    ask(names);
  } else {
    for (const std::string& name : names) ask({name});
  }
  return states;
}

Expected<InstallResult> install_schedule(const InstallRequest& request, const Env& env,
                                         ProgressSink& progress, std::stop_token stop) {
  if (request.dry_run) {
    BPD_TRY_AS(prepared, prepare(request, env, stop));
    const BackupJob& job = prepared->result.job;
    for (const SchedulerKind kind : other_holders(job.name, job.scheduler, prepared->facts)) {
      describe_plan(scheduler_of(kind).plan_remove(job.name, prepared->facts), prepared->result);
    }
    return std::move(prepared->result);
  }
  BPD_TRY_AS(lock, lock_schedules(env, stop));
  BPD_TRY_AS(prepared, prepare(request, env, stop));
  const BackupJob job = prepared->result.job;
  auto& expired = prepared->result.expired;
  if (!request.confirmed && prepared->result.new_rules) {
    return fail(unconfirmed_removal(
        "By its new keep rules '" + job.name + "' would remove in its first run", expired));
  }

  auto placed = put_in_place(*prepared, env, progress, stop);
  if (placed && request.run_now) {
    auto run = prove_schedule(job, prepared->facts, env, progress, stop);
    if (run) {
      prepared->result.run = std::move(*run);
      expired = gone_by_now(std::move(expired), env.files);
    } else {
      placed = fail(run.error());
    }
  }
  if (!placed) {
    const auto problems = put_back(job.name, job.scheduler, prepared->former, env);
    (void)keep_jobs(job.snapshot.destination, env, {});
    return fail(after_putting_back(placed.error(), problems));
  }
  leave_other_schedulers(*prepared, env, stop);
  auto& warnings = prepared->result.warnings;
  tell_destination(job.snapshot.destination, env, stop, warnings);
  const auto& former = prepared->former.job;
  if (former && former->snapshot.destination != job.snapshot.destination) {
    tell_destination(former->snapshot.destination, env, stop, warnings);
  }
  progress.report(kInstallSteps, kInstallSteps, "install");
  return std::move(prepared->result);
}

Expected<RemovalResult> remove_schedule(const std::string& name, const Env& env,
                                        std::stop_token stop) {
  BPD_TRY(check_schedule_name(name));
  BPD_TRY_AS(lock, lock_schedules(env, stop));
  RemovalResult result;
  result.name = name;
  const auto job = read_job(name, env.places, env.files);
  if (job) result.job = *job;
  const HostFacts facts = gather_host_facts(env, stop);
  if (auto hidden = hidden_entry(name, result.job, facts)) {
    if (!job) hidden->message = job.error().message + " " + hidden->message;
    return fail(std::move(*hidden));
  }
  for (const SchedulerKind kind : schedulers_for(facts.system)) {
    const Scheduler& scheduler = scheduler_of(kind);
    if (const auto reason = scheduler.unusable(facts); reason && job && job->scheduler == kind) {
      result.warnings.push_back(std::string(to_string(kind)) +
                                " could not be told of the removal: " + reason->message);
    }
    if (!holds_entry(scheduler, name, facts)) continue;
    const SchedulePlan plan = scheduler.plan_remove(name, facts);
    BPD_TRY(apply(plan, env, stop));
    result.removed.push_back("its entry in " + std::string(to_string(kind)));
    result.warnings.insert(result.warnings.end(), plan.warnings.begin(), plan.warnings.end());
  }
  const auto remove_file = [&](const fs::path& path) {
    const auto gone = env.files.remove(path);
    if (gone) result.removed.push_back(text_of(path));
    if (!gone && gone.error().code != ErrorCode::not_found) {
      result.warnings.push_back(gone.error().message);
    }
  };
  const fs::path job_file = job_path(name, env.places);
  if (const auto gone = env.files.remove(job_file)) {
    result.removed.push_back(text_of(job_file));
  } else if (gone.error().code != ErrorCode::not_found) {
    return fail(gone.error().code,
                "The schedule '" + name + "' is still there: " + gone.error().message,
                std::string(result.removed.empty() ? "" : "Its entry is gone. ") +
                    "Remove that file, or make it removable and run " +
                    say(Action::remove_schedule) + " again.");
  }
  if (result.removed.empty() && !job) return fail(job.error());
  withdraw_request(name, env);
  for (const fs::path& log : logs_of(name, env)) remove_file(log);
  if (job) tell_destination(job->snapshot.destination, env, stop, result.warnings);

  std::vector<UnusableJob> unusable;
  if (list_jobs(env.places, env.files, unusable).empty() && unusable.empty()) {
    const fs::path program = scheduled_program(env.places);
    const bool was_there = env.files.info(program).has_value();
    if (any_entry(gather_host_facts(env, {}))) {
      result.warnings.push_back(
          "The program that schedules run stays: there are entries without a job. " +
          say(Action::list_schedules) + " names them; " + say(Action::remove_schedule) +
          " removes them.");
    } else if (auto gone = remove_scheduled_program(env); !gone) {
      result.warnings.push_back(gone.error().message);
    } else if (was_there) {
      result.removed.push_back(text_of(program));
    }
    remove_empty_folders(env);
  }
  return result;
}

}  // namespace core
