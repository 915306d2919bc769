#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/schedule/job.h"
#include "core/schedule/run_job.h"
#include "tests/tools/schedule_house.h"

namespace fs = core::fs;
using server::Json;
using test::ScheduleHouse;

namespace {

core::Expected<core::JobRun> run(ScheduleHouse& house, const std::string& name) {
  core::NoProgress no_progress;
  return core::run_job(name, {true, false}, house.world, no_progress, {});
}

void flip_a_bit(const fs::path& file) {
  auto text = test::read_file(file);
  text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
  test::write_file(file, text);
}

}  // namespace

TEST_CASE("A drill without a source takes the newest snapshot of every schedule") {
  ScheduleHouse house;
  house.install();
  const auto project = house.make_database(house / "home/code/app/.orchestrator/project.db", 7);
  house.install({{"source", core::text_of(project)}, {"label", "app"}, {"name", "app"}});
  const Json result = house.good("restore_snapshot", {{"drill", true}});
  REQUIRE(result.at("drills").size() == 2);
  for (const auto& entry : result.at("drills")) {
    CHECK(entry.at("verdict") == "verified");
    CHECK(entry.at("searched") == "notes_fts");
  }
  CHECK(house.last_text.find("removed again") != std::string::npos);
  CHECK_FALSE(fs::exists(house.places.state / "drill"));
  CHECK(house.refused("restore_snapshot", Json::object()).find("invalid_argument") !=
        std::string::npos);
}

TEST_CASE("A drill of one source, and a failure that keeps no other from being tried") {
  ScheduleHouse house;
  const std::string snapshot = house.install().at("run").at("snapshot");
  const auto project = house.make_database(house / "home/code/app/.orchestrator/project.db", 7);
  house.install({{"source", core::text_of(project)}, {"label", "app"}, {"name", "app"}});
  flip_a_bit(snapshot);
  const Json all = house.good("restore_snapshot", {{"drill", true}});
  CHECK(all.dump().find("\"error\":\"damaged: ") != std::string::npos);
  CHECK(house.tool("restore_snapshot").bad_news(all) == core::ErrorCode::damaged);
  CHECK(house.refused("restore_snapshot", {{"drill", true}, {"snapshot", snapshot}})
            .starts_with("damaged"));
  const Json one = house.good("restore_snapshot", {{"drill", true},
                                                   {"source", core::text_of(project)},
                                                   {"destination", core::text_of(house.backups)}});
  CHECK(one.at("drills").size() == 1);
}

TEST_CASE("A server limited to folders drills with what lies in them") {
  ScheduleHouse house({"home/Backups", "home/.claude"});
  const std::string snapshot = house.install().at("run").at("snapshot");
  CHECK(house.good("restore_snapshot", {{"drill", true}}).at("drills").size() == 1);
  const Json one = house.good("restore_snapshot", {{"drill", true}, {"snapshot", snapshot}});
  CHECK(one.at("drills").at(0).at("searched") == "notes_fts");
}

TEST_CASE("A drill where there is nothing to drill with says what to name") {
  ScheduleHouse house;
  CHECK(house.refused("restore_snapshot", {{"drill", true}}).find("snapshot") != std::string::npos);
}

TEST_CASE("backup_status says how long ago the last drill was, and tells of one that failed") {
  ScheduleHouse house;
  const std::string snapshot = house.install().at("run").at("snapshot");
  const auto status = [&] { return house.good("backup_status", Json::object()); };
  CHECK_FALSE(status().at("databases").at(0).contains("drill_days_ago"));
  house.good("restore_snapshot", {{"drill", true}});
  CHECK(status().at("databases").at(0).at("drill_days_ago") == 0);
  house.clock.advance(std::chrono::hours(24 * 12 + 1));
  CHECK(status().at("databases").at(0).at("drill_days_ago") == 12);
  CHECK(house.last_text.find("12 days ago") != std::string::npos);
  flip_a_bit(snapshot);
  house.refused("restore_snapshot", {{"drill", true}, {"snapshot", snapshot}});
  status();
  CHECK(house.last_text.find("Its last drill failed: ") != std::string::npos);
}

TEST_CASE("A schedule with monthly drills does one a month, by itself") {
  ScheduleHouse house;
  house.install({{"drills", "monthly"}});
  CHECK(house.install({{"name", "global"}}).at("kept").dump().find("drills: monthly") !=
        std::string::npos);
  core::RunFilter drills;
  drills.kind = "drill";
  CHECK(core::list_runs(drills, house.world)->size() == 1);
  for (int day = 0; day < 31; ++day) {
    house.clock.advance(std::chrono::hours(24));
    REQUIRE(run(house, "global"));
  }
  const auto runs = *core::list_runs(drills, house.world);
  CHECK(runs.size() == 2);
  for (const auto& one : runs) CHECK(one.schedule == "global");
}
