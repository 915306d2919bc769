// When a schedule is due: pure arithmetic over a Clock's time zone.
//
// A schedule has the same due times on each local calendar day, one or several
// (core/base/local_times.h), and a period is the time from one due instant to the next. Whatever
// the clock does, the rule "run when no success lies in the present period" never runs twice for
// one due instant, and misses at most the periods in which nobody asked.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/env.h"

namespace core {

// The part of each day in which an hourly schedule runs, both ends included. One that ends before
// it begins goes on past midnight.
struct DayWindow {
  std::chrono::minutes begin{0}, end{24 * 60 - 1};  // after midnight
  bool operator==(const DayWindow&) const = default;
};
// "08:00-20:00"; exactly HH:MM-HH:MM, otherwise nothing.
std::string format_window(const DayWindow& window);
std::optional<DayWindow> parse_window(std::string_view text);

// How often: "day" is 0, "hour" 1, "4h" 4; up to "12h", otherwise nothing.
inline constexpr int kMaxEveryHours = 12;
std::string format_every(int hours);
std::optional<int> parse_every(std::string_view text);

// The due times of a day, rising. Daily that is `time`. Else the first one at or after the window's
// begin that has the minute of `time`, then every so many hours, up to the window's end; empty
// where none falls into it. Without a window the day begins and ends at midnight.
std::vector<std::chrono::minutes> due_times(std::chrono::minutes time, int every_hours,
                                            const std::optional<DayWindow>& window);
// The longest time from one of them to the next, days of 24 hours.
std::chrono::minutes longest_gap(const std::vector<std::chrono::minutes>& times);

// The half-open span of time that belongs to one due instant.
struct DuePeriod {
  Instant begin{};  // the most recent due instant, at or before `now`
  Instant end{};    // the next one, after `now`
  bool contains(Instant instant) const { return begin <= instant && instant < end; }
};

// Only the time zone of `clock` is asked, not its time. `times`: due_times.
DuePeriod due_period(const Clock& clock, const std::vector<std::chrono::minutes>& times,
                     Instant now);

// Whether a run is owed at `now`: no success began in the present period, and the schedule is not
// younger than the due instant. A `scheduled_since` or success beyond the period comes from a clock
// that has been put back since, and does not count.
bool is_due(const DuePeriod& period, Instant now, Instant scheduled_since,
            const std::vector<Instant>& successes);

// Where a run is owed: the due instant of the first one that did not happen, by the latest success
// before `now`. Nothing where none is owed.
std::optional<Instant> owed_since(const Clock& clock,
                                  const std::vector<std::chrono::minutes>& times, Instant now,
                                  Instant scheduled_since, const std::vector<Instant>& successes);

}  // namespace core
