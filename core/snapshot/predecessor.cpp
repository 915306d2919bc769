#include "core/snapshot/predecessor.h"

#include <set>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/catalog/machine.h"
#include "core/catalog/series.h"

namespace core {
namespace {

std::string hosts_of(const std::vector<Snapshot>& snapshots) {
  std::set<std::string> hosts;
  for (const Snapshot& snapshot : snapshots) hosts.insert(snapshot.host);
  std::string text;
  for (const std::string& host : hosts) text += (text.empty() ? "" : ", ") + host;
  return text;
}

std::string count_of(const std::vector<Snapshot>& snapshots) {
  return std::to_string(snapshots.size()) + (snapshots.size() == 1 ? " snapshot" : " snapshots");
}

}  // namespace

Predecessors look_for_predecessors(const SnapshotPlan& plan, const std::string& machine,
                                   const FileSystem& files, Instant now) {
  Predecessors found;
  if (plan.flat) return found;
  ListFilter filter;
  filter.source = text_of(plan.source);
  filter.stem = plan.name.stem;
  filter.label = plan.label;
  auto page = list_snapshots(plan.destination, filter, kMaxSnapshots, "", files);
  if (!page) return found;
  std::vector<Snapshot> ours, others;
  for (Snapshot& snapshot : page->snapshots) {
    // The folder's name counts: a flat snapshot has none, and the plan's own folder is the series.
    if (snapshot.host.empty() || snapshot.host == plan.host) continue;
    const Whose whose = whose_is(*snapshot.manifest, plan.host, machine);
    (whose == Whose::others ? others : ours).push_back(std::move(snapshot));
  }
  found.latest = latest_of(ours, now);
  if (found.latest) {
    // Lists leave the rows of each table out.
    if (auto manifest = read_manifest(found.latest->path, files))
      found.latest->manifest = *manifest;
    found.notes.push_back("This is the first snapshot under the host name " + plan.host +
                          ". This machine has " + count_of(ours) + " of the same database under " +
                          hosts_of(ours) + "; this one was compared with the latest of them, " +
                          text_of(found.latest->path) +
                          ". Retention leaves them alone: " + say(Action::prune) +
                          " with that hostname lets go of what is not needed.");
  }
  if (const auto latest = latest_of(others, now)) {
    found.notes.push_back("This is the first snapshot under the host name " + plan.host +
                          ". There is also " + count_of(others) + " of the same path under " +
                          hosts_of(others) + ", the latest " + text_of(latest->path) +
                          ". Nothing says that they are this machine's; they were not compared "
                          "with.");
  }
  return found;
}

}  // namespace core
