#include <algorithm>
#include <random>
#include <set>

#include "core/catalog.h"
#include "support/catch.h"
#include "support/temp_folder.h"

namespace fs = std::filesystem;
using core::Date;
using core::Expiry;
using core::RetentionPolicy;
using core::Snapshot;
using std::chrono::days;
using std::chrono::sys_days;

namespace {

constexpr const char* kSource = "/home/u/global.db";

Date day(const char* text) {
  return *core::parse_date(text);
}

Snapshot make_snapshot(Date date, bool verified = true, const std::string& source = kSource) {
  Snapshot snapshot;
  snapshot.stem = "global";
  snapshot.date = date;
  snapshot.path = "/b/h/" + core::format_snapshot_name({"global", date});
  core::Manifest manifest;
  manifest.source = source;
  manifest.verified = verified ? core::VerifyLevel::quick : core::VerifyLevel::none;
  snapshot.manifest = manifest;
  return snapshot;
}

// One a day up to and including `last`.
std::vector<Snapshot> daily(Date last, int count) {
  std::vector<Snapshot> series;
  for (int i = 0; i < count; ++i) series.push_back(make_snapshot(Date{sys_days{last} - days{i}}));
  return series;
}

std::string kept_days(const std::vector<Expiry>& decisions) {
  std::string kept;
  for (const Expiry& decision : decisions) {
    if (decision.expired) continue;
    kept += (kept.empty() ? "" : " ") + core::format_date(decision.snapshot.date).substr(5);
  }
  return kept;
}

std::vector<Expiry> choose(const std::vector<Snapshot>& series, const RetentionPolicy& policy,
                           const char* today = "2026-11-23") {
  return core::choose_expired(series, kSource, policy, day(today));
}

}  // namespace

TEST_CASE("a policy without rules keeps everything") {
  for (const RetentionPolicy& policy :
       {RetentionPolicy{}, RetentionPolicy{.keep_last = 0}, RetentionPolicy{.retain_days = -5}}) {
    for (const Expiry& decision : choose(daily(day("2026-11-23"), 40), policy)) {
      CHECK_FALSE(decision.expired);
      CHECK(decision.reason == "no retention rule is given");
    }
  }
}

TEST_CASE("each rule keeps what its name says") {
  const auto series = daily(day("2026-11-23"), 40);  // a Monday
  CHECK(kept_days(choose(series, {.keep_last = 3})) == "11-23 11-22 11-21");
  CHECK(kept_days(choose(series, {.retain_days = 2})) == "11-23 11-22");
  CHECK(kept_days(choose(series, {.keep_daily = 2})) == "11-23 11-22");
  CHECK(kept_days(choose(series, {.keep_weekly = 3})) == "11-23 11-22 11-15");
  CHECK(kept_days(choose(series, {.keep_monthly = 2})) == "11-23 10-31");
  CHECK(kept_days(choose(series, {.keep_last = 2, .keep_monthly = 9})) == "11-23 11-22 10-31");
}

TEST_CASE("each decision has its reason") {
  auto decisions = choose(daily(day("2026-11-23"), 9), {.keep_last = 1, .keep_weekly = 2});
  CHECK(decisions[0].reason == "last 1 of 1");
  CHECK(decisions[1].reason == "weekly 2 of 2");
  CHECK(decisions[2].reason == "no rule keeps it");
  decisions = choose(daily(day("2026-11-23"), 9), {.retain_days = 7});
  CHECK(decisions[6].reason == "within 7 days of the newest");
  CHECK(decisions[7].reason == "7 days or more older than the newest");
  CHECK(decisions[7].expired);
}

TEST_CASE("weeks and months are told apart across the turn of the year") {
  std::vector<Snapshot> series;
  for (const char* date : {"2027-01-03", "2027-01-01", "2026-12-31", "2026-12-28", "2026-12-27"}) {
    series.push_back(make_snapshot(day(date)));
  }
  CHECK(kept_days(choose(series, {.keep_weekly = 9}, "2027-01-03")) == "01-03 12-27");
  CHECK(kept_days(choose(series, {.keep_monthly = 9}, "2027-01-03")) == "01-03 12-31");
}

