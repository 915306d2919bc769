#include "core/schedule/attempt.h"

#include <algorithm>
#include <exception>

#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/catalog/run_records.h"
#include "core/restore/drill.h"

namespace core {
namespace {

constexpr std::size_t kMaxDrillsLookedAt = 500;

// Whether the newest run of the schedule, of one source where that is given, began since then.
bool is_recorded(const std::string& schedule, std::optional<std::string> source, Instant since,
                 const Env& env) {
  RunFilter filter;
  filter.schedule = schedule;
  filter.source = std::move(source);
  filter.limit = 1;
  const auto newest = list_runs(filter, env);
  return newest && !newest->empty() &&
         newest->front().started_at >= std::chrono::floor<std::chrono::seconds>(since);
}

// The failure itself is what the caller hears of: that it could not be recorded is not told.
void record_failure(RunRecord run, const Error& error, const Env& env) {
  note_failure(run, error);
  (void)record_run(run, env);
}

Expected<SnapshotResult> take_or_fail(const SnapshotRequest& request, const Env& env,
                                      ProgressSink& progress, const std::stop_token& stop) {
  try {
    return take_snapshot(request, env, progress, stop);
  } catch (const std::exception& error) {
    return fail(error_from_exception(error, "The snapshot had to be given up"));
  }
}

// Where the history cannot be read no drill is due: it takes as long as a restore.
bool drill_due(const BackupJob& job, const std::string& source, const Env& env) {
  if (job.drills == Drills::never) return false;
  RunFilter filter;
  filter.kind = "drill";
  filter.source = source;
  filter.limit = kMaxDrillsLookedAt;
  const auto runs = list_runs(filter, env);
  if (!runs) return false;
  return std::none_of(runs->begin(), runs->end(), [&](const RunRecord& run) {
    return run.ok && env.clock.now() - run.finished_at < kDrillPeriod;
  });
}

}  // namespace

Expected<SnapshotResult> attempt_snapshot(const SnapshotRequest& request, const Env& env,
                                          ProgressSink& progress, const std::stop_token& stop) {
  const Instant started_at = env.clock.now();
  auto result = take_or_fail(request, env, progress, stop);
  if (result) return result;
  const std::string source = recorded_path(request.source, env);
  if (is_recorded(request.schedule, source, started_at, env)) return result;
  RunRecord run = ended_run(kSnapshotRun, started_at, env);
  run.schedule = request.schedule;
  run.source = source;
  run.destination = text_of(request.destination);
  record_failure(std::move(run), result.error(), env);
  return result;
}

void record_unless_recorded(const std::string& name, const BackupJob* job, const Error& error,
                            Instant started_at, const Env& env) {
  if (is_recorded(name, std::nullopt, started_at, env)) return;
  RunRecord run = ended_run(job != nullptr ? job->run_kind() : kSnapshotRun, started_at, env);
  run.schedule = name;
  if (job != nullptr) {
    run.source = text_of(job->place());
    run.destination = text_of(job->snapshot.destination);
  }
  record_failure(std::move(run), error, env);
}

std::optional<Error> drill_if_due(const BackupJob& job, const SnapshotResult& taken,
                                  std::vector<Warning>& warnings, const Env& env,
                                  ProgressSink& progress, const std::stop_token& stop) {
  if (!drill_due(job, taken.manifest.source, env)) return std::nullopt;
  const auto result = drill({taken.snapshot, job.name}, env, progress, stop);
  if (result || result.error().code == ErrorCode::busy) return std::nullopt;
  if (result.error().code == ErrorCode::damaged) {
    Error error = result.error();
    error.message = "The snapshot was taken, but the drill with it failed: " + error.message;
    return error;
  }
  warnings.emplace_back("The drill could not be done: " + result.error().message);
  return std::nullopt;
}

}  // namespace core
