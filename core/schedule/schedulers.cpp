#include "core/schedule/schedulers.h"

#include "core/schedule/cron.h"
#include "core/schedule/launchd.h"
#include "core/schedule/systemd.h"
#include "core/schedule/windows.h"

namespace core {

const Scheduler& scheduler_of(SchedulerKind kind) {
  switch (kind) {
    case SchedulerKind::systemd:
      return systemd_scheduler();
    case SchedulerKind::cron:
      return cron_scheduler();
    case SchedulerKind::launchd:
      return launchd_scheduler();
    case SchedulerKind::windows:
      return windows_scheduler();
  }
  return systemd_scheduler();
}

std::vector<SchedulerKind> schedulers_for(HostFacts::System system) {
  switch (system) {
    case HostFacts::System::linux_like:
      return {SchedulerKind::systemd, SchedulerKind::cron};
    case HostFacts::System::macos:
      return {SchedulerKind::launchd};
    case HostFacts::System::windows:
      return {SchedulerKind::windows};
  }
  return {};
}

Expected<SchedulerKind> choose_scheduler(std::optional<SchedulerKind> requested,
                                         const HostFacts& facts) {
  const auto possible = schedulers_for(facts.system);
  if (requested) {
    if (const auto reason = scheduler_of(*requested).unusable(facts)) return fail(*reason);
    if (std::find(possible.begin(), possible.end(), *requested) != possible.end()) {
      return *requested;
    }
    return fail(ErrorCode::unsupported,
                "This system has no scheduler " + std::string(to_string(*requested)) + ".",
                "Use the scheduler auto.");
  }
  std::string tried, advice;
  for (const SchedulerKind kind : possible) {
    auto reason = scheduler_of(kind).unusable(facts);
    if (!reason && kind == SchedulerKind::cron && !facts.cron_running) {
      reason = Error{ErrorCode::unsupported, "crontab is there, but no cron daemon runs.",
                     "Start it (on Debian: sudo service cron start), or ask for the scheduler cron "
                     "to install all the same."};
    }
    if (!reason) return kind;
    tried += std::string(to_string(kind)) + ": " + reason->message + " ";
    advice += std::string(to_string(kind)) + ": " + reason->hint + " ";
  }
  return fail(ErrorCode::unsupported, "No scheduler can be used here. Tried " + tried,
              "One of these: " + advice);
}

}  // namespace core
