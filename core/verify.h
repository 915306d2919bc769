// Checks that a snapshot is what its manifest says and that SQLite can use all of it.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/env.h"
#include "core/manifest.h"
#include "core/progress.h"

namespace core {

struct VerifyCheck {
  enum class Outcome { passed, failed, skipped };
  std::string name;  // "digest", "header", "quick_check", "integrity_check", "foreign_keys",
                     // "full_text", "row_counts", "live_source"
  Outcome outcome = Outcome::skipped;
  std::vector<std::string> findings;  // at most kMaxFindings when failed
  std::string reason;                 // why it was skipped
  double elapsed_ms = 0;
};
inline constexpr std::size_t kMaxFindings = 20;

struct VerifyReport {
  enum class Verdict {
    verified,      // every check that applies passed
    damaged,       // at least one failed
    inconclusive,  // none failed, but one that matters could not run
  };
  fs::path path;
  Verdict verdict = Verdict::inconclusive;
  std::vector<VerifyCheck> checks;
  std::optional<Manifest> manifest;
  double elapsed_ms = 0;
};
std::string_view to_string(VerifyReport::Verdict verdict);
std::string_view to_string(VerifyCheck::Outcome outcome);

struct VerifyRequest {
  fs::path snapshot;
  VerifyLevel level = VerifyLevel::quick;  // full: integrity_check in place of quick_check
  // A digest that the caller just computed over these bytes as it wrote them; read again if empty.
  std::string known_sha256;
  // What the file must match when its manifest is not on disk yet (a snapshot about to be
  // published); otherwise the manifest beside the file is read.
  std::optional<Manifest> expected;
  // Compare schema and row counts with this live database, read-only; differences are information,
  // not damage.
  std::optional<fs::path> live_source;
};

// Opens the file immutable: creates, locks and changes nothing beside it. The manifest is read if
// there is one; without it digest and row counts are skipped with that reason. Progress in steps,
// phase = the check's name; a stop request ends it within 100 ms (cancelled). An Error is returned
// only where there is nothing to judge: not_found, permission_denied, cancelled.
Expected<VerifyReport> verify_snapshot(const VerifyRequest& request, const Env& env,
                                       ProgressSink& progress, std::stop_token stop);

// The newest snapshot of a source under a destination; not_found when there is none.
Expected<fs::path> latest_snapshot_of(const fs::path& source, const fs::path& destination,
                                      const FileSystem& files);

}  // namespace core
