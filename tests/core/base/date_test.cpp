#include "core/base/date.h"

#include "core/support/dates.h"
#include "support/catch.h"

using core::Date;
using core::Instant;
using std::chrono::sys_days;
using test::make_date;

TEST_CASE("A date is written and read as YYYY-MM-DD") {
  CHECK(core::format_date(make_date(2026, 11, 23)) == "2026-11-23");
  CHECK(core::format_date(make_date(987, 1, 2)) == "0987-01-02");
  CHECK(core::parse_date("2026-11-23") == make_date(2026, 11, 23));
  CHECK(core::parse_date("2024-02-29") == make_date(2024, 2, 29));
}

TEST_CASE("A text that is not a day of the calendar is not a date") {
  for (const char* text : {"", "2026-11-2", "2026-1-23", "2026-02-29", "2026-13-01", "2026-00-10",
                           "2026-11-00", "2026-11-31", "20261123", "2026/11/23", " 2026-11-23",
                           "2026-11-23 ", "+026-11-23", "2026-11-23T00:00:00Z", "zwei-11-23"}) {
    CAPTURE(text);
    CHECK_FALSE(core::parse_date(text));
  }
}

TEST_CASE("An instant is written in UTC with whole seconds") {
  const Instant instant = sys_days{make_date(2026, 11, 23)} + std::chrono::hours{4} +
                          std::chrono::minutes{7} + std::chrono::milliseconds{1999};
  CHECK(core::format_instant(instant) == "2026-11-23T04:07:01Z");
  CHECK(core::format_instant(Instant{} - std::chrono::milliseconds{1}) == "1969-12-31T23:59:59Z");
}

TEST_CASE("An instant is read with fractions and offsets") {
  const Instant expected = sys_days{make_date(2026, 11, 23)} + std::chrono::hours{4};
  CHECK(core::parse_instant("2026-11-23T04:00:00Z") == expected);
  CHECK(core::parse_instant("2026-11-23t04:00:00z") == expected);
  CHECK(core::parse_instant("2026-11-23T05:30:00+01:30") == expected);
  CHECK(core::parse_instant("2026-11-22T20:00:00-08:00") == expected);
  CHECK(core::parse_instant("2026-11-23T04:00:00.25Z") ==
        expected + std::chrono::milliseconds{250});
  CHECK(core::parse_instant("2026-11-23T03:59:60Z") == expected - std::chrono::seconds{1});
}

TEST_CASE("An instant that was written is read back") {
  for (int day = 0; day < 1000; day += 37) {
    const Instant instant = sys_days{make_date(2025, 12, 31)} + std::chrono::days{day} +
                            std::chrono::seconds{day * 86'399 / 1000};
    CHECK(core::parse_instant(core::format_instant(instant)) == instant);
  }
}

TEST_CASE("A text that is not RFC 3339 is not an instant") {
  for (const char* text :
       {"", "2026-11-23", "2026-11-23T04:00:00", "2026-11-23 04:00:00Z", "2026-11-23T24:00:00Z",
        "2026-11-23T04:60:00Z", "2026-11-23T04:00:61Z", "2026-11-23T04:00:00.Z",
        "2026-11-23T04:00:00+0100", "2026-11-23T04:00:00+24:00", "2026-02-30T04:00:00Z",
        "2026-11-23T04:00:00Zz"}) {
    CAPTURE(text);
    CHECK_FALSE(core::parse_instant(text));
  }
}

TEST_CASE("An instant beyond what can be counted is none") {
  for (const char* text :
       {"0000-01-01T00:00:00Z", "1677-09-21T00:12:43Z", "1901-12-31T23:59:59Z",
        "2191-01-01T00:00:00Z", "2262-04-12T00:00:00Z", "9999-12-31T23:59:59Z"}) {
    CHECK_FALSE(core::parse_instant(text));
  }
  const auto first = core::parse_instant("1902-01-01T00:00:00+23:59");
  const auto last = core::parse_instant("2190-12-31T23:59:59.999999999-23:59");
  REQUIRE(first);
  REQUIRE(last);
  CHECK(*last - *first > std::chrono::hours{24 * 365 * 288});
}