TEST_CASE("a month of failing nights keeps the last good snapshots") {
  const auto series = daily(day("2026-10-20"), 10);
  const auto decisions = choose(series, {.retain_days = 7});
  CHECK(std::count_if(decisions.begin(), decisions.end(), [](auto& d) { return !d.expired; }) == 7);
  // Thirty snapshots that never passed a check do not push out the one that did.
  std::vector<Snapshot> unverified;
  for (const Snapshot& snapshot : daily(day("2026-11-23"), 30)) {
    unverified.push_back(make_snapshot(snapshot.date, false));
  }
  unverified.push_back(make_snapshot(day("2026-10-01")));
  const auto kept = choose(unverified, {.keep_last = 3});
  CHECK(kept.back().reason == "the newest verified");
  CHECK_FALSE(kept.back().expired);
}

TEST_CASE("the last snapshot before a loss stays until the rows are back") {
  auto series = daily(day("2026-11-23"), 5);
  const auto set_rows = [&](std::size_t index, std::uint64_t rows) {
    series[index].manifest->rows = {{"notes", rows}};
  };
  for (std::size_t i = 0; i < 3; ++i) set_rows(i, 1);
  for (std::size_t i = 3; i < 5; ++i) set_rows(i, 1000);
  const auto emptied = choose(series, {.keep_last = 1});
  CHECK(kept_days(emptied) == "11-23 11-20");
  CHECK(emptied[3].reason == "the last before a loss");

  set_rows(0, 990);  // restored
  CHECK(kept_days(choose(series, {.keep_last = 1})) == "11-23");

  // However long a database is drained and filled, few stay for this reason.
  series = daily(day("2026-11-23"), 365);
  for (std::size_t i = 0; i < series.size(); ++i) set_rows(i, 100 + 100 * (i % 10));
  CHECK(kept_days(choose(series, {.keep_last = 1})) == "11-23 11-21 11-17");
}

TEST_CASE("the last snapshot before one table was emptied stays, however many rows others have") {
  auto series = daily(day("2026-11-23"), 6);
  const auto set_rows = [&](std::size_t index, std::uint64_t notes, std::uint64_t tasks) {
    series[index].manifest->rows = {{"log", 5000 + index}, {"notes", notes}, {"tasks", tasks}};
  };
  for (std::size_t i = 0; i < 2; ++i) set_rows(i, 0, 10);
  for (std::size_t i = 2; i < 4; ++i) set_rows(i, 0, 90);
  for (std::size_t i = 4; i < 6; ++i) set_rows(i, 400, 90);
  CHECK(kept_days(choose(series, {.keep_last = 1})) == "11-23 11-21 11-19");
  set_rows(1, 300, 10);  // the notes are back in one that stays
  CHECK(kept_days(choose(series, {.keep_last = 2})) == "11-23 11-22 11-21");
}

TEST_CASE("rows that only several newer snapshots have together are not taken for kept") {
  auto series = daily(day("2026-11-23"), 3);
  series[0].manifest->rows = {{"a", 0}, {"b", 100}};
  series[1].manifest->rows = {{"a", 100}, {"b", 0}};
  series[2].manifest->rows = {{"a", 110}, {"b", 110}};
  CHECK(kept_days(choose(series, {.keep_last = 2})) == "11-23 11-22 11-21");
}

TEST_CASE("neither a long pause nor a clock that jumped lets everything grow too old") {
  auto series = daily(day("2026-11-23"), 11);
  series.push_back(make_snapshot(day("2027-11-25")));
  const RetentionPolicy policy{.retain_days = 5};
  CHECK(kept_days(choose(series, policy, "2027-11-25")) == "11-25 11-23 11-22 11-21 11-20 11-19");
  series.push_back(make_snapshot(day("2027-11-26")));
  CHECK(kept_days(choose(series, policy, "2027-11-26")) == "11-26 11-25");
}

TEST_CASE("snapshots of another source, of the future or of unknown source are never let go") {
  std::vector<Snapshot> series = daily(day("2026-11-23"), 5);
  series.push_back(make_snapshot(day("2026-01-01"), true, "/home/u/other.db"));
  series.push_back(make_snapshot(day("2027-01-01")));
  series.push_back(make_snapshot(day("2026-01-02")));
  series.back().manifest.reset();
  series.back().manifest_problem = "cannot be read";
  const auto decisions = choose(series, {.keep_last = 1});
  CHECK(kept_days(decisions) == "01-01 11-23 01-02 01-01");
  CHECK(decisions.front().reason == "dated in the future");
  CHECK(decisions.back().reason == "it is of another database");
}

