#include "core/status/missed_days.h"

#include "core/base/paths.h"
#include "support/catch.h"
#include "support/fake_env.h"

namespace {

using core::Instant;
using std::chrono::hours;
using std::chrono::minutes;

const core::fs::path kDatabase = "/home/u/.claude/orchestrator/global.db";

Instant at(const char* text) {
  return *core::parse_instant(text);
}

// A daily schedule at 04:07, installed on 1 November and looked at on the 23rd, at noon.
struct Calendar {
  Calendar() {
    input.now = clock.instant;
    input.databases.push_back({kDatabase, {}});
    core::StatusInput::Schedule schedule;
    schedule.name = "global";
    schedule.source = kDatabase;
    schedule.since = at("2026-11-01T10:00:00Z");
    schedule.times = {minutes(4 * 60 + 7)};
    input.schedules.push_back(schedule);
  }
  // Newest first, as they are called.
  void run(const char* when, bool ok = true) {
    core::RunRecord run;
    run.kind = core::kSnapshotRun;
    run.source = core::text_of(kDatabase);
    run.started_at = run.finished_at = at(when);
    run.ok = ok;
    input.runs.push_back(run);
  }
  void snapshot(const char* when) {
    core::Snapshot snapshot;
    snapshot.manifest.emplace();
    snapshot.manifest->source = core::text_of(kDatabase);
    snapshot.manifest->taken_at = at(when);
    input.snapshots.push_back(snapshot);
  }
  // "2026-11-20 2026-11-22/2026-11-23"
  std::string missed() {
    auto report = core::report_of({});
    report.databases.emplace_back().source = kDatabase;
    core::find_missed_days(input, clock, report);
    std::string text;
    for (const auto& [first, last] : report.databases[0].missed) {
      text += (text.empty() ? "" : " ") + core::format_date(first);
      if (last != first) text += "/" + core::format_date(last);
    }
    return text;
  }

  test::FakeClock clock;
  core::StatusInput input;
};

}  // namespace

TEST_CASE("Days on which a backup was due and nothing ran are missed") {
  Calendar calendar;
  calendar.run("2026-11-23T04:07:30Z");
  calendar.run("2026-11-20T04:07:30Z");
  calendar.run("2026-11-18T04:07:30Z");
  CHECK(calendar.missed() == "2026-11-19 2026-11-21/2026-11-22");
}

TEST_CASE("A day with a failure alone is missed, one with a snapshot by hand is not") {
  Calendar calendar;
  calendar.run("2026-11-23T04:07:30Z");
  calendar.run("2026-11-22T04:07:30Z", false);
  calendar.run("2026-11-21T22:00:00Z");
  calendar.run("2026-11-20T04:07:30Z");
  CHECK(calendar.missed() == "2026-11-22");
}

TEST_CASE("No day is missed before the schedule was installed, nor before the first success") {
  Calendar calendar;
  calendar.run("2026-11-23T04:07:30Z");
  calendar.run("2026-11-10T04:07:30Z", false);
  calendar.run("2026-11-02T04:07:30Z", false);
  CHECK(calendar.missed().empty());
  calendar.run("2026-10-20T10:00:00Z");
  CHECK(calendar.missed() == "2026-11-02/2026-11-22");
  calendar.input.schedules[0].since = at("2026-11-20T10:00:00Z");
  CHECK(calendar.missed() == "2026-11-21/2026-11-22");
  calendar.input.runs.resize(3);  // never a success but this morning's
  CHECK(calendar.missed().empty());
}

TEST_CASE("Days that the history does not reach are not missed, for retention thins them") {
  Calendar calendar;
  calendar.snapshot("2026-11-02T04:07:30Z");
  calendar.snapshot("2026-11-09T04:07:30Z");
  CHECK(calendar.missed().empty());
  calendar.run("2026-11-23T04:07:30Z");
  calendar.run("2026-11-20T04:07:30Z");
  CHECK(calendar.missed() == "2026-11-21/2026-11-22");
}

TEST_CASE("A run whose snapshot retention let go, or that found nothing new, is no missed day") {
  Calendar calendar;
  calendar.snapshot("2026-11-23T04:07:30Z");
  for (const char* when :
       {"2026-11-23T04:07:30Z", "2026-11-22T04:07:30Z", "2026-11-21T04:07:30Z"}) {
    calendar.run(when);
  }
  CHECK(calendar.missed().empty());
}

TEST_CASE("Today is missed only when its due time has passed, with some grace") {
  Calendar calendar;
  calendar.run("2026-11-22T04:07:30Z");
  calendar.input.now = at("2026-11-23T03:00:00Z");
  CHECK(calendar.missed().empty());
  calendar.input.now = at("2026-11-23T06:00:00Z");
  CHECK(calendar.missed().empty());
  calendar.input.now = at("2026-11-23T06:08:00Z");
  CHECK(calendar.missed() == "2026-11-23");
}

TEST_CASE("What is made up before the next due time is not missed") {
  Calendar calendar;
  calendar.run("2026-11-23T04:07:30Z");
  calendar.run("2026-11-23T03:00:00Z");
  calendar.run("2026-11-21T04:07:30Z");
  CHECK(calendar.missed().empty());
}

TEST_CASE("A day of an hourly schedule is missed when not one run of it went well") {
  Calendar calendar;
  for (int hour = 8; hour <= 19; ++hour) {
    if (hour == 8) calendar.input.schedules[0].times.clear();
    calendar.input.schedules[0].times.emplace_back(hour * 60 + 7);
  }
  calendar.run("2026-11-22T15:07:30Z");
  calendar.run("2026-11-20T09:07:30Z");
  CHECK(calendar.missed() == "2026-11-21");  // and today, at noon, not yet
  calendar.input.now = at("2026-11-23T21:08:00Z");
  CHECK(calendar.missed() == "2026-11-21 2026-11-23");
}

TEST_CASE("Missed days are those of the machine's own calendar") {
  Calendar calendar;
  calendar.clock.local_offset = hours(-8);
  calendar.run("2026-11-22T12:07:30Z");
  calendar.run("2026-11-20T12:07:30Z");  // 04:07 there
  CHECK(calendar.missed() == "2026-11-21");
}

TEST_CASE("A database without a schedule misses no day") {
  Calendar calendar;
  calendar.input.schedules.clear();
  calendar.run("2026-11-23T04:07:30Z");
  calendar.run("2026-11-10T04:07:30Z");
  CHECK(calendar.missed().empty());
}

TEST_CASE("No more missed days are told than those of the last three months") {
  Calendar calendar;
  calendar.input.schedules[0].since = at("2025-01-01T00:00:00Z");
  calendar.run("2026-11-22T04:07:30Z");
  calendar.run("2026-01-01T04:07:30Z");
  calendar.input.now = at("2026-11-23T05:00:00Z");
  CHECK(calendar.missed() == "2026-08-25/2026-11-21");
}
