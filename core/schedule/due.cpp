// Due instants of daily schedules.
#include "core/schedule/due.h"

#include <algorithm>

namespace core {

namespace {
// Days looked at on each side of today. A change of zone may repeat or skip a whole day (Samoa,
// 2011), so the neighbours alone are not enough.
constexpr int kNeighbourDays = 3;
}  // namespace

std::string format_time_of_day(std::chrono::minutes time_of_day) {
  const auto two_digits = [](long value) {
    return std::string(1, static_cast<char>('0' + value / 10)) +
           static_cast<char>('0' + value % 10);
  };
  const long minutes = static_cast<long>(time_of_day.count()) % (24 * 60);
  return two_digits(minutes / 60) + ":" + two_digits(minutes % 60);
}

std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t i : {0, 1, 3, 4}) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  }
  const int hours = (text[0] - '0') * 10 + (text[1] - '0');
  const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
  if (hours > 23 || minutes > 59) return std::nullopt;
  return std::chrono::minutes(hours * 60 + minutes);
}

DuePeriod due_period(const Clock& clock, std::chrono::minutes time_of_day, Instant now) {
  const std::chrono::sys_days today(clock.local_date(now));
  std::optional<Instant> begin, end;
  for (int offset = -kNeighbourDays; offset <= kNeighbourDays; ++offset) {
    const Date day(today + std::chrono::days(offset));
    const Instant due = clock.local_instant(day, time_of_day);
    if (due <= now) {
      begin = begin ? std::max(*begin, due) : due;
    } else {
      end = end ? std::min(*end, due) : due;
    }
  }
  // A time zone never moves by the days that are looked at, so both are always found.
  return DuePeriod{begin.value_or(now - std::chrono::days(1)),
                   end.value_or(now + std::chrono::days(1))};
}

bool is_due(const DuePeriod& period, Instant now, Instant scheduled_since,
            const std::vector<Instant>& successes) {
  if (period.begin < scheduled_since && scheduled_since <= now) return false;
  return std::none_of(successes.begin(), successes.end(),
                      [&](Instant success) { return period.contains(success); });
}

}  // namespace core
