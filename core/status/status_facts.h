// Gathers what judge_status judges by: schedules, runs, snapshots, and the databases there are.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/status/kept_files.h"
#include "core/status/status.h"

namespace core {

enum class FactDepth {
  quick,  // job files, history.db and known places only: no scheduler, no destination is asked,
          // so that nothing slow or absent can hold up the start of a session
  whole,  // a destination that hangs is given up after kPatience (core/base/patience.h): its good
          // runs then stand for its snapshots
};

inline constexpr std::chrono::hours kLossToldToSessions{24 * 30};

// Adds schedules, runs and snapshots to `input`, sets `now`, and adds what is not yet among
// input.databases: each schedule's database, and those that good runs within kLossTold are of. With
// FactDepth::quick a good run stands for its snapshot, and of the latter only what is missing is
// added, and not where it was probably meant to go: its last good run is older than
// kLossToldToSessions, the folder above its own is gone, too (a whole project was removed), or its
// last good run was of a schedule that has been removed since.
// What could not be read goes to `warnings`. Changes nothing.
void gather_backups(FactDepth depth, StatusInput& input, std::vector<std::string>& warnings,
                    const Env& env, std::stop_token stop);

// The whole of a status: known databases (discover.h, no folders searched), their backups, the
// judgement. Errors: cancelled.
struct ProgramDatabase {
  std::string program;
  fs::path path;
};
struct BackupReport {
  StatusReport status;
  // Of known programs, with FactDepth::whole: those that nothing backs up, and nobody ignores. No
  // fault of anybody's.
  std::vector<ProgramDatabase> also_found;
  std::vector<KeptFile> kept;  // with FactDepth::whole
  std::vector<std::string> warnings;
};
Expected<BackupReport> report_status(FactDepth depth, const Env& env, std::stop_token stop);

}  // namespace core
