// Retention by hand: lets snapshots of one source go by a policy, or shows what would go.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/catalog/catalog.h"
#include "core/catalog/retention.h"

namespace core {

struct PruneRequest {
  fs::path source;  // need not exist any more
  fs::path destination;
  std::string hostname;              // empty: Places::host, and a destination without host folders
  std::optional<std::string> label;  // only this one; absent: every series of the source
  RetentionPolicy policy;
  bool dry_run = true;
  std::chrono::milliseconds lock_timeout{60'000};  // for another run on the same series
};

struct PruneResult {
  std::string source;                 // as manifests name it
  std::vector<Expiry> decisions;      // newest first within a series; what went and what stays
  std::uint64_t freed_bytes = 0;      // of what went; in a dry run of what would go
  std::vector<std::string> warnings;  // a file that could not be removed, a series that shrank, …
};

// A series belongs to the source when one of its manifests names it. Never removes what
// choose_expired protects. Excludes other runs on a series while it works on
// it, and records the run in history.db, except in a dry run. Errors: invalid_argument (no rule at
// all), not_found (destination; no snapshot of the source), busy, cancelled.
Expected<PruneResult> prune_snapshots(const PruneRequest& request, const Env& env,
                                      std::stop_token stop);

// The series with what is known against each snapshot, as choose_expired wants it; with
// `only_host`, in a folder that machines share, without those of other hosts. Errors of
// list_series, and where the history cannot tell which snapshots were found damaged.
Expected<std::vector<Snapshot>> series_for_retention(const fs::path& folder,
                                                     const std::string& stem,
                                                     const std::string& only_host,
                                                     const std::string& source, const Env& env);

}  // namespace core
