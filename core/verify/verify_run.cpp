#include "core/verify/verify_run.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/catalog/run_records.h"

namespace core {
namespace {

RunRecord record_of(const VerifyRequest& request, const Expected<VerifyReport>& outcome,
                    Instant started_at, const Env& env) {
  RunRecord run = ended_run("verify", started_at, env);
  run.snapshot = text_of(env.files.canonical(request.snapshot).value_or(request.snapshot));
  if (!outcome) {
    note_failure(run, outcome.error());
    return run;
  }
  run.ok = outcome->verdict == VerifyReport::Verdict::verified;
  if (outcome->manifest) {
    run.source = outcome->manifest->source;
    run.bytes = outcome->manifest->bytes;
  }
  if (outcome->verdict == VerifyReport::Verdict::damaged) {
    run.error_code = to_string(ErrorCode::damaged);
  }
  for (const auto& check : outcome->checks) {
    if (check.outcome == VerifyCheck::Outcome::passed) continue;
    run.error += (run.error.empty() ? "" : "; ") + check.name + ": ";
    run.error += check.findings.empty() ? check.reason : check.findings.front();
  }
  return run;
}

}  // namespace

Expected<VerifyRun> verify_and_record(const VerifyRequest& request, const Env& env,
                                      ProgressSink& progress, std::stop_token stop) {
  const Instant started_at = env.clock.now();
  auto outcome = verify_snapshot(request, env, progress, std::move(stop));
  auto told = record_and_tell(record_of(request, outcome, started_at, env), env);
  if (!outcome) return fail(outcome.error());
  return VerifyRun{std::move(*outcome), std::move(told)};
}

Expected<> mark_damaged(std::vector<Snapshot>& snapshots, const std::optional<std::string>& source,
                        const Env& env) {
  if (snapshots.empty()) return {};
  RunFilter filter;
  filter.kind = "verify";
  if (source) filter.source = manifest_text(*source);
  filter.limit = kMaxRuns;
  const auto runs = list_runs(filter, env);  // newest first
  // A newer version's history stays closed to this one, and manifests know nearly as much: what
  // it cannot be read for must not end retention.
  if (!runs && runs.error().code == ErrorCode::unsupported) return {};
  if (!runs) return fail(runs.error());
  if (runs->empty()) return {};
  std::map<fs::path, fs::path> folders;  // with their links resolved, each once
  const auto resolve = [&](const fs::path& path) {
    const auto [folder, added] = folders.try_emplace(path.parent_path());
    if (added) folder->second = env.files.canonical(folder->first).value_or(folder->first);
    return folder->second / path.filename();
  };
  std::map<fs::path, Snapshot*> undecided;
  for (Snapshot& snapshot : snapshots) {
    if (!is_damaged_copy(snapshot)) undecided.emplace(resolve(snapshot.path), &snapshot);
  }
  for (const RunRecord& run : *runs) {
    const bool damaged = run.error_code == to_string(ErrorCode::damaged);
    if (!run.ok && !damaged) continue;  // stopped, or inconclusive
    const auto it = undecided.find(resolve(path_of(run.snapshot)));
    if (it == undecided.end()) continue;
    it->second->found_damaged = damaged && run.started_at >= it->second->taken_at();
    undecided.erase(it);
  }
  return {};
}

}  // namespace core