TEST_CASE("a snapshot without a manifest belongs to its series") {
  std::vector<Snapshot> series = daily(day("2026-11-23"), 2);
  series[1].manifest.reset();
  CHECK(choose(series, {.keep_last = 1})[1].expired);
}

TEST_CASE("whatever clock, policy and series, what must stay stays") {
  std::mt19937 random(20261123);
  const auto roll = [&](int from, int to) {
    return std::uniform_int_distribution<int>(from, to)(random);
  };
  const auto maybe = [&](int most) {
    return roll(0, 1) == 0 ? std::optional<int>() : std::optional<int>(roll(-1, most));
  };
  int expired_in_all = 0;
  for (int round = 0; round < 3000; ++round) {
    const RetentionPolicy policy{maybe(60), maybe(9), maybe(9), maybe(6), maybe(5)};
    const Date today{sys_days{day("2026-11-23")} + days{roll(-900, 900)}};
    std::vector<Snapshot> series;
    std::set<sys_days> used;
    const int count = roll(0, 40);
    for (int i = 0; i < count; ++i) {
      const sys_days date = sys_days{day("2026-11-23")} - days{roll(-10, 120)};
      if (!used.insert(date).second) continue;
      series.push_back(make_snapshot(Date{date}, roll(0, 2) == 0,
                                     roll(0, 9) == 0 ? "/home/u/other.db" : kSource));
      if (roll(0, 9) == 0) series.back().manifest.reset();
    }
    std::shuffle(series.begin(), series.end(), random);
    const auto decisions = core::choose_expired(series, kSource, policy, today);
    REQUIRE(decisions.size() == series.size());

    bool newest_seen = false, verified_seen = false, ordered = true;
    std::vector<Snapshot> left;
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      const Expiry& decision = decisions[i];
      const Snapshot& snapshot = decision.snapshot;
      ordered = ordered && (i == 0 || decisions[i - 1].snapshot.date > snapshot.date);
      REQUIRE_FALSE(decision.reason.empty());
      if (decision.expired) {
        ++expired_in_all;
        REQUIRE(snapshot.date <= today);
        REQUIRE((!snapshot.manifest || snapshot.manifest->source == kSource));
        REQUIRE(newest_seen);
        REQUIRE((!snapshot.verified() || verified_seen));
      } else {
        left.push_back(snapshot);
      }
      const bool counts =
          snapshot.date <= today && (!snapshot.manifest || snapshot.manifest->source == kSource);
      newest_seen = newest_seen || counts;
      verified_seen = verified_seen || (counts && snapshot.verified());
    }
    REQUIRE(ordered);
    const auto again = core::choose_expired(left, kSource, policy, today);
    REQUIRE(std::none_of(again.begin(), again.end(), [](auto& d) { return d.expired; }));
  }
  CHECK(expired_in_all > 1000);
}

TEST_CASE("what is expired is removed with its manifest, and nothing else") {
  const test::TempFolder folder;
  core::FileSystem& files = core::system_files();
  for (const char* date : {"2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"}) {
    const auto path = folder / core::format_snapshot_name({"global", day(date)});
    test::write_file(path, date);
    core::Manifest manifest;
    manifest.source = kSource;
    manifest.page_size = 512;
    REQUIRE(core::write_manifest(path, manifest, files));
  }
  test::write_file(folder / "global-2026-11-20.db-wal", "not ours");
  const auto series = core::list_series(folder.path(), "global", files);
  REQUIRE(series);
  const auto decisions = choose(*series, {.keep_last = 1});
  test::write_file(folder / "global-2026-11-21.db", "written anew meanwhile");
  const auto report = core::remove_expired(decisions, files);
  CHECK(report.removed.size() == 2);
  REQUIRE(report.warnings.size() == 1);
  CHECK(report.warnings[0].find("global-2026-11-21.db") != std::string::npos);
  CHECK(test::names_in(folder.path()) ==
        "global-2026-11-20.db-wal global-2026-11-21.db global-2026-11-21.db.manifest.json "
        "global-2026-11-23.db global-2026-11-23.db.manifest.json");
}
