#include "core/offsite/prune_copies.h"

#include <algorithm>
#include <set>

#include "core/base/paths.h"
#include "core/catalog/names.h"
#include "core/catalog/run_records.h"

namespace core {
namespace {

std::vector<RemoteEntry> marked_in(const std::vector<RemoteEntry>& entries) {
  std::set<std::string> marked;
  for (const RemoteEntry& entry : entries) {
    if (entry.path.ends_with(kManifestEnding)) marked.emplace(without_manifest_ending(entry.path));
  }
  std::vector<RemoteEntry> kept = entries;
  std::erase_if(kept, [&](const RemoteEntry& entry) {
    return !entry.path.ends_with(kManifestEnding) && !marked.contains(entry.path);
  });
  return kept;
}

std::string path_on(const RemotePath& root, const fs::path& path) {
  return text_of(path).substr(text_of(root).size() + 1);
}

void remove_copies(PruneResult& result, RemoteStore& store, const RemotePath& root,
                   const std::stop_token& stop) {
  result.freed_bytes = 0;
  for (Expiry& decision : result.decisions) {
    if (!decision.expired) continue;
    const std::string path = path_on(root, decision.snapshot.path);
    auto gone = store.remove(path + std::string(kManifestEnding), stop);
    if (gone) gone = store.remove(path, stop);
    if (gone) {
      result.freed_bytes += decision.snapshot.bytes;
    } else {
      decision.expired = false;
      decision.reason = "could not be removed";
      result.warnings.push_back(gone.error().message);
    }
  }
}

void record(const PruneRequest& request, const Expected<PruneResult>& result, Instant started_at,
            const Env& env) {
  RunRecord run = ended_run("prune", started_at, env);
  run.source = text_of(request.source);
  run.destination = text_of(request.destination);
  if (!result) note_failure(run, result.error());
  (void)record_and_tell(run, env);
}

}  // namespace

Expected<PruneResult> prune_copies(const PruneRequest& request, RemoteStore& store,
                                   const RemotePath& root, const RemoteView& view, const Env& env,
                                   std::stop_token stop) {
  RemoteFiles files(root, marked_in(view.entries), view.work.path(), env.files);
  const Env there{env.clock, files, env.commands, env.places};
  PruneRequest preview = request;
  preview.dry_run = true;
  const Instant started_at = env.clock.now();
  auto result = prune_snapshots(preview, there, stop);
  if (request.dry_run) return result;
  if (result) remove_copies(*result, store, root, stop);
  record(request, result, started_at, env);
  return result;
}

}  // namespace core
