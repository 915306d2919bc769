// Runs the job of a schedule.
#include "core/schedule/run_job.h"

#include <algorithm>
#include <utility>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/schedule/attempt.h"
#include "core/schedule/due.h"
#include "core/schedule/installed_program.h"
#include "core/schedule/kept_jobs.h"
#include "core/schedule/launchd.h"
#include "core/schedule/success.h"

namespace core {

namespace {

// Enough to hold every run of one period: hourly, with all attempts.
constexpr std::size_t kMaxRunsLookedAt = 500;
// What a run by hand or of systemd waits for one that is just ending.
constexpr std::chrono::milliseconds kLockTimeout{2'000};
constexpr int kPingRetries = 2;

fs::path request_path(const std::string& name, const Places& places) {
  return places.state / "requests" / name;
}

bool take_request(const std::string& name, const Env& env) {
  const auto text = env.files.read(request_path(name, env.places), 64);
  if (!text) return false;
  withdraw_request(name, env);
  const auto written = parse_instant(text->substr(0, text->find('\n')));
  if (!written) return false;
  const auto age = env.clock.now() - *written;
  return age < kRequestLifetime && age > -kRequestLifetime;
}

// Where the history cannot be read, manifests tell; where these cannot either, the run is due: one
// snapshot too many harms nobody.
bool due_now(const BackupJob& job, const Env& env) {
  const Instant now = env.clock.now();
  const auto runs =
      runs_of(job, job.run_kind(), kMaxRunsLookedAt, env).value_or(std::vector<RunRecord>());
  return is_due(due_period(env.clock, due_times(job), now), now, job.scheduled_since,
                successes_of(job, runs, env));
}

// The due runs of an hour do not all start in one second. Who waits for a run does not wait for
// that.
Expected<> wait_for_turn(const BackupJob& job, const RunOptions& options, const Env& env,
                         const std::stop_token& stop) {
  const auto delay = start_delay(job);
  const bool waits = options.scheduled && options.if_due && delay.count() > 0 &&
                     !has_request(job.name, env) && due_now(job, env);
  if (!waits || env.clock.sleep_for(delay, stop)) return {};
  return fail(ErrorCode::cancelled, "Stopped before '" + job.name + "' began.");
}

std::string quoted_for_curl(const std::string& url) {
  std::string out;
  for (const char c : url) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// "/start" goes before a query: https://hc-ping.com/<uuid>/start?rid=…
std::string ping_address(const std::string& url, std::string_view suffix) {
  const std::size_t end = std::min(url.find_first_of("?#"), url.size());
  std::string path = url.substr(0, end);
  if (!suffix.empty() && path.ends_with('/')) path.pop_back();
  return path + std::string(suffix) + url.substr(end);
}

// Which part of a run is told of.
enum class LegOfRun { local, offsite };
std::string_view to_string(LegOfRun leg) {
  return leg == LegOfRun::local ? "local" : "offsite";
}

// The URL goes in by standard input: arguments are there for every user to see. A monitor shows the
// agent, which tells the leg.
void ping(const BackupJob& job, LegOfRun leg, std::string_view suffix, int retries, const Env& env,
          std::stop_token stop, std::vector<Warning>& warnings) {
  if (job.ping_url.empty() || stop.stop_requested()) return;
  const auto curl = env.places.variables.find("BPD_CURL");
  Command command;
  command.argv = {curl == env.places.variables.end() ? "curl" : curl->second,
                  "-q",
                  "-fsS",
                  "-g",  // no globs: one URL is one call
                  "--proto",
                  "=http,https",
                  "--max-time",
                  std::to_string(kPingTimeout.count() / 1000),
                  "--retry",
                  std::to_string(retries),
                  "-o",
                  "-",
                  "--config",
                  "-"};
  if (leg == LegOfRun::offsite) {
    command.argv.insert(command.argv.end(), {"--user-agent", "backup-plugin-db (leg: offsite)"});
  }
  command.input = "url = \"" + quoted_for_curl(ping_address(job.ping_url, suffix)) + "\"\n";
  command.timeout = kPingTimeout * (retries + 2);
  const auto result = env.commands.run(command, stop);
  if (result && result->exit_code == 0) return;
  std::string why = result ? result->error_output : result.error().message;
  why = why.substr(0, why.find('\n'));
  if (!why.ends_with('.')) why += '.';
  warnings.emplace_back("ping_url" + std::string(suffix) + " was not reached: " + why,
                        WarningKind::ping);
}

std::string destination_of(const BackupJob& job, LegOfRun leg) {
  return leg == LegOfRun::offsite ? text_of(job.offsite->remote)
                                  : text_of(job.snapshot.destination);
}

void call_on_failure(const BackupJob& job, LegOfRun leg, const Error& error, const Env& env,
                     std::stop_token stop, std::vector<Warning>& warnings) {
  if (job.on_failure.empty() || stop.stop_requested()) return;
  Command command;
#ifdef _WIN32
  command.argv = {"cmd.exe", "/c", job.on_failure};
#else
  command.argv = {"/bin/sh", "-c", job.on_failure};
#endif
  command.extra_environment = {{"BACKUP_PLUGIN_DB_SCHEDULE", job.name},
                               {"BACKUP_PLUGIN_DB_SOURCE", text_of(job.place())},
                               {"BACKUP_PLUGIN_DB_DESTINATION", destination_of(job, leg)},
                               {"BACKUP_PLUGIN_DB_LEG", std::string(to_string(leg))},
                               {"BACKUP_PLUGIN_DB_ERROR", std::string(to_string(error.code)) +
                                                              ": " + plain_text(error.message)}};
  command.timeout = kOnFailureTimeout;
  const auto result = env.commands.run(command, stop);
  const auto warn = [&](const std::string& what) {
    warnings.emplace_back("on_failure " + what, WarningKind::on_failure);
  };
  if (!result) {
    warn("could not be run: " + result.error().message);
  } else if (result->timed_out) {
    warn("did not end within a minute and was stopped.");
  } else if (result->exit_code != 0) {
    warn("ended with exit code " + std::to_string(result->exit_code) + ".");
  }
}

Expected<SnapshotResult> try_snapshot(const BackupJob& job, const SnapshotRequest& request,
                                      int max_attempts, int& attempts, const Env& env,
                                      ProgressSink& progress, std::stop_token stop) {
  while (true) {
    ++attempts;
    auto result = attempt_snapshot(request, env, progress, stop);
    if (result || result.error().code != ErrorCode::busy || attempts >= max_attempts) return result;
    if (!env.clock.sleep_for(kRetryPause, stop)) {
      return fail(ErrorCode::cancelled, "Stopped while waiting to try '" + job.name + "' again.");
    }
  }
}

std::string log_line(const Env& env, const std::string& text) {
  return format_instant(env.clock.now()) + " " + text + "\n";
}

// systemd keeps what the program prints; for the others the program keeps a log of its own.
void log_end(const BackupJob& job, const RunOptions& options, const std::string& text,
             const Env& env) {
  if (!options.scheduled || job.scheduler == SchedulerKind::systemd) return;
  // A full disk has its own, louder error.
  (void)append_log(job.name, log_line(env, plain_text(text)), env);
}

// launchd gives the program's output to a file that it never trims. What this run still writes goes
// to the renamed one.
void rotate_launchd_output(const BackupJob& job, const Env& env) {
  if (job.scheduler != SchedulerKind::launchd) return;
  const fs::path path = launchd_output_path(job.name, env.places.state / "logs");
  const auto info = env.files.info(path);
  if (info && info->bytes > kMaxLogBytes) (void)env.files.rename(path, text_of(path) + ".1");
}

std::string success_text(const SnapshotResult& result) {
  if (result.unchanged) return "unchanged, still the state of " + text_of(result.snapshot);
  return "wrote " + text_of(result.snapshot) + ", " + std::to_string(result.manifest.bytes) +
         " bytes, " +
         (result.verification ? std::string(to_string(result.verification->verdict))
                              : "not verified");
}

std::string success_text(const OffsiteRun& run) {
  std::string text;
  for (const OffsiteCopy& copy : run.copies) {
    const bool sent = copy.what == OffsiteCopy::What::sent;
    text += "\nOff-site: " + std::string(sent ? "copied to and read back from " : "stands: ") +
            copy.copy;
  }
  for (const OffsiteFailure& failure : run.failures) {
    text += "\nOff-site: still owed, will be tried again: " + failure.error.message;
  }
  return text;
}

std::string success_text(const JobRun& run) {
  std::string text = "'" + run.job.name + "': ";
  if (run.snapshot) text += success_text(*run.snapshot);
  if (!run.members.empty()) text += std::to_string(run.members.size()) + " databases";
  for (const MemberRun& member : run.members) {
    text += "\n" + text_of(member.source) + ": " +
            (member.snapshot ? success_text(*member.snapshot) : "done before in this period");
  }
  text += success_text(run.offsite);
  for (const Warning& warning : run.warnings) text += "\nWarning: " + warning.text;
  return text;
}

// Tells everybody who wants to know. Returns the error with what went wrong on the way.
Error end_in_failure(JobRun& run, LegOfRun leg, Error error, const RunOptions& options,
                     const Env& env, std::stop_token stop) {
  const BackupJob& job = run.job;
  call_on_failure(job, leg, error, env, stop, run.warnings);
  ping(job, leg, "/fail", kPingRetries, env, stop, run.warnings);
  (void)add_run_warnings(job.name, run.warnings, env);  // the failure itself comes first
  for (const Warning& warning : run.warnings) error.hint += " Also: " + warning.text;
  const std::string text = "'" + job.name + "' failed: " + std::string(to_string(error.code)) +
                           ": " + error.message + " " + error.hint;
  log_end(job, options, text, env);
  return error;
}

// Of one database. The error is the run's; `told` gets the warnings that its record has already.
std::optional<Error> run_one(JobRun& run, bool asked_for, int max_attempts,
                             std::vector<Warning>& told, const Env& env, ProgressSink& progress,
                             const std::stop_token& stop) {
  SnapshotRequest request = snapshot_of(run.job);
  request.schedule = run.job.name;
  request.unless_unchanged = !asked_for;  // who asks for a run gets a snapshot
  auto result = try_snapshot(run.job, request, max_attempts, run.attempts, env, progress, stop);
  if (!result) return result.error();
  auto failed = drill_if_due(run.job, *result, run.warnings, env, progress, stop);
  told = result->warnings;
  run.snapshot = std::move(*result);
  return failed;
}

std::optional<Error> run_members(JobRun& run, bool asked_for, int max_attempts,
                                 std::vector<Warning>& told, const Env& env, ProgressSink& progress,
                                 const std::stop_token& stop) {
  FolderRunOptions options;
  options.again = asked_for;
  options.max_attempts = max_attempts;
  options.period = due_period(env.clock, due_times(run.job), env.clock.now());
  FolderRun result = run_folder(run.job, options, env, progress, stop);
  run.members = std::move(result.members);
  told = std::move(result.warnings);
  for (const MemberRun& member : run.members) {
    if (!member.snapshot) continue;
    for (const Warning& warning : member.snapshot->warnings) {
      told.emplace_back(text_of(member.source) + ": " + warning.text, warning.kind);
    }
  }
  return result.error;
}

// The snapshots, and what is told of them. The error, where they failed, has been told of.
std::optional<Error> run_local_leg(JobRun& run, bool asked_for, std::vector<Warning>& told,
                                   const RunOptions& options, const Env& env,
                                   ProgressSink& progress, const std::stop_token& stop) {
  const BackupJob& job = run.job;
  ping(job, LegOfRun::local, "/start", 0, env, stop, run.warnings);
  const int max_attempts = asked_for || !options.scheduled ? 1 : kMaxAttempts;
  const auto work = job.is_of_folder() ? run_members : run_one;
  auto failed = work(run, asked_for, max_attempts, told, env, progress, stop);
  const bool taken = run.snapshot || !run.members.empty();
  if (taken) {
    if (auto kept = keep_jobs(job.snapshot.destination, env, stop); !kept) {
      run.warnings.emplace_back("What the schedules are is not kept beside their snapshots: " +
                                kept.error().message);
    }
  }
  if (failed) {
    return end_in_failure(run, LegOfRun::local, std::move(*failed), options, env, stop);
  }
  (void)add_run_warnings(job.name, run.warnings, env);  // the snapshot is good all the same
  return failed;
}

// Only what is owed. The error is that of an alarm, which has been told of.
std::optional<Error> run_offsite_leg(JobRun& run, std::vector<Warning>& told, bool asked_for,
                                     const RunOptions& options, const Env& env,
                                     ProgressSink& progress, const std::stop_token& stop) {
  if (stop.stop_requested()) return std::nullopt;
  const auto owed = owes_offsite(run.job, env);
  if (owed && !*owed) return std::nullopt;
  OffsiteOptions leg_options;
  leg_options.spares_metered = options.scheduled && !asked_for;
  auto ran = owed ? run_offsite(run.job, leg_options, env, progress, stop)
                  : Expected<OffsiteRun>(fail(owed.error()));
  std::optional<Error> alarm = ran ? ran->alarm() : ran.error();
  if (ran) run.offsite = std::move(*ran);
  for (const OffsiteCopy& copy : run.offsite.copies) {
    for (const std::string& warning : copy.warnings) told.emplace_back(warning);
  }
  if (!alarm) return std::nullopt;
  return end_in_failure(run, LegOfRun::offsite, std::move(*alarm), options, env, stop);
}

Expected<JobRun> run_locked(const BackupJob& job, bool local_due, bool asked_for,
                            const RunOptions& options, const Env& env, ProgressSink& progress,
                            std::stop_token stop) {
  JobRun run;
  run.job = job;
  if (options.scheduled) rotate_launchd_output(job, env);
  std::vector<Warning> told;  // stand in records already
  std::optional<Error> failed;
  if (local_due) failed = run_local_leg(run, asked_for, told, options, env, progress, stop);
  std::vector<Warning> recorded = std::exchange(run.warnings, {});
  const auto offsite_failed = run_offsite_leg(run, told, asked_for, options, env, progress, stop);
  if (failed && offsite_failed) failed->hint += " Also: " + offsite_failed->message;
  if (failed || offsite_failed) return fail(failed ? *failed : *offsite_failed);
  // A look alone that comes to nothing says nothing of the schedule.
  const auto leg = local_due ? LegOfRun::local : LegOfRun::offsite;
  if (local_due || run.offsite.failures.empty()) {
    ping(job, leg, "", kPingRetries, env, stop, run.warnings);
  }
  (void)add_run_warnings(job.name, run.warnings, env);
  run.warnings.insert(run.warnings.begin(), recorded.begin(), recorded.end());
  run.warnings.insert(run.warnings.end(), told.begin(), told.end());
  log_end(job, options, success_text(run), env);
  return run;
}

}  // namespace

Expected<JobRun> run_job(const std::string& name, const RunOptions& options, const Env& given,
                         ProgressSink& progress, std::stop_token stop) {
  const Places places =
      options.scheduled ? places_of_scheduled_run(given.places, given.files) : given.places;
  const Env env{given.clock, given.files, given.commands, places};
  const Instant started_at = env.clock.now();
  const auto job = read_job(name, places, env.files);
  if (!job) {
    if (options.scheduled) record_unless_recorded(name, nullptr, job.error(), started_at, env);
    return fail(job.error());
  }
  BPD_TRY(wait_for_turn(*job, options, env, stop));
  const auto lock =
      lock_run(name, options.if_due ? std::chrono::milliseconds(0) : kLockTimeout, env, stop);
  if (!lock) {
    if (options.if_due && lock.error().code == ErrorCode::busy) {
      JobRun run;
      run.outcome = JobRun::Outcome::already_running;
      run.job = *job;
      return run;
    }
    record_unless_recorded(name, &*job, lock.error(), started_at, env);
    // Who started it by hand sees the other run; an alarm would be false.
    if (lock.error().code == ErrorCode::busy && !options.scheduled) return fail(lock.error());
    JobRun run;
    run.job = *job;
    return fail(end_in_failure(run, LegOfRun::local, lock.error(), options, env, stop));
  }
  const bool asked_for = options.scheduled && take_request(name, env);
  const bool local_due = !options.if_due || asked_for || due_now(*job, env);
  if (!local_due && !owes_offsite(*job, env).value_or(false)) {
    JobRun run;
    run.outcome = JobRun::Outcome::not_due;
    run.job = *job;
    return run;
  }
  return run_locked(*job, local_due, asked_for, options, env, progress, stop);
}

Expected<RunLock> lock_run(const std::string& name, std::chrono::milliseconds timeout,
                           const Env& env, std::stop_token stop) {
  return RunLock::acquire("schedule " + name, "a snapshot for the schedule '" + name + "'", timeout,
                          env, stop);
}

std::string report_of(const JobRun& run, const RunOptions& options) {
  switch (run.outcome) {
    case JobRun::Outcome::not_due:
      return options.scheduled ? "" : "'" + run.job.name + "' is not due.";
    case JobRun::Outcome::already_running:
      return options.scheduled ? "" : "'" + run.job.name + "' is running already.";
    case JobRun::Outcome::done:
      break;
  }
  const bool would_be_mailed = options.scheduled && run.job.scheduler != SchedulerKind::systemd;
  return would_be_mailed && run.warnings.empty() ? "" : success_text(run);
}

Expected<> request_run(const std::string& name, const Env& env) {
  const fs::path path = request_path(name, env.places);
  BPD_TRY(env.files.make_folders(path.parent_path(), kPrivateFolder));
  return env.files.write_atomically(path, format_instant(env.clock.now()) + "\n", kPrivateFile);
}

bool has_request(const std::string& name, const Env& env) {
  return env.files.info(request_path(name, env.places)).has_value();
}

void withdraw_request(const std::string& name, const Env& env) {
  (void)env.files.remove(request_path(name, env.places));  // none there is what is wanted
}

fs::path log_path(const std::string& name, const Places& places) {
  return places.state / "logs" / (name + ".log");
}

Expected<> append_log(const std::string& name, const std::string& text, const Env& env) {
  const fs::path path = log_path(name, env.places);
  BPD_TRY(env.files.make_folders(path.parent_path(), kPrivateFolder));
  auto former = env.files.read(path, kMaxLogBytes);
  if (!former && former.error().code != ErrorCode::not_found &&
      former.error().code != ErrorCode::invalid_argument) {
    return fail(former.error());
  }
  const std::string added = text.substr(0, kMaxLogBytes / 2);
  const bool full = former ? former->size() + added.size() > kMaxLogBytes
                           : former.error().code == ErrorCode::invalid_argument;
  if (full) {
    BPD_TRY(env.files.rename(path, text_of(path) + ".1"));
  }
  return env.files.write_atomically(path, (former && !full ? *former : "") + added, kPrivateFile);
}

}  // namespace core
