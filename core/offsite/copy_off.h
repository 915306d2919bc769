// Takes one database's newest snapshot off this machine, reads it back, and lets older copies go.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/offsite/offsite_plan.h"
#include "core/offsite/remote_store.h"

namespace core {

struct OffsiteRequest {
  std::string schedule;          // whose name the run gets
  std::string source;            // its path, as the history has it
  fs::path folder, destination;  // of its snapshots, here; links resolved
  std::string stem;
  std::string host;  // as its snapshots have it
  OffsiteTarget target;
  RetentionPolicy keep;  // target.keep, or the schedule's
  bool dry_run = false;
  std::optional<std::string> canary{};  // "remote:path" of the newest copy that the history knows
  // In a dry run: the snapshot that is to be taken first. Absent: the newest that is there.
  std::optional<Snapshot> planned{};
  // Why nothing is to be tried now: it ends with that error, and stays owed.
  std::optional<Error> postponed{};
};

struct OffsiteCopy {
  enum class What { sent, unchanged, waiting };  // waiting: for the next day's name
  What what = What::sent;                        // in a dry run what would be
  std::string source;
  std::string copy;             // "remote:path" of the copy that stands
  Instant taken_at{};           // of its snapshot
  std::uint64_t bytes = 0;      // sent
  std::uint64_t copies = 0;     // good ones of this database, by now
  std::vector<Expiry> removed;  // or would be
  std::vector<std::string> warnings;
  // Copies that the history knows are not there, but this one is: told as a failure, once.
  std::optional<Error> missed{};
};

// All that a schedule's leg does together; the unit of systemd ends after four hours.
inline constexpr std::chrono::hours kMaxOffsiteTime{2};

// In this order: manifests are listed and read; where the newest copy has this state, nothing is
// sent; the data goes, is read back and compared with the manifest's digest; the manifest goes
// last, and is compared byte by byte. Only data with its manifest is a copy, so that a run that is
// cut off leaves none, and what it leaves the next one overwrites. Then the keep rules, if the
// newest copy stands and none is missed. Never removes the last good copy, nor by a pattern. What
// cannot be removed is a warning.
//
// Errors: those of the store; not_found without a good snapshot here; damaged where what comes back
// is not what was sent, or the snapshot here is not what its manifest says; conflict for another
// database's copies; busy where the snapshot here was replaced meanwhile.
Expected<OffsiteCopy> copy_off(const OffsiteRequest& request, RemoteStore& store, const Env& env,
                               ProgressSink& progress, std::stop_token stop);

// The same, and it stands in history.db (kind kOffsiteRun) and in the notes that the status reads.
// Nothing is recorded of a dry run or of one that was stopped.
Expected<OffsiteCopy> copy_off_and_record(const OffsiteRequest& request, RemoteStore& store,
                                          const Env& env, ProgressSink& progress,
                                          std::stop_token stop);

}  // namespace core
