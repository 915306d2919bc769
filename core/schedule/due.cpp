// Due instants of schedules.
#include "core/schedule/due.h"

#include <algorithm>

#include "core/base/local_times.h"

namespace core {

namespace {

constexpr std::string_view kEveryDay = "day", kEveryHour = "hour";
constexpr std::size_t kTimeLength = 5;  // HH:MM

}  // namespace

std::string format_window(const DayWindow& window) {
  return format_time_of_day(window.begin) + "-" + format_time_of_day(window.end);
}

std::optional<DayWindow> parse_window(std::string_view text) {
  if (text.size() != 2 * kTimeLength + 1 || text[kTimeLength] != '-') return std::nullopt;
  const auto begin = parse_time_of_day(text.substr(0, kTimeLength));
  const auto end = parse_time_of_day(text.substr(kTimeLength + 1));
  if (!begin || !end) return std::nullopt;
  return DayWindow{*begin, *end};
}

std::string format_every(int hours) {
  if (hours == 0) return std::string(kEveryDay);
  return hours == 1 ? std::string(kEveryHour) : std::to_string(hours) + "h";
}

std::optional<int> parse_every(std::string_view text) {
  if (text == kEveryDay) return 0;
  if (text == kEveryHour) return 1;
  for (int hours = 1; hours <= kMaxEveryHours; ++hours) {
    if (text == std::to_string(hours) + "h") return hours;
  }
  return std::nullopt;
}

std::vector<std::chrono::minutes> due_times(std::chrono::minutes time, int every_hours,
                                            const std::optional<DayWindow>& window) {
  if (every_hours <= 0) return {time};
  const DayWindow span = window.value_or(DayWindow{});
  const std::chrono::minutes end =
      span.end < span.begin ? span.end + std::chrono::days(1) : span.end;
  const std::chrono::minutes to_first = (time - span.begin) % std::chrono::hours(1);
  std::chrono::minutes due =
      span.begin + to_first +
      (to_first < std::chrono::minutes(0) ? std::chrono::hours(1) : std::chrono::hours(0));
  std::vector<std::chrono::minutes> times;
  for (; due <= end; due += std::chrono::hours(every_hours))
    times.push_back(due % std::chrono::days(1));
  std::sort(times.begin(), times.end());
  return times;
}

std::chrono::minutes longest_gap(const std::vector<std::chrono::minutes>& times) {
  if (times.empty()) return std::chrono::days(1);
  std::chrono::minutes longest =
      times.front() + std::chrono::days(1) - times.back();  // over midnight
  for (std::size_t i = 1; i < times.size(); ++i)
    longest = std::max(longest, times[i] - times[i - 1]);
  return longest;
}

DuePeriod due_period(const Clock& clock, const std::vector<std::chrono::minutes>& times,
                     Instant now) {
  const auto begin = last_of(times, clock, now);
  const auto end = next_of(times, clock, now);
  // A time zone never moves by the days that are looked at, so both are always found.
  return DuePeriod{begin ? begin->instant : now - std::chrono::days(1),
                   end ? end->instant : now + std::chrono::days(1)};
}

bool is_due(const DuePeriod& period, Instant now, Instant scheduled_since,
            const std::vector<Instant>& successes) {
  if (period.begin < scheduled_since && scheduled_since <= now) return false;
  return std::none_of(successes.begin(), successes.end(),
                      [&](Instant success) { return period.contains(success); });
}

std::optional<Instant> owed_since(const Clock& clock,
                                  const std::vector<std::chrono::minutes>& times, Instant now,
                                  Instant scheduled_since, const std::vector<Instant>& successes) {
  const DuePeriod period = due_period(clock, times, now);
  if (!is_due(period, now, scheduled_since, successes)) return std::nullopt;
  std::optional<Instant> last;
  if (scheduled_since <= now) last = scheduled_since;
  for (const Instant success : successes) {
    if (success <= now) last = last ? std::max(*last, success) : success;
  }
  return last ? std::min(due_period(clock, times, *last).end, period.begin) : period.begin;
}

}  // namespace core
