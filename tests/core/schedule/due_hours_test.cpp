// Schedules by the hour: when they are due, and how their snapshots are named, over changes of the
// clock and a machine that sleeps.
#include <algorithm>
#include <map>
#include <set>

#include "core/base/local_times.h"
#include "core/catalog/names.h"
#include "core/schedule/due.h"
#include "core/schedule/job.h"
#include "core/support/zones.h"
#include "support/catch.h"

using namespace core;
using std::chrono::hours;
using std::chrono::minutes;
using test::InZone;

namespace {

Instant utc(const char* text) {
  const auto instant = parse_instant(text);
  REQUIRE(instant);
  return *instant;
}

std::string times_text(const std::vector<minutes>& times) {
  std::string text;
  for (const minutes time : times) text += (text.empty() ? "" : " ") + format_time_of_day(time);
  return text;
}

std::string times_of(const char* time, int every, const char* window = nullptr) {
  return times_text(due_times(*parse_time_of_day(time), every,
                              window != nullptr ? parse_window(window) : std::nullopt));
}

BackupJob hourly_job(int every = 1, const char* window = nullptr) {
  BackupJob job;
  job.every_hours = every;
  if (window != nullptr) job.between = parse_window(window);
  job.scheduled_since = utc("2026-01-01T00:00:00Z");
  return job;
}

// Three days of one machine: its scheduler asks at the minutes of the entry while it is awake, and
// once when it wakes; the program runs when a run is due. A second run under a name replaces.
struct ThreeDays {
  const Clock& clock;
  BackupJob job;
  std::vector<std::pair<Instant, Instant>> asleep{};
  std::vector<std::string> names{};     // in the order of the runs
  std::map<std::string, Instant> at{};  // when each was taken
  int replaced = 0;

  void ask(Instant now) {
    const auto period = due_period(clock, due_times(job), now);
    std::vector<Instant> successes;
    for (const auto& [name, taken] : at) successes.push_back(taken);
    if (!is_due(period, now, job.scheduled_since, successes)) return;
    const auto hour = hour_of(now, *snapshot_of(job).by_hour_from, clock);
    const std::string name = format_snapshot_day({hour.date, hour.time});
    replaced += at.count(name) != 0 ? 1 : 0;
    at[name] = now;
    names.push_back(name);
  }

  void live(Instant begin, Instant end) {
    for (Instant now = begin; now < end; now += minutes(1)) {
      bool sleeps = false, wakes = false;
      for (const auto& [from, to] : asleep) {
        sleeps = sleeps || (from <= now && now < to);
        wakes = wakes || now == to;
      }
      if (sleeps) continue;
      // All zones of these tests are whole hours off: the minute on the wall is that of UTC.
      const auto minute = std::chrono::duration_cast<minutes>(now.time_since_epoch()).count() % 60;
      const auto asks = ask_minutes(job);
      if (wakes || std::find(asks.begin(), asks.end(), minute) != asks.end()) ask(now);
    }
  }

  std::string of_day(const std::string& date) const {
    std::string hours_text;
    for (const std::string& name : names) {
      if (name.starts_with(date))
        hours_text += (hours_text.empty() ? "" : " ") + name.substr(11, 2);
    }
    return hours_text;
  }
};

constexpr const char* kAllHours =
    "00 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23";

}  // namespace

TEST_CASE("Every so many hours is day, hour or 2h to 12h, and a window is two times") {
  CHECK(parse_every("day") == 0);
  CHECK(parse_every("hour") == 1);
  CHECK(parse_every("1h") == 1);
  CHECK(parse_every("12h") == 12);
  for (const char* text : {"", "0h", "13h", "h", "4", "04h", "4 h", "hours", "daily", "-1h"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_every(text));
  }
  for (int every = 0; every <= kMaxEveryHours; ++every) {
    CHECK(parse_every(format_every(every)) == every);
  }
  CHECK(format_window(*parse_window("08:00-20:30")) == "08:00-20:30");
  for (const char* text :
       {"", "8:00-20:00", "08:00", "08:00-24:00", "08:00 20:00", "08:00-20:00 "}) {
    CAPTURE(text);
    CHECK_FALSE(parse_window(text));
  }
}

