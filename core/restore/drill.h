// A drill: a snapshot is restored to a temporary place, read as its program would read it, and
// removed again.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/verify/verify.h"

namespace core {

struct DrillRequest {
  fs::path snapshot;
  std::string schedule{};  // that drills by itself, for history.db; empty by hand
};

struct DrillResult {
  fs::path snapshot;
  std::string source;  // of which it is, as its manifest names it
  Instant taken_at{};
  VerifyReport::Verdict verdict = VerifyReport::Verdict::inconclusive;
  std::uint64_t tables = 0, rows = 0;  // counted in the restored database
  // The full-text table in which a word of its own text was searched and found; empty for none.
  std::string searched;
  std::vector<std::string> warnings;
};

// Restores below the state folder (restore.h; there must be room for the database), counts the rows
// of each table and compares them with the manifest, searches a word in a full-text index (FTS5),
// and removes what it made. Nothing else is touched. Recorded in history.db as "drill", good or
// bad, as a run of the manifest's source.
//
// Errors: damaged where the snapshot fails its check, or the restored database has not what the
// manifest says; else those of a restore to a new file; busy where another drill goes on.
Expected<DrillResult> drill(const DrillRequest& request, const Env& env, ProgressSink& progress,
                            std::stop_token stop);

}  // namespace core
