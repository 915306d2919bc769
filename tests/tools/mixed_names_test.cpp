// Snapshots by the day and by the hour side by side in one destination, for every tool that reads.
#include "core/base/paths.h"
#include "support/paths.h"
#include "tests/tools/schedule_house.h"

using server::Json;

namespace {

// One from before the schedule went by the hour, then three of hours, then one by hand.
struct MixedHouse : test::ScheduleHouse {
  MixedHouse() {
    for (const std::string id : {"early", "late"}) {
      test::run_sql(global, "INSERT INTO notes (id, type, content, created_at) VALUES ('" + id +
                                "', 't', 'c', '2026')");
    }
    install();
    clock.advance(std::chrono::hours(20));
    install({{"name", "global"}, {"every", "hour"}});
    for (int hour = 0; hour < 2; ++hour) {
      clock.advance(std::chrono::hours(1));
      change();
      good("run_schedule", {{"name", "global"}});
    }
    clock.advance(std::chrono::minutes(5));
    test::run_sql(global, "DELETE FROM notes WHERE id = 'early'");
    good("snapshot_db", {{"destination", "~/Backups"}});
  }
  void change() {
    test::run_sql(global, "UPDATE notes SET type = hex(randomblob(8)) WHERE id = 'early'");
  }
  std::vector<std::string> listed() {
    std::vector<std::string> names;
    const Json list = good("list_snapshots", {{"destination", "~/Backups"}});
    for (const Json& entry : list.at("snapshots")) {
      names.push_back(core::text_of(core::path_of(entry.at("path").get<std::string>()).filename()));
    }
    return names;
  }
};

}  // namespace

TEST_CASE("Both kinds of names are listed, checked, restored and searched as one series") {
  MixedHouse house;
  CHECK(house.listed() == std::vector<std::string>{"global-2026-11-24T0907.db",
                                                   "global-2026-11-24T0807.db",
                                                   "global-2026-11-24T0707.db",
                                                   "global-2026-11-24.db", "global-2026-11-23.db"});
  CHECK(house.good("list_snapshots", {{"destination", "~/Backups"}, {"from", "2026-11-24"}})
            .at("total") == 4);
  // The one by hand was taken last.
  const Json latest = house.good("verify_snapshot", {{"destination", "~/Backups"}});
  CHECK_THAT(test::slashed(latest.at("snapshot")), Catch::EndsWith("/global-2026-11-24.db"));
  CHECK(latest.at("verdict") == "verified");
  const Json restored =
      house.good("restore_snapshot", {{"destination", "~/Backups"}, {"target", "~/restored.db"}});
  CHECK_THAT(test::slashed(restored.at("snapshot")), Catch::EndsWith("/global-2026-11-24.db"));
  const Json status = house.good("backup_status", Json::object());
  CHECK(status.at("databases").size() == 1);
  CHECK(status.at("status") == "ok");
}

TEST_CASE("Rows that only a snapshot of an hour has are found in it") {
  MixedHouse house;
  test::run_sql(house.global, "DELETE FROM notes WHERE id = 'late'");
  const Json lost =
      house.good("find_lost_rows", {{"destination", "~/Backups"}, {"tables", {"notes"}}});
  const std::string text = lost.dump();
  CHECK(text.find("global-2026-11-24.db") != std::string::npos);
  CHECK(text.find("global-2026-11-24T0907.db") != std::string::npos);
}

TEST_CASE("Pruning counts hours and days over both kinds of names") {
  MixedHouse house;
  const auto expired = [&](Json rules) {
    rules.update({{"destination", "~/Backups"}});
    std::vector<std::string> names;
    const Json pruned = house.good("prune_snapshots", rules);
    for (const Json& entry : pruned.at("expired")) {
      names.push_back(core::text_of(core::path_of(entry.at("path").get<std::string>()).filename()));
    }
    return names;
  };
  CHECK(expired({{"keep_hourly", 2}}) == std::vector<std::string>{"global-2026-11-24T0807.db",
                                                                  "global-2026-11-24T0707.db",
                                                                  "global-2026-11-23.db"});
  CHECK(expired({{"keep_daily", 2}}) == std::vector<std::string>{"global-2026-11-24T0907.db",
                                                                 "global-2026-11-24T0807.db",
                                                                 "global-2026-11-24T0707.db"});
  CHECK(expired({{"keep_hourly", 5}}).empty());
}

TEST_CASE("A search for databases passes over snapshots of hours as over those of days") {
  MixedHouse house;
  const Json found =
      house.good("discover_databases", {{"folder", {"~/Backups"}}, {"pattern", {"*.db"}}});
  CHECK(found.at("databases").size() == 1);
}
