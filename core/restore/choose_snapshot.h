// Chooses which snapshot to bring back, and where to: the latest of a source, an older one that
// holds more, the database that one was taken of.
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

// The snapshot of a source that this machine took last, under whatever label. The manifest says
// when (taken_before), not the day in the name, which may be any.
//
// Machines that share a destination may have databases of the same path. Where this machine has
// none there, another's is given, and `whose` says so. Snapshots of this installation under an
// earlier host name count as its own. Where one of these is newer than all under the present name,
// `ask` is set: a home that was copied gives two machines one id.
//
// Errors: not_found when there is none, damaged when each is passed over.
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
