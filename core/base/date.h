// Calendar days and instants as the files and manifests spell them. Pure: no clock, no time zone
// database; local days come from Clock (env.h).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace core {

using Instant = std::chrono::system_clock::time_point;
using Date = std::chrono::year_month_day;

// "2026-11-23"; the date must be ok().
std::string format_date(Date date);
// Exactly YYYY-MM-DD and a day that exists; otherwise nothing.
std::optional<Date> parse_date(std::string_view text);
// "04:07" for 247 minutes after midnight.
std::string format_time_of_day(std::chrono::minutes time_of_day);
// Exactly HH:MM, 00:00 to 23:59; otherwise nothing.
std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text);
// RFC 3339, UTC, seconds: "2026-11-23T04:07:01Z".
std::string format_instant(Instant instant);
// The same for names of files: "20261123T040701Z".
std::string compact_instant(Instant instant);
// RFC 3339 as format_instant writes it, also with a fraction or an offset, of the years 1902 to
// 2190; otherwise nothing.
std::optional<Instant> parse_instant(std::string_view text);

}  // namespace core
