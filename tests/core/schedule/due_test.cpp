// When a schedule is due, over every kind of time zone, clock and absence.
#include "core/schedule/due.h"

#include <map>
#include <random>
#include <set>

#include "core/support/zones.h"
#include "support/catch.h"

using namespace core;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::InZone;

namespace {

// Half hours, an hour of DST in both hemispheres, half an hour of it (Lord Howe), at midnight
// (Havana, Beirut), a day that never was (Apia, 2011), and none at all.
const std::vector<std::string> kZones = {"UTC",
                                         "Europe/Berlin",
                                         "America/New_York",
                                         "America/St_Johns",
                                         "Asia/Kolkata",
                                         "Australia/Lord_Howe",
                                         "America/Havana",
                                         "Asia/Beirut",
                                         "Pacific/Apia",
                                         "Pacific/Chatham",
                                         "Africa/Casablanca",
                                         "America/Sao_Paulo",
                                         "Pacific/Kiritimati"};

Instant at(const char* text) {
  const auto instant = parse_instant(text);
  REQUIRE(instant);
  return *instant;
}

std::string due_at(const char* zone, const char* time, const char* now) {
  const InZone in_zone(zone);
  return format_instant(due_period(in_zone.clock(), {*parse_time_of_day(time)}, at(now)).begin);
}

// A machine: a clock that jumps, hours of sleep, a nightly call and hourly ones, each of which may
// be lost; and a program that runs when is_due says so, sometimes failing.
class Machine {
 public:
  Machine(const Clock& clock, std::uint64_t seed, minutes time, Instant start)
      : clock_(clock), random_(seed), time_(time), now_(start), since_(start) {}

  void live(int steps, bool clock_jumps) {
    for (int step = 0; step < steps; ++step) {
      now_ += seconds(pick(0, 2 * 3600));
      if (pick(0, 30) == 0) now_ += hours(pick(1, 24 * 9));  // away
      if (clock_jumps && pick(0, 10) == 0) now_ += seconds(pick(-5 * 86400, 5 * 86400));
      ask();
    }
  }

  void ask() {
    const DuePeriod period = due_period(clock_, {time_}, now_);
    REQUIRE(period.begin <= now_);
    REQUIRE(now_ < period.end);
    if (!is_due(period, now_, since_, successes_)) return;
    if (pick(0, 5) == 0) return;  // the run failed
    successes_.push_back(now_);
    ++runs_[period.begin];
  }

  // After a call at any moment, unless the run failed, the present period has its run.
  bool covered() {
    const DuePeriod period = due_period(clock_, {time_}, now_);
    if (is_due(period, now_, since_, successes_)) successes_.push_back(now_);
    return period.begin < since_ || !is_due(period, now_, since_, successes_);
  }

  int most_runs_of_one_due_instant() const {
    int most = 0;
    for (const auto& [due, runs] : runs_) most = std::max(most, runs);
    return most;
  }
  std::size_t runs() const { return successes_.size(); }

 private:
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }

  const Clock& clock_;
  std::mt19937_64 random_;
  minutes time_;
  Instant now_, since_;
  std::vector<Instant> successes_;
  std::map<Instant, int> runs_;
};

}  // namespace

TEST_CASE("A time of day is HH:MM and nothing else") {
  CHECK(parse_time_of_day("04:07") == minutes(247));
  CHECK(parse_time_of_day("23:59") == minutes(1439));
  for (const char* text : {"4:07", "24:00", "04:60", "04:7 ", "-4:07", "04-07", "", "04:071"}) {
    CHECK_FALSE(parse_time_of_day(text));
  }
  CHECK(format_time_of_day(minutes(247)) == "04:07");
  CHECK(format_time_of_day(minutes(0)) == "00:00");
}

TEST_CASE("The due instant is today's if it has come, else yesterday's") {
  CHECK(due_at("UTC", "04:07", "2026-11-23T04:07:00Z") == "2026-11-23T04:07:00Z");
  CHECK(due_at("UTC", "04:07", "2026-11-23T04:06:59Z") == "2026-11-22T04:07:00Z");
  CHECK(due_at("Europe/Berlin", "04:07", "2026-07-01T02:07:00Z") == "2026-07-01T02:07:00Z");
}

