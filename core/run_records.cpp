#include "core/run_records.h"

namespace core {
namespace {

std::string absolute_text(const fs::path& path, const Env& env) {
  if (path.empty()) return "";
  if (auto resolved = env.files.canonical(path)) return resolved->string();
  return (env.places.current_folder / path).lexically_normal().string();
}

template <class Result>
RunRecord begin_record(const char* kind, const Expected<Result>& outcome, Instant started_at,
                       const Env& env) {
  RunRecord run;
  run.kind = kind;
  run.started_at = started_at;
  run.finished_at = env.clock.now();
  run.ok = outcome.has_value();
  if (outcome) {
    for (const std::string& warning : outcome->warnings) {
      run.warnings += (run.warnings.empty() ? "" : "\n") + warning;
    }
  } else {
    run.error_code = to_string(outcome.error().code);
    run.error = outcome.error().message + " " + outcome.error().hint;
  }
  return run;
}

}  // namespace

RunRecord record_of(const SnapshotRequest& request, const Expected<SnapshotResult>& outcome,
                    Instant started_at, const Env& env) {
  RunRecord run = begin_record("snapshot", outcome, started_at, env);
  run.schedule = request.schedule;
  run.source = absolute_text(request.source, env);
  run.destination = absolute_text(request.destination, env);
  if (outcome) {
    run.snapshot = outcome->snapshot.string();
    run.bytes = outcome->manifest.bytes;
  }
  return run;
}

RunRecord record_of(const RestoreRequest& request, const fs::path& target,
                    const Expected<RestoreResult>& outcome, Instant started_at, const Env& env) {
  RunRecord run = begin_record("restore", outcome, started_at, env);
  run.source = target.string();
  run.snapshot = request.snapshot.string();
  return run;
}

}  // namespace core
