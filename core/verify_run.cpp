#include "core/verify_run.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/history.h"

namespace core {
namespace {

RunRecord record_of(const VerifyRequest& request, const Expected<VerifyReport>& outcome) {
  RunRecord run;
  run.kind = "verify";
  run.snapshot = request.snapshot.string();
  if (!outcome) {
    run.error_code = to_string(outcome.error().code);
    run.error = outcome.error().message;
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
  RunRecord run = record_of(request, outcome);
  run.started_at = started_at;
  run.finished_at = env.clock.now();
  const auto recorded = record_run(run, env);
  if (!outcome) return fail(outcome.error());
  VerifyRun result{std::move(*outcome), {}};
  if (!recorded) result.warning = "This check could not be recorded: " + recorded.error().message;
  return result;
}

Expected<> mark_damaged(std::vector<Snapshot>& snapshots, const std::optional<std::string>& source,
                        const Env& env) {
  if (snapshots.empty()) return {};
  RunFilter filter;
  filter.kind = "verify";
  if (source) filter.source = manifest_text(*source);
  filter.limit = kMaxRuns;
  const auto runs = list_runs(filter, env);  // newest first
  if (!runs) return fail(runs.error());
  if (runs->empty()) return {};
  std::multimap<std::string, Snapshot*> undecided;  // by file name
  for (Snapshot& snapshot : snapshots) {
    undecided.emplace(snapshot.path.filename().string(), &snapshot);
  }
  for (const RunRecord& run : *runs) {
    const bool damaged = run.error_code == to_string(ErrorCode::damaged);
    if (!run.ok && !damaged) continue;  // stopped, or inconclusive
    const fs::path checked = run.snapshot;
    const auto [first, last] = undecided.equal_range(checked.filename().string());
    if (first == last) continue;
    const auto resolved = env.files.canonical(checked);
    if (!resolved) continue;
    const auto it = std::find_if(first, last, [&](const auto& entry) {
      return *resolved == env.files.canonical(entry.second->path);
    });
    if (it == last) continue;
    it->second->found_damaged = damaged && run.started_at >= it->second->taken_at();
    undecided.erase(it);
  }
  return {};
}

}  // namespace core