TEST_CASE("A time that the clock skips is due when the gap has passed") {
  // Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC.
  CHECK(due_at("Europe/Berlin", "02:30", "2026-03-29T00:59:59Z") == "2026-03-28T01:30:00Z");
  CHECK(due_at("Europe/Berlin", "02:30", "2026-03-29T01:00:00Z") == "2026-03-29T01:00:00Z");
}

TEST_CASE("A time that the clock shows twice is due the first time only") {
  // Berlin, 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC.
  CHECK(due_at("Europe/Berlin", "02:30", "2026-10-25T00:30:00Z") == "2026-10-25T00:30:00Z");
  CHECK(due_at("Europe/Berlin", "02:30", "2026-10-25T01:45:00Z") == "2026-10-25T00:30:00Z");
}

TEST_CASE("Periods lie end to end in every zone, one for each local day") {
  for (const std::string& zone : kZones) {
    const InZone in_zone(zone);
    for (const char* time : {"00:00", "00:30", "02:15", "04:07", "23:59"}) {
      CAPTURE(zone, time);
      const minutes time_of_day = *parse_time_of_day(time);
      for (const char* start : {"2011-11-01T00:00:00Z", "2026-01-01T00:00:00Z"}) {
        DuePeriod period = due_period(in_zone.clock(), {time_of_day}, at(start));
        std::set<std::string> days;
        for (int day = 0; day < 400; ++day) {
          const DuePeriod next = due_period(in_zone.clock(), {time_of_day}, period.end);
          REQUIRE(next.begin == period.end);
          REQUIRE(due_period(in_zone.clock(), {time_of_day}, period.end - seconds(1)).begin ==
                  period.begin);
          // Apia's lost day makes the longest period, a clock put back the next longest.
          REQUIRE(next.end - next.begin > seconds(0));
          REQUIRE(next.end - next.begin <= hours(25));
          days.insert(format_date(in_zone.clock().local_date(next.begin)));
          period = next;
        }
        CHECK(days.size() >= 399);
      }
    }
  }
}

TEST_CASE("No due instant has two runs, whatever clock, zone and absence") {
  std::uint64_t seed = 0;
  for (const std::string& zone : kZones) {
    const InZone in_zone(zone);
    for (const char* time : {"00:00", "01:30", "02:30", "04:07", "23:59"}) {
      for (const bool clock_jumps : {false, true}) {
        CAPTURE(zone, time, clock_jumps, seed);
        Machine machine(in_zone.clock(), ++seed, *parse_time_of_day(time),
                        at("2026-02-20T10:00:00Z"));
        machine.live(1500, clock_jumps);
        CHECK(machine.most_runs_of_one_due_instant() <= 1);
        CHECK(machine.runs() > 20);
      }
    }
  }
}

TEST_CASE("A machine that is back misses the periods of its absence and no more") {
  std::uint64_t seed = 1000;
  for (const std::string& zone : kZones) {
    const InZone in_zone(zone);
    for (const bool clock_jumps : {false, true}) {
      for (int trial = 0; trial < 20; ++trial) {
        CAPTURE(zone, clock_jumps, seed);
        Machine machine(in_zone.clock(), ++seed, *parse_time_of_day("04:07"),
                        at("2026-02-20T10:00:00Z"));
        machine.live(200, clock_jumps);
        CHECK(machine.covered());
      }
    }
  }
}

TEST_CASE("A new schedule owes nothing for the time before it was set") {
  const InZone in_zone("UTC");
  const Instant installed = at("2026-11-23T12:00:00Z");
  const auto due = [&](const char* now) {
    return is_due(due_period(in_zone.clock(), {minutes(247)}, at(now)), at(now), installed, {});
  };
  CHECK_FALSE(due("2026-11-23T12:00:01Z"));
  CHECK_FALSE(due("2026-11-24T04:06:59Z"));
  CHECK(due("2026-11-24T04:07:00Z"));
}

TEST_CASE("A clock that ran ahead does not silence the schedule for years") {
  const InZone in_zone("UTC");
  const Instant now = at("2026-11-23T12:00:00Z");
  const DuePeriod period = due_period(in_zone.clock(), {minutes(247)}, now);
  CHECK(is_due(period, now, at("2031-01-01T00:00:00Z"), {at("2031-01-01T00:00:00Z")}));
  CHECK_FALSE(is_due(period, now, at("2020-01-01T00:00:00Z"), {at("2026-11-24T01:00:00Z")}));
}
