// Puts rows of a snapshot back into a live database, beside the programs that use it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/rescue/row_plan.h"

namespace core {

struct RestoreRowsRequest {
  fs::path source;                    // the live database
  std::vector<fs::path> snapshots{};  // newest first; a row comes from the first that has it
  fs::path destination{};             // for the snapshot of the present state
  RowChoice choice{};                 // must name something
  bool missing = true;                // rows that are gone
  bool changed = false;               // rows that are otherwise now: they become as they were
  bool dry_run = false;
  bool confirmed = false;  // the user said yes
  std::chrono::milliseconds busy_timeout{5'000};
  std::chrono::milliseconds lock_timeout{60'000};  // for another run of ours on this database
};

struct RestoredTable {
  std::uint64_t put_back = 0;  // rows that were missing; of these:
  std::uint64_t hanging = 0;   // they hung on a row that was chosen
  std::uint64_t changed = 0;
  std::vector<std::string> keys;  // the first kMaxKeysShown
};

struct RestoreRowsResult {
  fs::path source;
  bool dry_run = false;
  std::map<std::string, RestoredTable> tables;
  std::uint64_t rows = 0;  // all of them; 0: nothing is missing, and nothing was written
  std::vector<LeftRow> left;
  std::uint64_t left_total = 0;
  std::vector<RefusedTable> refused;
  std::map<std::string, std::uint64_t> triggered;  // rows that the database's own triggers wrote
  fs::path before;   // the snapshot of the state before; empty in a dry run
  std::string undo;  // the name to give to undo_rows; empty in a dry run
  std::vector<std::string> warnings;
};

inline constexpr std::size_t kMaxKeysShown = 20;
inline constexpr std::size_t kMaxRestoredSnapshots = 8;
// The one transaction; beyond it all is undone.
inline constexpr std::chrono::seconds kWriteTime{20};

// Gathers the rows without a lock (make_plan), verifies the snapshots, takes a verified snapshot of
// the present state under a label of its own, so that it takes no other's place, and then writes in
// one BEGIN IMMEDIATE: looks all rows up again, inserts parents before children, in deferred
// foreign keys. The database's triggers run as for any program, which keeps full-text indexes in
// step. A row that a rule keeps away (UNIQUE, CHECK, NOT NULL) is left, with what hangs on it; a
// trigger that raises, and any other error, leaves nothing of all. Before the commit no foreign key
// may be broken, and the undo is on the disk.
//
// Errors, each with the database as it was: needs_confirmation; invalid_argument (nothing chosen,
// no such table); damaged (a snapshot failed its check); busy; conflict (a trigger refused, too
// many rows, several names); those of PinnedSource and take_snapshot; cancelled; timed_out.
Expected<RestoreRowsResult> restore_rows(const RestoreRowsRequest& request, const Env& env,
                                         ProgressSink& progress, std::stop_token stop);

}  // namespace core
