// One run of the schedule of a folder: a snapshot of each database below it.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/schedule/due.h"
#include "core/schedule/job.h"
#include "core/snapshot/snapshot.h"

namespace core {

struct MemberRun {
  fs::path source;
  bool done_before = false;                  // well, in this period: nothing was tried
  std::optional<SnapshotResult> snapshot{};  // what was taken
  std::optional<Error> error{};              // else why not
};

struct FolderRun {
  std::vector<MemberRun> members;  // by source
  std::vector<Warning> warnings;   // of the folder; each member's are its own
  std::optional<Error> error;      // of the whole: some members failed, or none could be found
};

struct FolderRunOptions {
  bool again = false;    // also those that were done in this period
  int max_attempts = 1;  // at a busy database, kRetryPause apart, when all others are done
  DuePeriod period{};
};

// What is not begun by then is left to the next run, which is told as a failure.
inline constexpr std::chrono::hours kMaxFolderRun{3};
inline constexpr std::chrono::minutes kRetryPause{10};
inline constexpr std::size_t kMaxNamedFailures = 5;

// Takes a snapshot of each database, in turn; what is wrong with one keeps no other from its own.
// Each stands in history.db as a run of its own, and behind them one of kind kFolderRun tells what
// came of all. A database of an earlier run that is gone since is told once, as a warning; one that
// the search could not look at, or did not come to, is tried as the others are. Where there is no
// database at all, as below a disk that is not attached, the run fails (not_found). Reports
// databases on `progress`.
FolderRun run_folder(const BackupJob& job, const FolderRunOptions& options, const Env& env,
                     ProgressSink& progress, std::stop_token stop);

}  // namespace core
