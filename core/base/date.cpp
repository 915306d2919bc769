#include "core/base/date.h"

#include <array>
#include <cstdio>

namespace core {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;

// An Instant counts nanoseconds, and so does the time between two: 292 years at most.
constexpr year kFirstYear{1902}, kLastYear{2190};

// The value of a run of digits, or nothing when there is anything else. At most nine digits fit.
std::optional<int> parse_digits(std::string_view text) {
  if (text.empty() || text.size() > 9) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// "Z", "+05:30" or "-08:00" as seconds east of Greenwich.
std::optional<std::chrono::seconds> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::seconds{0};
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = parse_digits(text.substr(1, 2));
  const auto minutes = parse_digits(text.substr(4, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::chrono::seconds offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
  return text[0] == '-' ? -offset : offset;
}

// "04:07:01" as seconds after midnight. A leap second counts as the last ordinary one.
std::optional<std::chrono::seconds> parse_seconds_of_day(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const auto hours = parse_digits(text.substr(0, 2));
  const auto minutes = parse_digits(text.substr(3, 2));
  const auto seconds = parse_digits(text.substr(6, 2));
  if (!hours || !minutes || !seconds) return std::nullopt;
  if (*hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
  return std::chrono::hours{*hours} + std::chrono::minutes{*minutes} +
         std::chrono::seconds{*seconds == 60 ? 59 : *seconds};
}

}  // namespace

std::string format_time_of_day(std::chrono::minutes time_of_day) {
  std::array<char, 32> text{};
  const int minutes = static_cast<int>(time_of_day / std::chrono::minutes{1} % (24 * 60));
  std::snprintf(text.data(), text.size(), "%02d:%02d", minutes / 60, minutes % 60);
  return text.data();
}

std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hours = parse_digits(text.substr(0, 2));
  const auto minutes = parse_digits(text.substr(3, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
}

std::string format_date(Date date) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

std::optional<Date> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto years = parse_digits(text.substr(0, 4));
  const auto months = parse_digits(text.substr(5, 2));
  const auto days = parse_digits(text.substr(8, 2));
  if (!years || !months || !days) return std::nullopt;
  const Date date{year{*years}, month{static_cast<unsigned>(*months)},
                  day{static_cast<unsigned>(*days)}};
  if (!date.ok()) return std::nullopt;
  return date;
}

std::string compact_instant(Instant instant) {
  std::string text = format_instant(instant);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string format_instant(Instant instant) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(instant);
  const auto midnight = std::chrono::floor<std::chrono::days>(whole);
  const std::chrono::hh_mm_ss time{whole - midnight};
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "T%02d:%02d:%02dZ",
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return format_date(Date{midnight}) + text.data();
}

std::optional<Instant> parse_instant(std::string_view text) {
  constexpr std::size_t kSecondsEnd = 19;  // of "2026-11-23T04:07:01"
  if (text.size() <= kSecondsEnd || (text[10] != 'T' && text[10] != 't')) return std::nullopt;
  const auto date = parse_date(text.substr(0, 10));
  const auto time = parse_seconds_of_day(text.substr(11, 8));
  if (!date || !time) return std::nullopt;
  if (date->year() < kFirstYear || date->year() > kLastYear) return std::nullopt;

  std::string_view rest = text.substr(kSecondsEnd);
  auto fraction = Instant::duration::zero();
  if (rest[0] == '.') {
    const std::size_t end = rest.find_first_not_of("0123456789", 1);
    if (end == std::string_view::npos || end == 1) return std::nullopt;
    auto unit = std::chrono::nanoseconds{100'000'000};
    auto nanoseconds = std::chrono::nanoseconds::zero();
    for (const char c : rest.substr(1, end - 1)) {
      nanoseconds += (c - '0') * unit;
      unit /= 10;
    }
    fraction = std::chrono::duration_cast<Instant::duration>(nanoseconds);
    rest = rest.substr(end);
  }
  const auto offset = parse_offset(rest);
  if (!offset) return std::nullopt;
  return Instant{sys_days{*date}} + *time - *offset + fraction;
}

}  // namespace core
