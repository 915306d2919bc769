// What is asked of a snapshot run.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/base/env.h"
#include "core/catalog/manifest.h"
#include "core/catalog/retention.h"

namespace core {

struct SnapshotRequest {
  fs::path source;
  fs::path destination;  // must exist; never created, never guessed
  std::string hostname;  // empty: Places::host
  std::string label;     // empty: none
  // For a caller who cannot be asked for another label: taken where `label` is another source's
  // series, and from then on. Empty: none, a conflict is told.
  std::string other_label{};
  bool flat = false;         // leave out the host's folder
  std::optional<Date> date;  // the day in the name; default: today, local
  // The name carries the hour, too, and hours begin at this minute; not with `date`.
  std::optional<std::chrono::minutes> by_hour_from{};
  RetentionPolicy retention;
  VerifyLevel verify = VerifyLevel::quick;
  bool full_when_due = true;  // a quick check is made in full where none was for long
  // Write nothing where the source is still in the state of its last snapshot (unchanged.h); not
  // with `date` or `dry_run`.
  bool unless_unchanged = false;
  std::chrono::milliseconds quiet{2'000};  // what a change time must be older by to prove anything
  std::string schedule;  // name of the schedule that asks, for history.db; empty by hand
  bool dry_run = false;  // check everything, say what would be written and removed, write nothing
  bool digest = true;    // SHA-256 while copying; only the benchmark turns it off
  std::chrono::milliseconds busy_timeout{30'000};     // for a source locked by a writer
  std::chrono::milliseconds lock_timeout{60'000};     // for another run of ours on the same pair
  std::chrono::milliseconds copy_timeout{3'600'000};  // a copy pins the WAL: it must end
};

}  // namespace core
