// Every schedule of ours, with its last and next run and what is wrong with it.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog/history.h"
#include "core/schedule/scheduler.h"

namespace core {

// What is not `other` the status (status.h) words for itself.
enum class ProblemKind { other, source_gone, last_run_failed, overdue };
struct ScheduleProblem {
  std::string text;  // a sentence with what to do
  ProblemKind kind = ProblemKind::other;
};

struct ScheduleStatus {
  std::string name;
  std::optional<BackupJob> job;            // absent: an entry without a usable job file
  std::optional<SchedulerKind> scheduler;  // that holds an entry; absent: none does
  std::optional<Instant> next_run;
  std::optional<RunRecord> last_run;
  std::optional<Instant> last_success;
  bool overdue = false;                   // by more than kOverdueGrace
  bool broken = false;                    // cannot run as it is: no entry, or no program to run
  std::vector<ScheduleProblem> problems;  // empty: all is well
};

// What is wrong with a destination that was asked (core/base/patience.h) and did not answer.
inline constexpr std::string_view kSilentProblem =
    " does not answer: its disk or file server hangs. See that it is there, or mount it again; "
    "until then nothing can be backed up to it.";

// cron's hourly line may still catch up.
inline constexpr std::chrono::minutes kOverdueGrace{75};

struct ScheduleList {
  std::vector<ScheduleStatus> schedules;  // by name
  std::vector<std::string> warnings;      // of the machine: linger off, cron not running
};

// Reads job files, the schedulers and history.db; changes nothing. Waits kPatience at most for a
// destination that hangs.
ScheduleList list_schedules(const Env& env, std::stop_token stop);

}  // namespace core
