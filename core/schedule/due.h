// When a daily schedule is due: pure arithmetic over a Clock's time zone.
//
// A schedule has one due instant per local calendar day (Clock::local_instant), and a period is
// the time from one due instant to the next. Whatever the clock does, the rule "run when no
// success lies in the present period" never runs twice for one due instant, and misses at most
// the periods in which nobody asked.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/env.h"

namespace core {

// "04:07" for 247 minutes after midnight.
std::string format_time_of_day(std::chrono::minutes time_of_day);
// Exactly HH:MM, 00:00 to 23:59; otherwise nothing.
std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text);

// The half-open span of time that belongs to one due instant.
struct DuePeriod {
  Instant begin{};  // the most recent due instant, at or before `now`
  Instant end{};    // the next one, after `now`
  bool contains(Instant instant) const { return begin <= instant && instant < end; }
};

// Only the time zone of `clock` is asked, not its time.
DuePeriod due_period(const Clock& clock, std::chrono::minutes time_of_day, Instant now);

// Whether a run is owed at `now`: no success began in the present period, and the schedule is not
// younger than the due instant. A `scheduled_since` or success beyond the period comes from a clock
// that has been put back since, and does not count.
bool is_due(const DuePeriod& period, Instant now, Instant scheduled_since,
            const std::vector<Instant>& successes);

}  // namespace core
