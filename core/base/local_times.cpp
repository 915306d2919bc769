#include "core/base/local_times.h"

#include <algorithm>

namespace core {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::sys_days;

// Days looked at on each side of today: a change of zone may repeat or skip a whole one (Samoa,
// 2011).
constexpr int kNeighbourDays = 2;

// How many of a day's times have come: they come in their order.
std::ptrdiff_t count_come(const std::vector<minutes>& times, Date day, const Clock& clock,
                          Instant now) {
  // Of most days that are looked at all have come, or none.
  if (clock.local_instant(day, times.front()) > now) return 0;
  if (times.size() == 1) return 1;
  if (clock.local_instant(day, times.back()) <= now) return std::ssize(times);
  const auto first_to_come = std::partition_point(times.begin(), times.end(), [&](minutes time) {
    return clock.local_instant(day, time) <= now;
  });
  return first_to_come - times.begin();
}

LocalTime time_of(Date day, minutes time, const Clock& clock) {
  return {day, time, clock.local_instant(day, time)};
}

}  // namespace

std::optional<LocalTime> last_of(const std::vector<minutes>& times, const Clock& clock,
                                 Instant now) {
  const sys_days today(clock.local_date(now));
  for (int offset = kNeighbourDays; offset >= -kNeighbourDays; --offset) {
    const Date day(today + days(offset));
    const auto come = count_come(times, day, clock, now);
    if (come > 0) return time_of(day, times[static_cast<std::size_t>(come - 1)], clock);
  }
  return std::nullopt;
}

std::optional<LocalTime> next_of(const std::vector<minutes>& times, const Clock& clock,
                                 Instant now) {
  const sys_days today(clock.local_date(now));
  for (int offset = -kNeighbourDays; offset <= kNeighbourDays; ++offset) {
    const Date day(today + days(offset));
    const auto come = count_come(times, day, clock, now);
    if (come < std::ssize(times)) return time_of(day, times[static_cast<std::size_t>(come)], clock);
  }
  return std::nullopt;
}

LocalTime hour_of(Instant now, minutes minute, const Clock& clock) {
  std::vector<minutes> times;
  for (minutes time = minute % hours(1); time < hours(24); time += hours(1)) times.push_back(time);
  return last_of(times, clock, now).value_or(LocalTime{clock.local_date(now), times.front(), now});
}

}  // namespace core