TEST_CASE("Due times begin at the window's first minute of that hour, and end with the window") {
  CHECK(times_of("04:07", 0) == "04:07");
  CHECK(times_of("04:07", 1, "08:00-11:30") == "08:07 09:07 10:07 11:07");
  CHECK(times_of("04:00", 1, "08:00-10:00") == "08:00 09:00 10:00");
  CHECK(times_of("04:07", 1, "08:10-10:06") == "09:07");
  CHECK(times_of("04:07", 4, "08:00-20:00") == "08:07 12:07 16:07");
  CHECK(times_of("04:07", 4) == "00:07 04:07 08:07 12:07 16:07 20:07");
  CHECK(times_of("04:07", 5) == "00:07 05:07 10:07 15:07 20:07");
  CHECK(times_of("04:07", 2, "22:00-03:00") == "00:07 02:07 22:07");
  CHECK(times_of("04:07", 1, "08:10-08:50").empty());
  CHECK(due_times(minutes(247), 1, {}).size() == 24);
  CHECK(longest_gap(due_times(minutes(247), 1, {})) == hours(1));
  CHECK(longest_gap(due_times(minutes(247), 1, parse_window("08:00-20:00"))) == hours(13));
  CHECK(longest_gap(due_times(minutes(247), 0, {})) == hours(24));
}

TEST_CASE("By the hour, periods lie end to end in every zone, and each has one name of its own") {
  for (const char* zone : {"UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe",
                           "America/Havana", "Africa/Casablanca", "Pacific/Apia", "Asia/Kolkata"}) {
    const InZone in_zone(zone);
    for (const char* start :
         {"2026-03-06T00:00:00Z", "2026-10-23T00:00:00Z", "2011-12-28T00:00:00Z"}) {
      CAPTURE(zone, start);
      const auto times = due_times(hourly_job());
      std::set<std::string> names;
      DuePeriod period = due_period(in_zone.clock(), times, utc(start));
      for (int count = 0; count < 30 * 24; ++count) {
        const auto name_at = [&in_zone](Instant now) {
          const auto hour = hour_of(now, minutes(7), in_zone.clock());
          return format_snapshot_day({hour.date, hour.time});
        };
        const std::string name = name_at(period.begin);
        REQUIRE(names.insert(name).second);
        REQUIRE(name_at(period.end - std::chrono::seconds(1)) == name);
        REQUIRE(due_period(in_zone.clock(), times, period.end - std::chrono::seconds(1)).begin ==
                period.begin);
        const DuePeriod next = due_period(in_zone.clock(), times, period.end);
        REQUIRE(next.begin == period.end);
        REQUIRE(next.end > next.begin);
        REQUIRE(next.end - next.begin <= hours(2));
        if (std::string(start).starts_with("2026")) {
          REQUIRE(*names.rbegin() == name);  // names sort as they were taken
        }
        period = next;
      }
    }
  }
}

TEST_CASE("Three days by the hour over the spring's change: each hour once, the one left out not") {
  const InZone in_zone("Europe/Berlin");
  ThreeDays world{in_zone.clock(), hourly_job()};
  world.live(utc("2026-03-27T23:00:00Z"), utc("2026-03-30T22:00:00Z"));
  CHECK(world.of_day("2026-03-28") == kAllHours);
  CHECK(world.of_day("2026-03-29") ==
        "00 01 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23");
  CHECK(world.of_day("2026-03-30") == kAllHours);
  CHECK(world.replaced == 0);
}

TEST_CASE(
    "Three days by the hour over the autumn's change: the hour that comes twice has one run") {
  const InZone in_zone("Europe/Berlin");
  ThreeDays world{in_zone.clock(), hourly_job()};
  world.live(utc("2026-10-23T22:00:00Z"), utc("2026-10-26T23:00:00Z"));
  for (const char* date : {"2026-10-24", "2026-10-25", "2026-10-26"}) {
    CHECK(world.of_day(date) == kAllHours);
  }
  CHECK(world.replaced == 0);
  CHECK(format_instant(world.at["2026-10-25T0207"]) == "2026-10-25T00:07:00Z");
  CHECK(format_instant(world.at["2026-10-25T0307"]) == "2026-10-25T02:07:00Z");
}

