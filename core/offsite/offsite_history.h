// What this machine remembers of its copies elsewhere: runs in history.db, and a small file of what
// these have no room for.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/catalog/history.h"
#include "core/offsite/remote_path.h"

namespace core {

// One database of a schedule, by its newest good snapshot run.
struct OffsiteMember {
  std::string source;
  fs::path folder, destination;  // of that snapshot, here
  std::string stem;
  bool owed = false;                   // a copy is to be made, or the one there to be looked at
  std::optional<Instant> last_good{};  // when a copy was last made, or found to stand
  std::string last_copy;               // "remote:path" of it; empty: none
  std::optional<Error> last_error{};   // of the newest run, where that failed
};

// A run after which a copy stands: a good one, and one that made a copy and missed older ones.
bool leaves_copy(const RunRecord& run);

// What is owed, by runs of that schedule, newest first, of all kinds: pure. Owed is what a run
// wrote after the last look at the remote began; and once in kLookAgain a look at what is
// unchanged.
std::vector<OffsiteMember> members_by(const std::vector<RunRecord>& runs, const std::string& remote,
                                      Instant now);
inline constexpr std::chrono::hours kLookAgain{20};  // a daily run's own hour may move a little

// The same, read from history.db. Errors: those of list_runs.
Expected<std::vector<OffsiteMember>> offsite_members(const std::string& schedule,
                                                     const RemotePath& remote, const Env& env);

// Names of files that snapshots of this source had, by the history: what of them lies unmarked on
// the remote is ours.
std::vector<std::string> names_of_snapshots(const std::string& source, const Env& env);

// <state>/offsite/<32 digits>.json, by remote and source. Lost, it costs the numbers until the next
// look.
struct OffsiteNote {
  std::string copy;  // "remote:path" of the newest
  Instant taken_at{}, looked_at{};
  std::optional<Instant> read_back_at{};
  std::uint64_t copies = 0;
};
std::optional<OffsiteNote> read_offsite_note(const RemotePath& remote, const std::string& source,
                                             const Env& env);
Expected<> write_offsite_note(const RemotePath& remote, const std::string& source,
                              const OffsiteNote& note, const Env& env);

// That a recovery sheet was written for this remote, and when.
std::optional<Instant> sheet_written_at(const RemotePath& remote, const Env& env);
Expected<> note_sheet(const RemotePath& remote, const Env& env);

}  // namespace core
