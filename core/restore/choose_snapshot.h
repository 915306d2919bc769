// Which snapshot to bring back, and where to: the latest of a source, whether an older one holds
// more, and the database that one was taken of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/catalog/catalog.h"
#include "core/catalog/loss.h"

namespace core {

// What `latest` does with snapshots that a check of this user found damaged.
enum class Damaged { counts, is_passed_over };

struct LatestSnapshot {
  fs::path path;
  std::vector<std::string> warnings;  // what was passed over; not that it is another machine's
  std::string whose{};                // a sentence, where it is not certainly this machine's own
  bool ask = false;  // it may be another database's: nothing to put in place on a mere "latest"
};

// The snapshot of a source that was taken last on this machine, under whatever label, by its
// manifest's word (taken_before: not by the day in its name, which may be any). Machines that share
// a destination have databases of the same path. Where this one has none there, another's is given,
// and `whose` says so. Snapshots of this installation under an earlier host name count as its own;
// one that is newer than all under the present name is to be asked about: a home that was copied
// gives two machines one id. Errors: not_found when there is none, damaged when each is passed
// over.
Expected<LatestSnapshot> latest_snapshot_of(const fs::path& source, const fs::path& destination,
                                            Damaged damaged, const Env& env);

struct Fuller {
  Snapshot snapshot;
  Loss loss;  // what the later one lacks of it
};

// The latest of the older snapshots beside this one, of the same source and not known to be
// damaged, against which this one has lost much (loss_since).
std::optional<Fuller> fuller_before(const fs::path& snapshot, const Manifest& manifest,
                                    const Env& env);

// The database that a snapshot was taken of, as its manifest names it. not_found, damaged and the
// like of read_manifest; invalid_argument where that name is no UTF-8, which a manifest cannot
// hold.
Expected<fs::path> recorded_target(const fs::path& snapshot, const FileSystem& files);

}  // namespace core
