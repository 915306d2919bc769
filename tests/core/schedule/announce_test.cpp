// What is told of keep rules before they remove anything.
#include "core/schedule/announce.h"

#include <algorithm>
#include <set>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/snapshot/new_rules.h"
#include "support/catch.h"

using namespace core;

namespace {

RetentionPolicy policy_of(std::optional<int> daily, std::optional<int> weekly,
                          std::optional<int> monthly) {
  RetentionPolicy policy;
  policy.keep_daily = daily;
  policy.keep_weekly = weekly;
  policy.keep_monthly = monthly;
  return policy;
}

BackupJob job_with(const RetentionPolicy& policy) {
  BackupJob job;
  job.name = "n";
  job.snapshot.source = "/live/a.db";
  job.snapshot.retention = policy;
  return job;
}

}  // namespace

TEST_CASE("An estimate counts what overlapping rules keep together") {
  CHECK(count_kept(policy_of(14, {}, {})) == 14);
  CHECK(count_kept(policy_of({}, 8, {})) == 8);
  CHECK(count_kept(policy_of({}, {}, 12)) == 12);
  const auto together = count_kept(policy_of(14, 8, 12));
  CHECK(together > 14);
  CHECK(together < 14 + 8 + 12);
  RetentionPolicy days;
  days.retain_days = 30;
  CHECK(count_kept(days) == 30);
}

TEST_CASE("An estimate of rules without end comes to an end") {
  CHECK(count_kept(policy_of(1'000'000'000, {}, {})) > 3'000);
  CHECK(count_kept(policy_of({}, {}, 2'000'000'000)) > 100);
}

TEST_CASE("Rules are new where they, or the snapshots that they are about, are others") {
  const BackupJob job = job_with(policy_of(14, {}, {}));
  CHECK(has_new_rules(std::nullopt, job));
  CHECK_FALSE(has_new_rules(job, job));
  CHECK(has_new_rules(job_with({}), job));
  CHECK_FALSE(has_new_rules(job, job_with({})));
  BackupJob elsewhere = job;
  elsewhere.snapshot.label = "other";
  CHECK(has_new_rules(job, elsewhere));
  BackupJob later = job;
  later.time = std::chrono::minutes(1);
  CHECK_FALSE(has_new_rules(job, later));
}

TEST_CASE("A question about many snapshots names the first and counts the rest") {
  std::vector<Expiry> expired(kMaxNamedRemovals + 3);
  for (std::size_t i = 0; i < expired.size(); ++i) {
    expired[i].snapshot.path = "/backups/" + std::to_string(i) + ".db";
    expired[i].expired = true;
  }
  const Error error = unconfirmed_removal("These rules would remove", expired);
  CHECK(error.code == ErrorCode::needs_confirmation);
  CHECK_THAT(error.message, Catch::Contains("would remove 23 snapshots") &&
                                Catch::Contains(core::text_of("/backups/19.db") + " and 3 more"));
  CHECK(error.message.find(core::text_of("/backups/20.db")) == std::string::npos);
}

TEST_CASE("An estimate of a schedule by the hour counts its hours") {
  const auto all_day = due_times(std::chrono::minutes(7), 1, std::nullopt);
  const auto office = due_times(std::chrono::minutes(7), 4, parse_window("08:00-20:00"));
  RetentionPolicy policy;
  policy.keep_hourly = 24;
  CHECK(count_kept(policy, all_day, 1) == 24);
  CHECK(count_kept(policy, office, 4) == 24);
  CHECK(count_kept(policy) == 24);  // daily, each day has one hour
  policy.keep_daily = 14;
  CHECK(count_kept(policy, all_day, 1) == 24 + 13);
  CHECK(count_kept(policy, office, 4) == 24 + 6);  // three a day: eight days are there already
  policy.keep_weekly = 8;
  policy.keep_monthly = 12;
  CHECK(count_kept(policy, all_day, 1) == 24 + count_kept(policy_of(14, 8, 12)) - 1);
  RetentionPolicy last;
  last.keep_last = 100;
  CHECK(count_kept(last, all_day, 1) == 100);
  RetentionPolicy days;
  days.retain_days = 30;
  CHECK(count_kept(days, all_day, 1) == 30);
  RetentionPolicy endless;
  endless.keep_hourly = 2'000'000'000;
  CHECK(count_kept(endless, all_day, 1) > 3'000);
}

TEST_CASE("Rules that count single runs of an hourly schedule are told to reach back little") {
  RetentionPolicy last;
  last.keep_last = 30;
  BackupJob job = job_with(last);
  CHECK_FALSE(few_hours_warning(job));
  job.every_hours = 1;
  REQUIRE(few_hours_warning(job));
  CHECK_THAT(plain_text(*few_hours_warning(job)),
             Catch::Contains("24 a day: what they keep reaches back about 2 days. Add keep_daily"));
  job.snapshot.retention.keep_daily = 14;
  CHECK_FALSE(few_hours_warning(job));
  job.snapshot.retention = {};
  CHECK_FALSE(few_hours_warning(job));
}
