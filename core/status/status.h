// "Am I backed up?": one answer per database and one for all. Pure judgement over facts that others
// gathered.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/date.h"
#include "core/catalog/catalog.h"
#include "core/catalog/history.h"
#include "core/schedule/job.h"
#include "core/status/offsite_status.h"
#include "core/status/totals.h"

namespace core {

enum class BackupState {
  ok,         // covered, and the last snapshot of each schedule is fresh and verified
  attention,  // something to do: not covered, late, never verified; or lost and to be brought back
  failing,    // backups are set up and do not happen
};
std::string_view to_string(BackupState state);  // "ok", "attention", "failing"

// How grave a problem is. The gravest is told first, whatever the state: what is lost cannot wait.
enum class Concern {
  none,
  upkeep,     // not verified, an unsafe place
  uncovered,  // no schedule, no snapshot
  failing,    // backups fail or do not happen
  damage,     // of a snapshot, or its loss
  loss,       // of the database, or of most of what was in it
};

struct StatusInput {
  enum class Presence { there, empty, gone, gone_with_folder };  // empty: a file of 0 bytes
  struct Database {
    fs::path path;                      // links resolved
    std::vector<std::string> warnings;  // of the place it lies in
    Presence presence = Presence::there;
    bool ignored = false;  // nobody wants it backed up (core/discovery/ignored.h)
    Medium medium{};
  };
  struct Schedule {
    std::string name;
    fs::path source;  // links resolved
    fs::path destination;
    Instant since{};                        // when it was installed: nothing is owed from before
    std::chrono::seconds interval{86'400};  // the longest between two runs
    std::vector<std::chrono::minutes> times{};  // of each day (due_times); empty: not known
    // Of one that runs by the hour: the last due instant that lies kStatusGrace back.
    std::optional<Instant> last_due{};
    std::optional<Instant> next_run;
    std::vector<std::string> problems;      // each a sentence with what to do
    bool broken = false;                    // it cannot run as it is: no entry, no program
    std::optional<OffsiteFacts> offsite{};  // of this source
  };
  Instant now{};
  std::vector<ListedSeries> series;  // of all destinations that were listed
  std::set<fs::path> unlisted{};     // destinations that could not be, as on a disk that is away
  std::vector<Database> databases;
  std::vector<Schedule> schedules;
  std::vector<RunRecord> runs;  // newest first, as list_runs gives them
  // Of the newest good run to a destination that is there: its id, when its snapshot is not.
  std::set<std::int64_t> lost_runs;
  std::vector<Snapshot> snapshots;  // with manifests; of any source; at least the newest of each
  std::vector<Snapshot> set_aside;  // copies of damaged databases: no way back is among them
  std::vector<UnusableJob> unusable;
};

struct DaySpan {
  Date first{}, last{};  // both included
  bool operator==(const DaySpan&) const = default;
};

struct DatabaseStatus {
  fs::path source;
  BackupState state = BackupState::ok;
  Concern concern = Concern::none;              // of its gravest problem
  bool missing = false;                         // gone, or empty
  bool covered = false;                         // by a schedule
  std::string schedule;                         // the first that covers it
  fs::path destination;                         // its schedule's, else that of the newest snapshot
  std::optional<std::uint64_t> free_bytes;      // there, where it was listed and tells
  std::optional<Instant> last_success;          // when the newest snapshot was taken
  std::optional<Instant> last_verified;         // when a snapshot last passed a check
  std::optional<Instant> verified_taken;        // when the newest that did was taken
  std::optional<std::chrono::seconds> overdue;  // since the run that did not happen was due
  std::optional<Instant> next_run;
  std::vector<DaySpan> missed{};           // rising, apart from each other (missed_days.h)
  std::optional<Instant> last_full_check;  // when a snapshot last passed one
  std::optional<Instant> last_drill;       // that went well
  SnapshotTotals totals;                   // as far as destinations were listed
  std::optional<OffsiteStatus> offsite{};  // of its first schedule that has it
  bool ignored = false;                    // so nothing is wrong with it
  std::string last_error;                  // of a schedule's latest run, when it failed
  std::vector<std::string> problems;       // each says what to do; gravest first; empty when ok
};

struct StatusReport {
  BackupState state = BackupState::ok;    // the worst of all; attention when there is no database
  std::string summary;                    // one sentence, which names the gravest problem
  std::vector<DatabaseStatus> databases;  // by gravest problem, then state, then path
  std::vector<UnusableJob> unusable;      // which database misses out is not known
};

// A run may be late by this much, for machines that sleep and schedulers that spread their jobs.
inline constexpr std::chrono::hours kStatusGrace{2};
// Older than this, the last passed check says little.
inline constexpr std::chrono::hours kMaxVerifiedAge{24 * 8};
// A loss of content is told this long, unless the database was restored and a snapshot taken since.
// (The run of the next night compares one emptied state with another, and warns no more.)
inline constexpr std::chrono::hours kShrinkTold{24 * 7};
// A database that is gone is told this long after its last good run, if no schedule has it: by then
// it was missed, or meant to go.
inline constexpr std::chrono::hours kLossTold{24 * 90};

// A schedule whose database is not among `databases` is judged, too, as gone. A database that is
// missing, has no schedule and left no snapshot is not judged: there is nothing to bring back.
// Times beyond `now` come from a clock that was put back, and do not count as success.
StatusReport judge_status(const StatusInput& input);
// What is ignored and has no schedule has no problems, and is counted by nobody.
// The answer for all of these together; failing with any schedule that is unusable.
StatusReport report_of(std::vector<DatabaseStatus> databases,
                       std::vector<UnusableJob> unusable = {});

}  // namespace core
