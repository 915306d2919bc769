// The copy of this program that schedules run: it outlives plugin updates, because it lies under
// the user's data folder and nowhere else.
#pragma once

#include <optional>
#include <string>

#include "core/base/env.h"

namespace core {

// <data>/bin/backup-plugin-db (with .exe on Windows)
fs::path scheduled_program(const Places& places);

// What stands beside the copy, in <data>/program.json. The folders are those of the user who
// installed: schedulers start programs without XDG_CONFIG_HOME and its like.
struct ProgramRecord {
  std::string version;
  std::string copied_from;
  Instant copied_at{};
  fs::path config, state, data;
};
// not_found when no copy was ever made.
Expected<ProgramRecord> read_program_record(const fs::path& data, const FileSystem& files);

// The places of a scheduled run: where the running program is the scheduled copy, the folders that
// its record names; otherwise `places` unchanged.
Places places_of_scheduled_run(const Places& places, const FileSystem& files);

// What was there before an update, to go back to.
struct FormerProgram {
  std::optional<std::string> program, record;
};
// Copies the running program (or backup-plugin-db beside it, when that is another program of ours)
// into place, atomically, unless the same bytes are there. A run of the old copy goes on
// undisturbed. Returns what was there; after an error that is still there.
Expected<FormerProgram> update_scheduled_program(const Env& env);
Expected<> restore_scheduled_program(const FormerProgram& former, const Env& env);
// Removes copy and record, when the last schedule has gone.
Expected<> remove_scheduled_program(const Env& env);

inline constexpr std::uint64_t kMaxProgramBytes = 512u << 20;

}  // namespace core
