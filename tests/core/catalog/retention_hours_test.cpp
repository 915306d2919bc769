// Keep rules over snapshots by the hour, against a plain model of what the rules say.
#include <algorithm>
#include <random>
#include <set>

#include "core/catalog/names.h"
#include "core/catalog/retention.h"
#include "core/support/dates.h"
#include "support/catch.h"

using core::Date;
using core::Expiry;
using core::Instant;
using core::RetentionPolicy;
using core::Snapshot;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::sys_days;
using test::day;

namespace {

constexpr const char* kHourlySource = "/home/u/global.db";

// A name with a time when `time` is given; taken some minutes after its hour began.
Snapshot hourly_snapshot(Date date, std::optional<minutes> time, minutes taken) {
  Snapshot snapshot;
  snapshot.stem = "global";
  snapshot.date = date;
  snapshot.time = time;
  snapshot.path = "/b/h/" + core::format_snapshot_name({"global", date, time});
  core::Manifest manifest;
  manifest.source = kHourlySource;
  manifest.verified = core::VerifyLevel::quick;
  manifest.taken_at = Instant{sys_days{date}} + taken;
  snapshot.manifest = manifest;
  return snapshot;
}

std::set<std::string> kept_of(const std::vector<Expiry>& decisions) {
  std::set<std::string> kept;
  for (const Expiry& decision : decisions) {
    if (!decision.expired) kept.insert(decision.snapshot.path.filename().string());
  }
  return kept;
}

std::set<std::string> keep(const std::vector<Snapshot>& series, const RetentionPolicy& policy,
                           Date today) {
  return kept_of(core::choose_expired(series, kHourlySource, policy, today));
}

// What the rules say, read from their words: of each of the newest N hours, days, weeks and months
// that have one the newest, and the newest of all.
std::set<std::string> by_the_words(std::vector<Snapshot> series, const RetentionPolicy& policy) {
  std::sort(series.begin(), series.end(), [](const Snapshot& a, const Snapshot& b) {
    return std::pair(a.date, a.manifest->taken_at) > std::pair(b.date, b.manifest->taken_at);
  });
  const auto hour = [](const Snapshot& s) {
    return core::format_date(s.date) + (s.time ? std::to_string(s.time->count() / 60) : " whole");
  };
  const auto date = [](const Snapshot& s) { return core::format_date(s.date); };
  const auto week = [](const Snapshot& s) {  // days since a Monday long ago
    return std::to_string((sys_days{s.date} - sys_days{Date{day("1900-01-01")}}).count() / 7);
  };
  const auto month = [](const Snapshot& s) { return core::format_date(s.date).substr(0, 7); };
  std::set<std::string> kept;
  if (!series.empty()) kept.insert(series.front().path.filename().string());
  const auto rule = [&](const std::optional<int>& count, const auto& period) {
    std::set<std::string> seen;
    for (const Snapshot& snapshot : series) {
      if (!count || static_cast<int>(seen.size()) == *count) break;
      if (seen.insert(period(snapshot)).second) kept.insert(snapshot.path.filename().string());
    }
  };
  rule(policy.keep_hourly, hour);
  rule(policy.keep_daily, date);
  rule(policy.keep_weekly, week);
  rule(policy.keep_monthly, month);
  return kept;
}

// A history as machines make them: hours asleep, idle and busy ones, days away, a zone that changes
// the minute, and now and then a snapshot by hand, which is named by its day.
class History {
 public:
  explicit History(std::uint32_t seed) : random_(seed) {}

  std::optional<Snapshot> next() {
    if (hour_ == hours(24)) {
      hour_ = hours(0);
      today_ = Date{sys_days{today_} + days{pick(20) == 0 ? 1 + pick(60) : 1}};
      presence_ = 1 + pick(100);
      if (pick(30) == 0) minute_ = minutes{pick(60)};
    }
    const minutes time = hour_ + minute_;
    hour_ += hours(1);
    if (pick(60) == 0) return hourly_snapshot(today_, {}, time + minutes{1 + pick(50)});
    if (pick(100) >= presence_) return std::nullopt;
    return hourly_snapshot(today_, time, time + minutes{pick(50)});
  }
  Date today() const { return today_; }
  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

