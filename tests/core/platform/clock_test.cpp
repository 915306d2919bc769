// What the clocks on the walls of a zone show.
#include <cstdlib>

#include "core/base/env.h"
#include "core/support/dates.h"
#include "core/support/zones.h"
#include "support/catch.h"

using core::Date;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::sys_days;
using test::InZone;
using test::make_date;

namespace {

core::Instant utc(int year, unsigned month, unsigned day, int hour, int minute = 0) {
  return sys_days{Date{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}}} +
         hours{hour} + minutes{minute};
}

}  // namespace

TEST_CASE("The local day changes at local midnight") {
  const InZone zone("Europe/Berlin");
  const core::Clock& clock = zone.clock();
  CHECK(clock.local_date(utc(2026, 11, 22, 22, 59)) == make_date(2026, 11, 22));
  CHECK(clock.local_date(utc(2026, 11, 22, 23, 0)) == make_date(2026, 11, 23));
}

TEST_CASE("A local time is found on ordinary days and at both changes of the clock") {
  const InZone zone("Europe/Berlin");
  const core::Clock& clock = zone.clock();
  CHECK(clock.local_instant(make_date(2026, 1, 15), hours{4}) == utc(2026, 1, 15, 3));
  CHECK(clock.local_instant(make_date(2026, 7, 15), hours{4}) == utc(2026, 7, 15, 2));
  // 2026-10-25: 02:30 comes twice, the first time in summer time.
  CHECK(clock.local_instant(make_date(2026, 10, 25), hours{2} + minutes{30}) ==
        utc(2026, 10, 25, 0, 30));
  CHECK(clock.local_instant(make_date(2026, 10, 25), hours{4}) == utc(2026, 10, 25, 3));
  // 2026-03-29: 02:30 does not exist; the clock goes from 02:00 to 03:00.
  CHECK(clock.local_instant(make_date(2026, 3, 29), hours{2} + minutes{30}) ==
        utc(2026, 3, 29, 1, 0));
  CHECK(clock.local_instant(make_date(2026, 3, 29), hours{1}) == utc(2026, 3, 29, 0));
}

#ifndef _WIN32
TEST_CASE("A zone that is changed while the program runs is noticed") {
  const InZone zone("UTC");
  const core::Clock& clock = zone.clock();
  const core::Instant night = utc(2026, 11, 22, 23);
  REQUIRE(clock.local_date(night) == make_date(2026, 11, 22));
  setenv("TZ", "Europe/Berlin", 1);  // NOLINT(concurrency-mt-unsafe): one thread
  const auto deadline = clock.steady_now() + std::chrono::seconds(30);
  while (clock.local_date(night) != make_date(2026, 11, 23) && clock.steady_now() < deadline) {
    clock.sleep_for(std::chrono::milliseconds(20), {});
  }
  CHECK(clock.local_date(night) == make_date(2026, 11, 23));
}
#endif
