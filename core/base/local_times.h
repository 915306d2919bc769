// Times of day on the wall, over every day of a Clock's calendar. Pure: only the time zone of the
// clock is asked, not its time.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "core/base/env.h"

namespace core {

// One time of one day, and when that is. A time that a clock put forward skips comes when the gap
// has passed; one that a clock put back shows twice comes the first time (Clock::local_instant).
struct LocalTime {
  Date date{};
  std::chrono::minutes time{0};  // after midnight
  Instant instant{};
};

// The latest of these times of any day, at or before `now`; the first that comes after it. `times`
// are of one day, rising, and not empty. Nothing only where a zone moves by more than two days.
std::optional<LocalTime> last_of(const std::vector<std::chrono::minutes>& times, const Clock& clock,
                                 Instant now);
std::optional<LocalTime> next_of(const std::vector<std::chrono::minutes>& times, const Clock& clock,
                                 Instant now);

// The hour that `now` lies in, if each begins at this minute: 14:07 at 14:30, for minute 7.
LocalTime hour_of(Instant now, std::chrono::minutes minute, const Clock& clock);

}  // namespace core
