// Checks that a snapshot is what its manifest says and that SQLite can use all of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/catalog/manifest.h"
#include "core/verify/check.h"

namespace core {

// What all checks of a database may take together, from the length of its file: far more than a
// healthy one needs on a slow disk, and an end for a small file whose schema asks for work without
// end. What is not done by then is inconclusive, and says so.
inline constexpr std::chrono::seconds kCheckBase{60};
inline constexpr std::chrono::seconds kCheckPerMib{1};

struct VerifyReport {
  enum class Verdict {
    verified,      // every check that applies passed
    damaged,       // at least one failed
    inconclusive,  // none failed, but header, digest or structure could not be checked, or another
                   // check came to a bound
  };
  fs::path path;
  Verdict verdict = Verdict::inconclusive;
  std::vector<VerifyCheck> checks;
  // At which the structure was checked: quick, too, where full was asked for and SQLite lacks what
  // the program that owns the database brings along (the check's reason says what); none where it
  // could not be checked.
  VerifyLevel level = VerifyLevel::none;
  std::optional<Manifest> manifest;
  std::map<std::string, std::uint64_t> rows;          // of each ordinary table, as counted
  bool rows_complete = false;                         // whether that is each of them
  std::map<std::string, std::uint64_t> virtual_rows;  // of virtual ones (row_counts.h)
  // With `expected`: what only the source can have brought along, as check name -> number of
  // findings. A copy of a database with broken references is a good copy: such a check passes, with
  // its findings. They go into Manifest::source_findings and into the run's warnings.
  std::map<std::string, std::uint64_t> source_findings;
  double elapsed_ms = 0;
};
std::string_view to_string(VerifyReport::Verdict verdict);
// What to do about findings of the check "indexes".
std::string index_advice();
// "quick_check: …; row_counts: …": each check that failed with its first finding, without a full
// stop.
std::string describe_failures(const VerifyReport& report);

struct VerifyRequest {
  fs::path snapshot;
  VerifyLevel level = VerifyLevel::quick;  // full: integrity_check in place of quick_check
  // A digest that the caller just computed over these bytes as it wrote them; read again if empty.
  std::string known_sha256{};
  // What the file must match when its manifest is not on disk yet (a snapshot about to be
  // published); otherwise the manifest beside the file is read. Without a digest in it that check
  // is skipped and does not make the verdict inconclusive; its `rows` are not looked at.
  std::optional<Manifest> expected{};
  // In place of what kCheckBase and kCheckPerMib give.
  std::optional<std::chrono::milliseconds> time_limit{};
  // Compare schema and row counts with this live database, read-only; differences are information,
  // not damage.
  std::optional<fs::path> live_source{};
};

// Opens the file immutable, by a handle that cannot write: creates, locks and changes nothing. The
// manifest is read if there is one; without it, or where it cannot be read (which says nothing
// about the snapshot), digest and row counts are skipped with that reason and the verdict is
// inconclusive at best. A digest that fits Manifest::replaces is the earlier snapshot, intact,
// whose replacement did not get in place.
//
// What the content itself has wrong (column rules, foreign keys, full text) is the source's by a
// digest that fits, and passes: column rules and indexes always, the others up to
// Manifest::source_findings where the snapshot was checked when it was taken. Without a digest it
// is skipped, with what was found. Text in a manifest is somebody else's: never trusted, only
// compared.
//
// What a newer SQLite wrote and this one cannot read is no damage: as much as can be read is
// checked and counted, and the structure counts as skipped (core/sqlite/newer_schema.h).
//
// Checks run beside each other on up to kMaxLanes threads. Progress in bytes (phase "verify"), on
// the calling thread; a stop request ends it within 100 ms (cancelled). An Error is returned only
// where there is nothing to judge: not_found, permission_denied, invalid_argument, conflict (a live
// database, not a snapshot), busy (replaced while it was looked at, and again at the second look),
// io (its disk could not read it), cancelled.
Expected<VerifyReport> verify_snapshot(const VerifyRequest& request, const Env& env,
                                       ProgressSink& progress, std::stop_token stop);

}  // namespace core
