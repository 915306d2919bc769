// Gathers what judge_status judges by: schedules, runs, snapshots, and the databases there are.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/env.h"
#include "core/status.h"

namespace core {

enum class FactDepth {
  quick,  // job files, history.db and known places only: no scheduler, no destination is asked,
          // so that nothing slow or absent can hold up the start of a session
  whole,
};

// Adds schedules, runs and snapshots to `input`, sets `now`, and adds each schedule's database that
// is there and not yet among input.databases. With FactDepth::quick a good run stands for its
// snapshot. What could not be read goes to `warnings`. Changes nothing.
void gather_backups(FactDepth depth, StatusInput& input, std::vector<std::string>& warnings,
                    const Env& env, std::stop_token stop);

// The whole of backup_status: known databases (discover.h, no folders searched), their backups, the
// judgement. Errors: cancelled.
struct BackupReport {
  StatusReport status;
  std::vector<std::string> warnings;
};
Expected<BackupReport> report_status(FactDepth depth, const Env& env, std::stop_token stop);

}  // namespace core