 private:
  std::mt19937 random_;
  Date today_ = day("2026-01-01");
  hours hour_{0};
  minutes minute_{7};
  int presence_ = 100;
};

void put(std::vector<Snapshot>& series, const Snapshot& snapshot) {
  std::erase_if(series, [&](const Snapshot& other) { return other.path == snapshot.path; });
  series.push_back(snapshot);
}

}  // namespace

TEST_CASE("Each rule counts its own periods over snapshots by the hour") {
  std::vector<Snapshot> series;
  for (int hour = 0; hour < 72; ++hour) {
    const minutes time = hours(hour % 24) + minutes(7);
    series.push_back(
        hourly_snapshot(Date{sys_days{day("2026-11-21")} + days{hour / 24}}, time, time));
  }
  const Date today = day("2026-11-23");
  CHECK(keep(series, {.keep_hourly = 3}, today) ==
        std::set<std::string>{"global-2026-11-23T2307.db", "global-2026-11-23T2207.db",
                              "global-2026-11-23T2107.db"});
  CHECK(keep(series, {.keep_daily = 2}, today) ==
        std::set<std::string>{"global-2026-11-23T2307.db", "global-2026-11-22T2307.db"});
  CHECK(keep(series, {.keep_last = 2}, today).size() == 2);
  CHECK(keep(series, {.keep_hourly = 24, .keep_daily = 3}, today).size() == 26);
}

TEST_CASE("A snapshot by hand counts as the newest when it is, whatever its name") {
  const Date today = day("2026-11-23");
  const std::vector<Snapshot> series{
      hourly_snapshot(today, hours(14) + minutes(7), hours(14) + minutes(8)),
      hourly_snapshot(today, {}, hours(14) + minutes(30)),
      hourly_snapshot(today, hours(13) + minutes(7), hours(13) + minutes(8))};
  CHECK(keep(series, {.keep_last = 1}, today) == std::set<std::string>{"global-2026-11-23.db"});
  CHECK(keep(series, {.keep_hourly = 2}, today) ==
        std::set<std::string>{"global-2026-11-23.db", "global-2026-11-23T1407.db"});
}

TEST_CASE("Over random histories the rules keep exactly what they say") {
  const RetentionPolicy usual{
      .keep_hourly = 24, .keep_daily = 14, .keep_weekly = 8, .keep_monthly = 12};
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    History history(seed);
    std::vector<Snapshot> all, there;
    for (int hour = 0; hour < 24 * 100; ++hour) {
      const auto taken = history.next();
      if (!taken) continue;
      put(all, *taken);
      put(there, *taken);
      // Run after run, each of which removes: what stays is what one look at everything would keep.
      const auto kept = keep(there, usual, history.today());
      std::erase_if(there, [&](const Snapshot& snapshot) {
        return kept.count(snapshot.path.filename().string()) == 0;
      });
      REQUIRE(there.size() == kept.size());
      REQUIRE(kept.count(taken->path.filename().string()) == 1);
      if (hour % 97 == 0) REQUIRE(kept == by_the_words(all, usual));
    }
    REQUIRE(keep(all, usual, history.today()) == by_the_words(all, usual));
    RetentionPolicy policy;
    if (history.pick(2) == 0) policy.keep_hourly = 1 + history.pick(50);
    if (history.pick(2) == 0) policy.keep_daily = 1 + history.pick(30);
    if (history.pick(2) == 0) policy.keep_weekly = 1 + history.pick(10);
    policy.keep_monthly = 1 + history.pick(14);
    REQUIRE(keep(all, policy, history.today()) == by_the_words(all, policy));
  }
}

TEST_CASE("By the hour, too, a damaged snapshot takes no place and the last verified one stays") {
  const Date today = day("2026-11-23");
  std::vector<Snapshot> series;
  for (int hour = 0; hour < 12; ++hour) {
    series.push_back(hourly_snapshot(today, hours(hour), hours(hour)));
    series.back().found_damaged = hour > 8;
  }
  const auto kept = keep(series, {.keep_hourly = 2}, today);
  CHECK(kept.count("global-2026-11-23T0800.db") == 1);
  CHECK(kept.count("global-2026-11-23T0700.db") == 1);
  CHECK(kept.count("global-2026-11-23T0600.db") == 0);
  for (Snapshot& snapshot : series) {
    snapshot.found_damaged = false;
    if (snapshot.time > hours(2)) snapshot.manifest->verified = core::VerifyLevel::none;
  }
  CHECK(keep(series, {.keep_hourly = 2}, today).count("global-2026-11-23T0200.db") == 1);
}
