// The copy of a snapshot that a restore makes beside its target: written, checked, mended.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/verify/verify.h"

namespace core {

// What the check of a snapshot leaves to be said about it, unless it found damage.
std::vector<std::string> check_warnings_of(const VerifyReport& report, bool reindex);

struct CopiedSnapshot {
  std::string sha256;  // of the snapshot's own bytes
  bool synced = true;  // false where the file system cannot
};
// Writes the snapshot's bytes to `file`, synced; with `wal` its header then says so.
Expected<CopiedSnapshot> copy_snapshot(const fs::path& snapshot, const fs::path& file, bool wal,
                                       const Env& env, ProgressSink& progress,
                                       std::stop_token stop);

// Builds every index of `file` anew (REINDEX), which nobody else has open and which is in rollback
// mode; with `wal` its header says WAL afterwards. Then checks all of it, and that each table has
// the rows it had. Errors (nothing may be done with the file then): unsupported where that needs
// what only another program has, or where rows are not unique that the index says are.
Expected<> rebuild_indexes(const fs::path& file, bool wal,
                           const std::map<std::string, std::uint64_t>& rows, const Env& env,
                           ProgressSink& progress, std::stop_token stop);

}  // namespace core
