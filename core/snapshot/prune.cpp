#include "core/snapshot/prune.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/catalog/loss.h"
#include "core/catalog/retention.h"
#include "core/catalog/run_records.h"
#include "core/catalog/series.h"
#include "core/platform/bounds.h"
#include "core/platform/folder_lock.h"
#include "core/platform/run_lock.h"
#include "core/snapshot/snapshot_plan.h"
#include "core/verify/verify_run.h"

namespace core {
namespace {

struct Series {
  fs::path folder;
  std::string stem;
  bool flat = false;  // machines share the folder
  bool operator<(const Series& other) const {
    return std::tie(folder, stem, flat) < std::tie(other.folder, other.stem, other.flat);
  }
};

std::string host_of(const PruneRequest& request, const Env& env) {
  return request.hostname.empty() ? env.places.host : request.hostname;
}

Expected<std::set<Series>> series_of(const PruneRequest& request, const std::string& source,
                                     const Env& env, std::vector<std::string>& warnings) {
  ListFilter filter;
  filter.source = source;
  filter.label = request.label;
  BPD_TRY_AS(page, list_snapshots(request.destination, filter, kMaxSnapshots, "", env.files));
  std::move(page->warnings.begin(), page->warnings.end(), std::back_inserter(warnings));
  const std::string host = host_of(request, env);
  std::set<Series> series;
  for (const auto& snapshot : page->snapshots) {
    if (is_damaged_copy(snapshot)) continue;
    const bool flat = snapshot.host.empty();
    if (flat ? !is_of_other_host(snapshot, host, kByNameAlone) : snapshot.host == host) {
      series.insert({snapshot.path.parent_path(), snapshot.stem, flat});
    }
  }
  if (!series.empty()) return series;
  return fail(
      ErrorCode::not_found,
      text_of(request.destination) + " holds no snapshot of " + source + " by " + host + ".",
      "List what is there with " + say(Action::list_snapshots) +
          ", and name its source, hostname and label.");
}

// The newest against the one before: what the alarm of the nightly run says as well.
std::optional<std::string> shrink_of(const std::vector<Snapshot>& series) {
  std::vector<const Snapshot*> known;
  for (const auto& snapshot : series) {
    if (snapshot.manifest) known.push_back(&snapshot);
  }
  if (known.size() < 2) return std::nullopt;
  const auto warning = shrink_warning(*known[1], holdings_of(*known[0]->manifest));
  if (!warning) return std::nullopt;
  return warning->text + " The fuller one stays, whatever the rules say.";
}

// In a dry run what would go counts as freed.
void carry_out(const PruneRequest& request, std::vector<Expiry> decisions, const Env& env,
               PruneResult& result) {
  if (auto warning = unusable_warning(decisions)) result.warnings.push_back(std::move(*warning));
  if (request.dry_run) {
    for (const auto& decision : decisions) {
      if (decision.expired) result.freed_bytes += decision.snapshot.bytes;
    }
  } else {
    auto report = remove_expired(decisions, env.files);
    result.freed_bytes += report.freed_bytes;
    std::move(report.warnings.begin(), report.warnings.end(), std::back_inserter(result.warnings));
  }
  std::move(decisions.begin(), decisions.end(), std::back_inserter(result.decisions));
}

Expected<> prune_series(const PruneRequest& request, const Series& series, const Env& env,
                        std::stop_token stop, PruneResult& result) {
  const auto& [folder, stem, flat] = series;
  std::optional<RunLock> lock;
  std::optional<FolderLock> folder_lock;
  if (!request.dry_run) {
    BPD_TRY_AS(locked,
               RunLock::acquire(series_lock_key(folder, stem),
                                "pruning the snapshots of " + stem + " in " + text_of(folder),
                                request.lock_timeout, env, stop));
    lock.emplace(std::move(*locked));
    BPD_TRY_AS(folder_locked, FolderLock::acquire(folder, request.lock_timeout, env, stop));
    folder_lock.emplace(std::move(*folder_locked));
  }
  BPD_TRY_AS(listed, series_for_retention(folder, stem, flat ? host_of(request, env) : "",
                                          result.source, env));
  if (auto shrunk = shrink_of(*listed)) result.warnings.push_back(std::move(*shrunk));
  const Date today = env.clock.local_date(env.clock.now());
  auto decisions = choose_expired(std::move(*listed), result.source, request.policy, today);
  carry_out(request, std::move(decisions), env, result);
  return {};
}

Expected<PruneResult> prune(const PruneRequest& request, const Env& env, std::stop_token stop) {
  PruneResult result;
  result.source = text_of(request.source);
  BPD_TRY_AS(all, series_of(request, result.source, env, result.warnings));
  for (const auto& series : *all) {
    if (stop.stop_requested()) {
      return fail(ErrorCode::cancelled, "Pruning was stopped; what had gone by then is gone.");
    }
    if (auto pruned = prune_series(request, series, env, stop, result); !pruned) {
      if (result.freed_bytes == 0 || request.dry_run) return fail(pruned.error());
      // What has gone by now must be told all the same.
      result.warnings.push_back("The snapshots of " + series.stem + " in " +
                                text_of(series.folder) +
                                " were not pruned: " + pruned.error().message);
    }
  }
  return result;
}

void record(const PruneRequest& request, Instant started_at, const Env& env,
            Expected<PruneResult>& result) {
  RunRecord run = ended_run("prune", started_at, env);
  run.source = text_of(request.source);
  run.destination = text_of(request.destination);
  if (!result) note_failure(run, result.error());
  auto told = record_and_tell(run, env);
  if (result) std::move(told.begin(), told.end(), std::back_inserter(result->warnings));
}

}  // namespace

Expected<std::vector<Snapshot>> series_for_retention(const fs::path& folder,
                                                     const std::string& stem,
                                                     const std::string& only_host,
                                                     const std::string& source, const Env& env) {
  BPD_TRY_AS(series, list_series(folder, stem, env.files));
  if (!only_host.empty()) {
    std::erase_if(*series, [&](const Snapshot& snapshot) {
      return is_of_other_host(snapshot, only_host, kByNameAlone);
    });
  }
  BPD_TRY(mark_damaged(*series, source, env));
  mark_unusable(*series, env.files);
  return series;
}

Expected<PruneResult> prune_snapshots(const PruneRequest& request, const Env& env,
                                      std::stop_token stop) {
  if (request.policy.empty()) {
    return fail(ErrorCode::invalid_argument, "No keep rule was given, so every snapshot stays.",
                "Give at least one of " + say_parameter("retain_days") + ", " +
                    say_parameter("keep_last") + ", " + say_parameter("keep_hourly") + ", " +
                    say_parameter("keep_daily") + ", " + say_parameter("keep_weekly") + " and " +
                    say_parameter("keep_monthly") + ".");
  }
  BPD_TRY_AS(destination, env.files.canonical(request.destination));
  PruneRequest resolved = request;
  resolved.source = recorded_source(request.source, env.files);
  resolved.destination = *destination;
  const Instant started_at = env.clock.now();
  const Bounds bounds(env, {resolved.destination});
  auto result = prune(resolved, bounds.env(), stop);
  if (!request.dry_run) record(resolved, started_at, env, result);
  return result;
}

}  // namespace core