TEST_CASE("A sleep over either change costs its hours, and is made up once") {
  const InZone in_zone("Europe/Berlin");
  ThreeDays spring{in_zone.clock(), hourly_job()};
  spring.asleep = {{utc("2026-03-28T21:30:00Z"), utc("2026-03-29T04:40:00Z")}};  // 22:30 to 06:40
  spring.live(utc("2026-03-27T23:00:00Z"), utc("2026-03-30T22:00:00Z"));
  CHECK(spring.of_day("2026-03-28") ==
        "00 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22");
  CHECK(spring.of_day("2026-03-29") == "06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23");
  CHECK(format_instant(spring.at["2026-03-29T0607"]) == "2026-03-29T04:40:00Z");
  CHECK(spring.of_day("2026-03-30") == kAllHours);

  // Back in the second 02:20: the hour that began at the first 02:07 is owed, and has its name.
  ThreeDays autumn{in_zone.clock(), hourly_job()};
  autumn.asleep = {{utc("2026-10-24T20:30:00Z"), utc("2026-10-25T01:20:00Z")}};
  autumn.live(utc("2026-10-23T22:00:00Z"), utc("2026-10-26T23:00:00Z"));
  CHECK(autumn.of_day("2026-10-25").starts_with("02 03 04"));
  CHECK(format_instant(autumn.at["2026-10-25T0207"]) == "2026-10-25T01:20:00Z");
  CHECK(autumn.replaced == 0);
}

TEST_CASE(
    "Within a window an hour that was slept through is made up, also after the window's end") {
  const InZone in_zone("UTC");
  ThreeDays world{in_zone.clock(), hourly_job(4, "08:00-20:00")};
  world.asleep = {{utc("2026-11-23T15:00:00Z"), utc("2026-11-23T21:30:00Z")},
                  {utc("2026-11-24T07:00:00Z"), utc("2026-11-24T11:00:00Z")}};
  world.live(utc("2026-11-23T00:00:00Z"), utc("2026-11-26T00:00:00Z"));
  CHECK(world.names == std::vector<std::string>{
                           "2026-11-23T0007",  // of the evening before
                           "2026-11-23T0807", "2026-11-23T1207", "2026-11-23T2107",  // for 16:07
                           "2026-11-24T1007",                                        // for 08:07
                           "2026-11-24T1207", "2026-11-24T1607", "2026-11-25T0807",
                           "2026-11-25T1207", "2026-11-25T1607"});
}

TEST_CASE("What is owed is owed since the first run that did not happen") {
  const InZone in_zone("UTC");
  const auto owed = [&in_zone](const BackupJob& job, const char* now,
                               std::vector<Instant> successes) {
    const auto since =
        owed_since(in_zone.clock(), due_times(job), utc(now), job.scheduled_since, successes);
    return since ? format_instant(*since) : "nothing";
  };
  const BackupJob hourly = hourly_job();
  CHECK(owed(hourly, "2026-11-23T14:30:00Z", {utc("2026-11-23T14:08:00Z")}) == "nothing");
  CHECK(owed(hourly, "2026-11-23T14:30:00Z", {utc("2026-11-23T10:08:00Z")}) ==
        "2026-11-23T11:07:00Z");
  const BackupJob office = hourly_job(1, "08:00-20:00");
  CHECK(owed(office, "2026-11-24T06:00:00Z", {utc("2026-11-23T19:08:00Z")}) == "nothing");
  CHECK(owed(office, "2026-11-24T09:00:00Z", {utc("2026-11-23T19:08:00Z")}) ==
        "2026-11-24T08:07:00Z");
  BackupJob fresh = hourly_job();
  fresh.scheduled_since = utc("2026-11-23T14:10:00Z");
  CHECK(owed(fresh, "2026-11-23T15:00:00Z", {}) == "nothing");
  CHECK(owed(fresh, "2026-11-23T17:00:00Z", {}) == "2026-11-23T15:07:00Z");
  // A success that a clock which ran ahead left behind does not count.
  CHECK(owed(hourly, "2026-11-23T14:30:00Z",
             {utc("2027-01-01T00:00:00Z"), utc("2026-11-23T12:08:00Z")}) == "2026-11-23T13:07:00Z");
}
