// history.db: every run of ours, good or bad. An SQLite file under the user's state folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/error.h"
#include "core/catalog/warning.h"

namespace core {

inline constexpr const char* kSnapshotRun = "snapshot";
// What a folder's schedule came to in one run; the snapshots of its databases have runs of their
// own.
inline constexpr const char* kFolderRun = "folder";
// A copy of one database's newest snapshot off this machine: `destination` is its remote.
inline constexpr const char* kOffsiteRun = "offsite";

struct RunRecord {
  std::int64_t id = 0;
  std::string kind;         // one of the above, "verify", "restore", "drill", "prune", "history"
  std::string schedule;     // the schedule's name for a scheduled run; empty by hand
  std::string source;       // absolute
  std::string destination;  // absolute
  std::string snapshot;     // absolute path of what was made or checked; may be empty
  Instant started_at{};
  Instant finished_at{};
  bool ok = false;
  std::string error_code;   // to_string(ErrorCode), empty when ok
  std::string error;        // message and hint
  std::uint64_t bytes = 0;  // of what was written or checked
  std::vector<Warning> warnings;

  // A good snapshot run that had nothing to write: `snapshot`, an earlier one, has this state.
  bool unchanged() const { return kind == kSnapshotRun && ok && bytes == 0 && !snapshot.empty(); }
};

// A damaged history.db helps nobody: each of these functions that meets one moves it aside, as
// history.db.damaged-<UTC time> (the newest kMaxDamagedHistories stay), and begins anew with a run
// of kind "history" whose warnings tell so. Where that cannot be done, the error is `damaged` and
// says what to do by hand. A history of a newer version is not damaged: it is left as it is
// (unsupported).

// Appends one run. Of like failures of a schedule in a row (kind, paths, error_code), and of runs
// that found one snapshot unchanged within a day, only the first and the last are kept. Beyond
// kMaxRuns the oldest go, but for the newest good snapshot run and off-site copy of each source and
// the newest conclusive check (ok or damaged) of each snapshot. Ids only grow. Safe across
// processes. The file is created 0600 on first use.
Expected<> record_run(const RunRecord& run, const Env& env);

// Adds to the warnings of a schedule's newest run: what went wrong after it was recorded, as when
// its ping_url does not answer. Fine where there is no run.
Expected<> add_run_warnings(const std::string& schedule, const std::vector<Warning>& warnings,
                            const Env& env);

struct RunFilter {
  std::optional<std::string> kind{}, schedule{}, source{};
  std::int64_t after = 0;   // RunRecord::id: later runs only
  std::int64_t before = 0;  // likewise, earlier ones only; 0: no bound
  bool failed = false;      // only those that did not end well
  std::size_t limit = 50;
};
// Newest first; empty when there is no history yet. Never creates the file.
Expected<std::vector<RunRecord>> list_runs(const RunFilter& filter, const Env& env);

// A warning that the history was begun anew since then; nothing where it was not.
std::optional<std::string> history_begun_anew(Instant since, const Env& env);

// Records a run that ended. Returns warnings: that it could not be recorded, or that the history
// was begun anew since the run began.
std::vector<std::string> record_and_tell(const RunRecord& run, const Env& env);

inline constexpr int kMaxRuns = 10'000;
// As many of the newest a status looks at: what it tells of can be ignored.
inline constexpr std::size_t kRunsOfStatus = 2'000;

}  // namespace core
