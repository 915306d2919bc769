#include "core/offsite/offsite_plan.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "core/base/paths.h"
#include "core/catalog/machine.h"
#include "core/catalog/names.h"
#include "core/catalog/series.h"
#include "core/offsite/rclone_says.h"

namespace core {
namespace {

std::string name_of(const Snapshot& copy) {
  return text_of(copy.path.filename());
}

std::string name_of(const RemoteEntry& entry) {
  return entry.path.substr(entry.path.rfind('/') + 1);
}

const Snapshot* newest_good(const OffsiteScene& scene, const std::string& but = {}) {
  const Snapshot* newest = nullptr;
  for (const Snapshot& copy : scene.copies) {
    if (!is_good_copy(copy) || copy.manifest->source != scene.manifest.source) continue;
    if (name_of(copy) == but) continue;
    if (newest == nullptr || taken_before(*newest, copy, scene.now)) newest = &copy;
  }
  return newest;
}

bool is_canary_lost(const OffsiteScene& scene) {
  if (!scene.canary || find_named(scene.copies, path_of(*scene.canary)) != nullptr) return false;
  const auto& unmarked = scene.unmarked;
  if (std::find(unmarked.begin(), unmarked.end(), *scene.canary) != unmarked.end()) return false;
  return *scene.canary != scene.name || newest_good(scene) == nullptr;
}

bool is_of_another(const Snapshot& copy, const Manifest& ours) {
  if (!copy.manifest) return false;
  return copy.manifest->source != ours.source || is_of_other_host(copy, ours.host, ours.machine);
}

Sending sending_to(const OffsiteScene& scene, const Snapshot* there) {
  if (there == nullptr) return Sending::send;
  if (!is_good_copy(*there) || newest_good(scene, scene.name) != nullptr) return Sending::replace;
  return Sending::wait;
}

}  // namespace

bool is_good_copy(const Snapshot& copy) {
  return copy.restorable() && copy.manifest && !copy.manifest->sha256.empty() &&
         copy.manifest->bytes == copy.bytes;
}

Expected<OffsitePlan> plan_copy(const OffsiteScene& scene) {
  OffsitePlan plan;
  plan.canary_lost = is_canary_lost(scene);
  if (const Snapshot* newest = newest_good(scene);
      newest != nullptr && newest->manifest->sha256 == scene.manifest.sha256) {
    const bool fresh = scene.last_read_back && scene.now - *scene.last_read_back < kReadBackPeriod;
    plan.sending = fresh ? Sending::nothing : Sending::read_back;
    plan.standing = name_of(*newest);
    return plan;
  }
  const Snapshot* there = find_named(scene.copies, path_of(scene.name));
  if (there != nullptr && is_of_another(*there, scene.manifest)) {
    return fail(ErrorCode::conflict,
                text_of(there->path) + " is a copy of " + there->manifest->source + " by " +
                    there->manifest->host + ", and stays.",
                "Give this schedule a label, or another folder on the remote.");
  }
  plan.sending = sending_to(scene, there);
  if (plan.sending == Sending::wait) plan.standing = scene.name;
  return plan;
}

std::vector<Expiry> choose_removals(std::vector<Snapshot> copies, const std::string& source,
                                    const std::string& host, const RetentionPolicy& keep,
                                    Date today) {
  std::erase_if(copies,
                [&](const Snapshot& copy) { return is_of_other_host(copy, host, kByNameAlone); });
  auto decisions = choose_expired(std::move(copies), source, keep, today);
  std::erase_if(decisions, [](const Expiry& decision) { return !decision.expired; });
  std::reverse(decisions.begin(), decisions.end());
  if (decisions.size() > kMaxRemovals) decisions.resize(kMaxRemovals);
  return decisions;
}

std::vector<RemoteEntry> choose_leftovers(const std::vector<RemoteEntry>& entries,
                                          const std::vector<std::string>& ours, Instant now) {
  std::set<std::string> marked;
  for (const RemoteEntry& entry : entries) {
    const std::string name = name_of(entry);
    if (name.ends_with(kManifestEnding)) marked.emplace(without_manifest_ending(name));
  }
  std::vector<RemoteEntry> leftovers;
  for (const RemoteEntry& entry : entries) {
    const std::string name = name_of(entry);
    const bool known = std::find(ours.begin(), ours.end(), name) != ours.end();
    const bool old = entry.modified != Instant{} && now - entry.modified > kUnmarkedAge;
    if (!known || !old || marked.contains(name) || !parse_snapshot_name(name)) continue;
    if (leftovers.size() < kMaxRemovals) leftovers.push_back(entry);
  }
  return leftovers;
}

bool is_alarm(const Error& error, const std::optional<Instant>& last_good, Instant now) {
  return !may_pass(error) || !last_good || now - *last_good >= kOffsitePatience;
}

}  // namespace core
