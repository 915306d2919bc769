// Brings a snapshot back: as a new file, or in the place of its live database.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/call.h"
#include "core/base/env.h"
#include "core/base/progress.h"
#include "core/verify/verify.h"

namespace core {

struct RestoreRequest {
  fs::path snapshot;  // a snapshot, or the safety copy of an earlier restore
  // A new file; its folder must exist. With in_place: the database to replace, empty for the one
  // that the manifest names.
  fs::path target{};
  bool in_place = false;
  // Nobody but the manifest names the target, as when `target` is empty. It is then replaced only
  // where history.db knows of that database.
  bool target_recorded = false;
  bool dry_run = false;    // verify, compare the rows, look who has the target open; write nothing
  bool confirmed = false;  // the user said yes to in_place or accept_damage (a dry run needs none)
  bool reindex = false;    // build the indexes of the restored database anew
  bool recorded = true;    // in history.db; false for a drill, which is recorded as such
  bool accept_damage = false;              // restore, byte for byte, even what fails its check
  std::vector<std::string> warnings{};     // of the choice of snapshot: the result's first
  VerifyLevel verify = VerifyLevel::full;  // of the snapshot, before; none counts as quick
  std::chrono::milliseconds busy_timeout{5'000};  // for a writer to let go of the target
  // For whoever has the target open to close it: a person does that. Progress, in seconds: phase
  // "waiting until … is closed".
  std::chrono::milliseconds holder_timeout{0};
  std::chrono::milliseconds lock_timeout{60'000};  // for another restore of the same target
};

// Rows of one table; absent where the table, or a readable target, is not there.
struct RowChange {
  std::optional<std::uint64_t> now;   // in the target as it is
  std::optional<std::uint64_t> then;  // in the snapshot
};

// What there was at the target before.
enum class Present { none, uncounted, counted };

struct RestoreResult {
  fs::path snapshot;
  fs::path target{};
  bool in_place = false;
  bool dry_run = false;
  Present present = Present::none;  // uncounted: it could not be read, a warning says why
  std::map<std::string, RowChange> rows;
  VerifyReport verification;  // of the snapshot; its manifest says when it was taken
  std::string journal_mode;   // of the restored database: "wal" or "delete"
  std::optional<fs::path>
      safety_copy;  // the database that was replaced; a snapshot in all but name
  // What puts it back; none where it is too damaged to be restored.
  std::optional<Call> undo;
  std::vector<std::string> warnings;
};

// Verifies the snapshot, copies it beside the target, checks the copy (same bytes, quick check),
// gives it the journal mode its source had, and owner, permissions and attributes of what it
// replaces (core/platform/ownership.h: of a lost database its folder's owner, as root), renames it
// into place and syncs the folder. A crash at any moment leaves the old database or the new one,
// whole.
//
// In place, the present database is first locked exclusively, its WAL folded into it and its side
// files removed, so that nothing stale can replay into the new one; it stays beside the target as
// `<stem>.before-restore-<UTC time>.db` with a manifest of its own. A present database that SQLite
// cannot open is kept with its side files as they are; of one that is gone the side files are kept
// under the name that its safety copy would have.
//
// Indexes alone that do not fit their tables are a warning; `reindex` builds them anew in the copy,
// which is checked in full before it gets its place. A snapshot that fails its check in any other
// way is restored only with `accept_damage` and a yes: byte for byte, in the journal mode that it
// has, and with a warning that says what was found.
//
// Errors: needs_confirmation (also where the manifest alone names what would be replaced);
// not_a_database (what is to be replaced is none and, as far as history.db knows, never was);
// damaged (the snapshot failed its check; nothing was touched); busy (the message names the
// programs that have the target open, where the system can tell); conflict (a new file's name is
// taken, or a -wal, -journal or -shm lies beside it); not_found (also the target's folder: it is
// never made here), no_space, permission_denied, cancelled. On every error the target is as it was;
// once it is in place, what goes wrong is a warning. Recorded in history.db, except for a dry run.
// Progress: phases "verify" and "copy".
//
// Warns, in a preview too, when the snapshot has no more rows than there are now and an older one
// beside it has more than twice as many (core/restore/choose_snapshot.h).
//
// What killed restores of this target left beside it is cleared away first
// (core/restore/restore_leftovers.h).
Expected<RestoreResult> restore_snapshot(const RestoreRequest& request, const Env& env,
                                         ProgressSink& progress, std::stop_token stop);

}  // namespace core
