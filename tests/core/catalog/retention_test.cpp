#include "core/catalog/retention.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "core/catalog/catalog.h"
#include "core/catalog/names.h"
#include "core/support/dates.h"
#include "support/catch.h"
#include "support/forwarding_files.h"
#include "support/temp_folder.h"

namespace fs = std::filesystem;
using core::Date;
using core::Expiry;
using core::RetentionPolicy;
using core::Snapshot;
using std::chrono::days;
using std::chrono::sys_days;
using test::day;

namespace {

constexpr const char* kSource = "/home/u/global.db";

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

TEST_CASE("A policy without rules keeps everything") {
  for (const RetentionPolicy& policy :
       {RetentionPolicy{}, RetentionPolicy{.keep_last = 0}, RetentionPolicy{.retain_days = -5}}) {
    for (const Expiry& decision : choose(daily(day("2026-11-23"), 40), policy)) {
      CHECK_FALSE(decision.expired);
      CHECK(decision.reason == "no retention rule is given");
    }
  }
}

TEST_CASE("Each rule keeps what its name says") {
  const auto series = daily(day("2026-11-23"), 40);  // a Monday
  CHECK(kept_days(choose(series, {.keep_last = 3})) == "11-23 11-22 11-21");
  CHECK(kept_days(choose(series, {.retain_days = 2})) == "11-23 11-22");
  CHECK(kept_days(choose(series, {.keep_daily = 2})) == "11-23 11-22");
  CHECK(kept_days(choose(series, {.keep_weekly = 3})) == "11-23 11-22 11-15");
  CHECK(kept_days(choose(series, {.keep_monthly = 2})) == "11-23 10-31");
  CHECK(kept_days(choose(series, {.keep_last = 2, .keep_monthly = 9})) == "11-23 11-22 10-31");
}

TEST_CASE("Each decision has its reason") {
  auto decisions = choose(daily(day("2026-11-23"), 9), {.keep_last = 1, .keep_weekly = 2});
  CHECK(decisions[0].reason == "last 1 of 1");
  CHECK(decisions[1].reason == "weekly 2 of 2");
  CHECK(decisions[2].reason == "no rule keeps it");
  decisions = choose(daily(day("2026-11-23"), 9), {.retain_days = 7});
  CHECK(decisions[6].reason == "day 7 of 7");
  CHECK(decisions[7].reason == "no rule keeps it");
  CHECK(decisions[7].expired);
}

TEST_CASE("Weeks and months are told apart across the turn of the year") {
  std::vector<Snapshot> series;
  for (const char* date : {"2027-01-03", "2027-01-01", "2026-12-31", "2026-12-28", "2026-12-27"}) {
    series.push_back(make_snapshot(day(date)));
  }
  CHECK(kept_days(choose(series, {.keep_weekly = 9}, "2027-01-03")) == "01-03 12-27");
  CHECK(kept_days(choose(series, {.keep_monthly = 9}, "2027-01-03")) == "01-03 12-31");
}

TEST_CASE("A month of failing nights keeps the last good snapshots") {
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

TEST_CASE("The last snapshot before a loss stays until the rows are back") {
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

TEST_CASE("The last snapshot before one table was emptied stays, however many rows others have") {
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

TEST_CASE("Rows that only several newer snapshots have together are not taken for kept") {
  auto series = daily(day("2026-11-23"), 3);
  series[0].manifest->rows = {{"a", 0}, {"b", 100}};
  series[1].manifest->rows = {{"a", 100}, {"b", 0}};
  series[2].manifest->rows = {{"a", 110}, {"b", 110}};
  CHECK(kept_days(choose(series, {.keep_last = 2})) == "11-23 11-22 11-21");
}

TEST_CASE("A table that a manifest has no room for is taken for neither lost nor full") {
  auto series = daily(day("2026-11-23"), 2);
  series[1].manifest->rows = {{"log", 900}, {"notes", 100}};
  series[0].manifest->rows = {{"log", 900}};
  series[0].manifest->omitted = {1, 100};
  CHECK(kept_days(choose(series, {.keep_last = 1})) == "11-23");
  series[0].manifest->omitted = {1, 3};  // of the one or another table: less than half is left
  CHECK(kept_days(choose(series, {.keep_last = 1})) == "11-23 11-22");
}

TEST_CASE("Neither a long pause nor a clock that jumped lets everything grow too old") {
  auto series = daily(day("2026-11-23"), 11);
  series.push_back(make_snapshot(day("2027-11-25")));
  const RetentionPolicy policy{.retain_days = 5};
  CHECK(kept_days(choose(series, policy, "2027-11-25")) == "11-25 11-23 11-22 11-21 11-20");
  series.push_back(make_snapshot(day("2027-11-26")));
  CHECK(kept_days(choose(series, policy, "2027-11-26")) == "11-26 11-25 11-23 11-22 11-21");
}

namespace {

// What cannot be restored, in each way there is.
std::vector<Snapshot> useless_ones(const std::vector<Date>& dates) {
  std::vector<Snapshot> useless;
  for (const Date date : dates) {
    useless.push_back(make_snapshot(date));
    if (useless.size() % 2 == 0) {
      useless.back().unusable = "is empty (0 bytes)";
    } else {
      useless.back().found_damaged = true;
    }
  }
  return useless;
}

int good_ones(const std::vector<Expiry>& decisions) {
  return static_cast<int>(std::count_if(
      decisions.begin(), decisions.end(),
      [](const Expiry& decision) { return !decision.expired && decision.snapshot.restorable(); }));
}

}  // namespace

TEST_CASE("What cannot be restored takes no place of any rule") {
  const auto two = std::vector<Date>{day("2026-11-23"), day("2026-11-22")};
  std::vector<Snapshot> series = useless_ones(two);
  for (const Snapshot& snapshot : daily(day("2026-11-21"), 9)) series.push_back(snapshot);
  for (const RetentionPolicy& policy :
       {RetentionPolicy{.keep_last = 3}, RetentionPolicy{.keep_daily = 3},
        RetentionPolicy{.retain_days = 3}}) {
    CHECK(kept_days(choose(series, policy)) == "11-23 11-22 11-21 11-20 11-19");
  }
  // 11-23 is a Monday; the newest useless one of a week or month takes no place from a good one.
  CHECK(kept_days(choose(series, {.keep_weekly = 2})) == "11-23 11-22 11-21 11-15");
  CHECK(kept_days(choose(series, {.keep_monthly = 1})) == "11-23 11-22 11-21");
  const auto reasons = choose(series, {.keep_last = 1});
  CHECK(reasons[0].reason == "last 1 of 1; it was found damaged and takes no place");
  CHECK(reasons[1].reason == "last 1 of 1; it is empty (0 bytes) and takes no place");
  CHECK(reasons[2].reason == "last 1 of 1");
}

TEST_CASE("What cannot be restored protects nothing, and goes when a good one of its day would") {
  std::vector<Snapshot> series = daily(day("2026-11-23"), 2);
  for (Snapshot& useless : useless_ones({day("2026-11-21"), day("2026-11-20")})) {
    series.push_back(std::move(useless));
  }
  CHECK(kept_days(choose(series, {.keep_last = 2})) == "11-23 11-22");
  CHECK(kept_days(choose(series, {.keep_last = 3})) == "11-23 11-22 11-21 11-20");
  // Its rows are nobody's any more: it does not stand in for the last one before a loss.
  series = daily(day("2026-11-23"), 3);
  series[1].unusable = "is empty (0 bytes)";
  for (const std::size_t full : {1, 2}) series[full].manifest->rows = {{"notes", 1000}};
  CHECK(kept_days(choose(series, {.keep_last = 1})) == "11-23 11-22 11-21");
  // A series of nothing else is left alone.
  CHECK(kept_days(choose(useless_ones({day("2026-11-21"), day("2026-11-20")}), {.keep_last = 1})) ==
        "11-21 11-20");
}

TEST_CASE("Whatever the clock does, good nights do not become fewer than a rule counts") {
  std::mt19937 random(20261128);
  const auto roll = [&](int from, int to) {
    return std::uniform_int_distribution<int>(from, to)(random);
  };
  for (int round = 0; round < 200; ++round) {
    const int count = roll(1, 12);
    RetentionPolicy policy;
    for (auto* rule : {&policy.retain_days, &policy.keep_last, &policy.keep_daily}) {
      if (roll(0, 2) == 0) *rule = roll(1, count);
    }
    policy.retain_days = count;
    std::map<sys_days, Snapshot> folder;
    sys_days today{day("2026-11-23")};
    int nights_of_this_clock = 0, good_before = 0;
    for (int night = 0; night < 60; ++night) {
      today += days{1};
      if (--nights_of_this_clock < 0 && roll(0, 9) == 0) {  // a clock ahead, behind, or a pause
        today = sys_days{day("2026-11-23")} + days{roll(-4000, 4000)};
        nights_of_this_clock = roll(0, 9);
      }
      const bool is_new = !folder.contains(today) || !folder[today].restorable();
      folder[today] = make_snapshot(Date{today}, roll(0, 3) > 0);
      std::vector<Snapshot> series;
      for (auto& [date, snapshot] : folder) {
        if (date != today && roll(0, 30) == 0) {  // bit rot, a sync client
          good_before -= snapshot.restorable() ? 1 : 0;
          snapshot.unusable = "is empty (0 bytes)";
        }
        series.push_back(snapshot);
      }
      const auto decisions = core::choose_expired(series, kSource, policy, Date{today});
      const int good = good_ones(decisions);
      REQUIRE(good >= std::min(good_before + (is_new ? 1 : 0), count));
      folder.clear();
      for (const Expiry& decision : decisions) {
        if (!decision.expired) folder.emplace(sys_days{decision.snapshot.date}, decision.snapshot);
      }
      good_before = good;
    }
  }
}

TEST_CASE("Snapshots of another source, of the future or of unknown source are never let go") {
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

TEST_CASE("A snapshot without a manifest belongs to its series") {
  std::vector<Snapshot> series = daily(day("2026-11-23"), 2);
  series[1].manifest.reset();
  CHECK(choose(series, {.keep_last = 1})[1].expired);
}

TEST_CASE("Whatever clock, policy and series, what must stay stays") {
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

TEST_CASE("What is expired is removed with its manifest, and nothing else") {
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
  auto decisions = choose(*series, {.keep_last = 1});
  test::write_file(folder / "global-2026-11-21.db", "written anew meanwhile");
  const auto report = core::remove_expired(decisions, files);
  CHECK(report.removed.size() == 2);
  REQUIRE(report.warnings.size() == 1);
  CHECK(report.warnings[0].find("global-2026-11-21.db") != std::string::npos);
  CHECK(decisions[2].reason == "could not be removed");
  CHECK(test::names_in(folder.path()) ==
        "global-2026-11-20.db-wal global-2026-11-21.db global-2026-11-21.db.manifest.json "
        "global-2026-11-23.db global-2026-11-23.db.manifest.json");
}

TEST_CASE("What could not be removed is not told as removed") {
  struct Stuck final : test::ForwardingFiles {
    Expected<> remove(const Path& path) override {
      if (path.filename() == "global-2026-11-20.db") {
        return core::fail(core::ErrorCode::permission_denied, "cannot remove " + path.string());
      }
      return ForwardingFiles::remove(path);
    }
  } files;
  const test::TempFolder folder;
  for (const char* date : {"2026-11-20", "2026-11-21", "2026-11-22"}) {
    test::write_file(folder / core::format_snapshot_name({"global", day(date)}), date);
  }
  const auto series = core::list_series(folder.path(), "global", files);
  REQUIRE(series);
  auto decisions = choose(*series, {.keep_last = 1});
  const auto report = core::remove_expired(decisions, files);
  CHECK(report.removed == std::vector<fs::path>{folder / "global-2026-11-21.db"});
  CHECK(report.freed_bytes == 10);
  CHECK(report.warnings.size() == 1);
  CHECK(kept_days(decisions) == "11-22 11-20");
}

TEST_CASE("A file that is empty, unreadable, cut short or no database is known as useless") {
  struct Failing final : test::ForwardingFiles {
    Expected<std::string> read_start(const Path& path, std::size_t bytes) const override {
      if (path.filename() == "global-2026-11-23.db") {
        return core::fail(core::ErrorCode::io, "cannot read " + path.string());
      }
      return ForwardingFiles::read_start(path, bytes);
    }
  } files;
  const test::TempFolder folder;
  const std::string good = std::string("SQLite format 3\0", 16) + "the rest";
  const auto add = [&](const char* date, const std::string& content, std::uint64_t told) {
    const auto path = folder / core::format_snapshot_name({"global", day(date)});
    test::write_file(path, content);
    core::Manifest manifest;
    manifest.source = kSource;
    manifest.page_size = 512;
    manifest.bytes = told;
    if (told > 0) REQUIRE(core::write_manifest(path, manifest, files));
  };
  add("2026-11-23", good, good.size());
  add("2026-11-22", "", 24);
  add("2026-11-21", "no database", 0);
  add("2026-11-20", good, good.size() + 1);
  add("2026-11-19", good, 0);
  add("2026-11-18", good, good.size());
  auto series = core::list_series(folder.path(), "global", files);
  REQUIRE(series);
  core::mark_unusable(*series, files);
  std::vector<std::string> why;
  for (const Snapshot& snapshot : *series) why.push_back(snapshot.unusable.substr(0, 20));
  CHECK(why == std::vector<std::string>{"cannot be read (cann", "is empty (0 bytes)",
                                        "is not an SQLite dat", "has 24 bytes, its ma", "", ""});
  CHECK(kept_days(choose(*series, {.keep_last = 1})) == "11-23 11-22 11-21 11-20 11-19");
  const auto warning = core::unusable_warning(choose(*series, {.keep_last = 2}));
  REQUIRE(warning);
  CHECK(warning->find("and 3 more like it") != std::string::npos);
}

TEST_CASE("A snapshot that only the cloud holds is judged without being read") {
  struct CloudFiles : test::ForwardingFiles {
    Expected<core::FileInfo> link_info(const Path& path) const override {
      auto found = ForwardingFiles::link_info(path);
      if (found && path.extension() == ".db") found->elsewhere = true;
      return found;
    }
    Expected<std::string> read_start(const Path& path, std::size_t) const override {
      return core::fail(core::ErrorCode::io, path.string() + " would have to be brought");
    }
  } files;
  const test::TempFolder folder;
  for (const char* date : {"2026-11-22", "2026-11-23"}) {
    const auto path = folder / core::format_snapshot_name({"global", day(date)});
    test::write_file(path, std::string("SQLite format 3\0", 16) + "the rest");
    core::Manifest manifest;
    manifest.source = kSource;
    manifest.page_size = 512;
    manifest.bytes = date == std::string("2026-11-22") ? 24 : 25;
    REQUIRE(core::write_manifest(path, manifest, files));
  }
  auto series = core::list_series(folder.path(), "global", files);
  REQUIRE(series);
  core::mark_unusable(*series, files);
  REQUIRE(series->size() == 2);
  CHECK((*series)[0].unusable == "has 24 bytes, its manifest says 25");
  CHECK((*series)[1].unusable.empty());
}
