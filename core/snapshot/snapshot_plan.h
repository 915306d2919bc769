// What a snapshot run is going to do, worked out before anything is touched.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog/catalog.h"
#include "core/catalog/names.h"
#include "core/snapshot/request.h"

namespace core {

// Where everything of one run lies, all symbolic links resolved.
struct SnapshotPlan {
  fs::path source;
  fs::path destination;
  std::string host;
  std::string machine;  // known_machine_id
  std::string label;
  bool label_is_given = true;  // false: nobody can give another (SnapshotRequest::other_label)
  bool flat = false;
  SnapshotName name;
  fs::path folder;    // destination/[host/][label/]
  fs::path snapshot;  // folder/<stem>-YYYY-MM-DD.db, <stem>-YYYY-MM-DDTHHMM.db
};

// Checks the arguments and resolves the paths; reads nothing but the folders' entries, and with an
// other_label the series under it: where that is this source's, the plan is of that label. Errors:
// invalid_argument (no destination, destination inside the source's folder, a label or host that is
// no folder name), not_found, not_a_database, permission_denied, conflict (a link as host's or
// label's folder).
Expected<SnapshotPlan> plan_snapshot(const SnapshotRequest& request, const Env& env);

// The plan under the request's other_label, where that is to be taken in place of `plan`: the
// series there is another source's, and none in it is of this one. Nothing where it is not, or
// where that cannot be read.
std::optional<SnapshotPlan> plan_beside(const SnapshotPlan& plan, const SnapshotRequest& request,
                                        const Env& env);

// A label that tells this source from another one of the same name: the name of the project's
// folder (for /x/shop/.claude/orchestrator/project.db: "shop"), or that with a number if it is
// `taken`.
std::string propose_label(const fs::path& source, const std::string& taken);

// Checks that the place of the snapshot is free or holds an earlier snapshot of the same source,
// and that the series is this source's (conflict otherwise). `series` as list_series gives it.
Expected<> check_place(const SnapshotPlan& plan, const std::vector<Snapshot>& series,
                       const FileSystem& files);

// The error, with the way back where the source is missing, which may have been lost.
Error with_way_back(Error error, const SnapshotRequest& request, const Env& env);

}  // namespace core
