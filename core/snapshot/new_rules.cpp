#include "core/snapshot/new_rules.h"

#include <algorithm>
#include <utility>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/snapshot/snapshot.h"
#include "core/snapshot/snapshot_plan.h"

namespace core {
namespace {

// False where the newest snapshot of this source tells of the same rules.
Expected<bool> are_new(const SnapshotRequest& request, const Env& env) {
  BPD_TRY_AS(plan, plan_snapshot(request, env));
  const auto series = list_series(plan->folder, plan->name.stem, env.files);
  if (!series && series.error().code == ErrorCode::not_found) return false;
  if (!series) return fail(series.error());
  const std::string source = manifest_text(text_of(plan->source));
  const auto newest = std::find_if(series->begin(), series->end(), [&](const Snapshot& snapshot) {
    return snapshot.manifest && snapshot.manifest->source == source;
  });
  return newest != series->end() && newest->manifest->keep_rules != rules_of(request.retention);
}

}  // namespace

Expected<std::vector<Expiry>> removals_by_new_rules(const SnapshotRequest& request, const Env& env,
                                                    std::stop_token stop) {
  std::vector<Expiry> removals;
  if (request.retention.empty()) return removals;
  BPD_TRY_AS(is_new, are_new(request, env));
  if (!*is_new) return removals;
  SnapshotRequest rehearsal = request;
  rehearsal.dry_run = true;
  NoProgress no_progress;
  BPD_TRY_AS(result, take_snapshot(rehearsal, env, no_progress, std::move(stop)));
  for (Expiry& decision : result->retention) {
    if (decision.expired) removals.push_back(std::move(decision));
  }
  return removals;
}

Error unconfirmed_removal(const std::string& whose, const std::vector<Expiry>& expired) {
  std::string text = whose + " " + std::to_string(expired.size()) +
                     (expired.size() == 1 ? " snapshot: " : " snapshots: ");
  for (std::size_t i = 0; i < std::min(expired.size(), kMaxNamedRemovals); ++i) {
    text += (i == 0 ? "" : ", ") + text_of(expired[i].snapshot.path);
  }
  if (expired.size() > kMaxNamedRemovals) {
    text += " and " + std::to_string(expired.size() - kMaxNamedRemovals) + " more";
  }
  return {ErrorCode::needs_confirmation, text + ". A removed snapshot is gone for good.",
          "Only after the user's yes to this: the same call with " +
              say_parameter("confirm", true) + "; or keep more. " + say_parameter("dry_run", true) +
              " lists all of it."};
}

}  // namespace core
