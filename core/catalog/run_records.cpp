#include "core/catalog/run_records.h"

#include "core/base/paths.h"

namespace core {

RunRecord ended_run(std::string kind, Instant started_at, const Env& env) {
  RunRecord run;
  run.kind = std::move(kind);
  run.started_at = started_at;
  run.finished_at = env.clock.now();
  run.ok = true;
  return run;
}

void note_failure(RunRecord& run, const Error& error) {
  run.ok = false;
  run.error_code = to_string(error.code);
  run.error = error.hint.empty() ? error.message : error.message + " " + error.hint;
}

std::string recorded_path(const fs::path& path, const Env& env) {
  if (path.empty()) return "";
  if (auto resolved = env.files.canonical(path)) return text_of(*resolved);
  return text_of((env.places.current_folder / path).lexically_normal());
}

}  // namespace core
