#include "core/base/paths.h"
#include "tests/tools/tool_house.h"

using core::ErrorCode;
namespace fs = core::fs;
using server::Json;
using test::ToolHouse;

namespace {

fs::path take_one(ToolHouse& house, const std::string& date = "2026-11-23") {
  const Json taken = house.good("snapshot_db", {{"destination", "~/Backups"}, {"date", date}});
  return taken.at("snapshot").get<std::string>();
}

std::optional<std::string> outcome_of(const Json& result, const std::string& check) {
  for (const auto& entry : result.at("checks")) {
    if (entry.at("name") == check) return entry.at("outcome").get<std::string>();
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("verify_snapshot checks a file by path and creates nothing beside it") {
  ToolHouse house;
  house.furnish();
  const auto path = take_one(house);
  const auto before = test::names_in(path.parent_path());
  house.clock.advance(std::chrono::hours{2});
  const Json result = house.good("verify_snapshot", {{"snapshot", core::text_of(path)}});
  CHECK(result.at("verdict") == "verified");
  CHECK(result.at("source") == core::text_of(house.global));
  CHECK(result.at("age_hours") == Approx(2));
  CHECK(outcome_of(result, "digest") == "passed");
  CHECK(outcome_of(result, "quick_check") == "passed");
  CHECK(test::names_in(path.parent_path()) == before);
  CHECK_FALSE(house.tool("verify_snapshot").bad_news(result));
  CHECK_THAT(house.last_text, Catch::Contains("verified"));
}

TEST_CASE("verify_snapshot takes the newest of the source where no snapshot is named") {
  ToolHouse house;
  house.furnish();
  take_one(house, "2026-11-21");
  const auto newest = take_one(house, "2026-11-22");
  for (const Json& extra : {Json::object(), Json{{"snapshot", "latest"}}}) {
    Json arguments = extra;
    arguments["destination"] = "~/Backups";
    arguments["level"] = "full";
    const Json result = house.good("verify_snapshot", arguments);
    CHECK(result.at("snapshot") == core::text_of(newest));
    CHECK(outcome_of(result, "integrity_check") == "passed");
  }
}

TEST_CASE("verify_snapshot calls a damaged snapshot damaged, and that is bad news") {
  ToolHouse house;
  house.furnish();
  const auto path = take_one(house);
  test::patch_file(path, 8192, std::string(512, '\xA5'));
  const Json result = house.good("verify_snapshot", {{"snapshot", core::text_of(path)}});
  CHECK(result.at("verdict") == "damaged");
  CHECK(outcome_of(result, "digest") == "failed");
  CHECK(house.tool("verify_snapshot").bad_news(result) == ErrorCode::damaged);
  CHECK_THAT(house.last_text, Catch::Contains("Do not restore"));
}

TEST_CASE("verify_snapshot compares with the live database without blaming the snapshot") {
  ToolHouse house;
  house.furnish();
  const auto path = take_one(house);
  test::run_sql(house.global, test::commit_sql(1000));
  const Json result =
      house.good("verify_snapshot", {{"snapshot", core::text_of(path)}, {"compare_source", true}});
  CHECK(result.at("verdict") == "verified");
  CHECK(outcome_of(result, "live_source").has_value());
}

TEST_CASE("verify_snapshot says what is missing") {
  ToolHouse house;
  house.furnish();
  CHECK_THAT(house.refused("verify_snapshot", {{"destination", "~/Backups"}}),
             Catch::StartsWith("not_found: "));
  CHECK_THAT(house.refused("verify_snapshot", {{"snapshot", "~/no.db"}}),
             Catch::StartsWith("not_found: "));
  CHECK(house.asked("verify_snapshot", Json::object()).key == "destination");
}

TEST_CASE("verify_snapshot reads nothing outside the allowed folders") {
  ToolHouse house({"home/Backups"});
  house.furnish();
  CHECK_THAT(house.refused("verify_snapshot", {{"snapshot", core::text_of(house.global)}}),
             Catch::StartsWith("permission_denied: "));
}
