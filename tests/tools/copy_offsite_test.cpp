#include <algorithm>

#include "core/base/paths.h"
#include "core/schedule/job.h"
#include "tests/tools/schedule_house.h"

using server::Json;
using test::ScheduleHouse;

namespace {

#ifdef _WIN32
constexpr const char* kRclone = "C:/played/rclone";
#else
constexpr const char* kRclone = "/played/rclone";
#endif

// rclone is played: it knows one remote, and answers as `rclone` says.
struct OffsiteHouse : ScheduleHouse {
  explicit OffsiteHouse(const std::vector<std::string>& allowed = {}) : ScheduleHouse(allowed) {
    test::write_file(*this / "rclone.conf", "[backup]\n");
    places.variables["BPD_RCLONE"] = kRclone;
    places.variables["RCLONE_CONFIG"] = core::text_of(*this / "rclone.conf");
    commands.answer = [this, around = commands.answer](
                          const core::Command& command) -> core::Expected<core::CommandResult> {
      if (core::path_of(command.argv.front()) != core::path_of(kRclone)) return around(command);
      core::CommandResult result;
      result.exit_code = 0;
      if (command.argv.back() == "--long") result.output = "backup: crypt\n";
      if (command.argv.back() == "backup") result.output = "[backup]\ntype = crypt\n";
      const auto& words = command.argv;
      const bool lists = std::find(words.begin(), words.end(), "lsjson") != words.end();
      if (lists && reachable) {
        result.output = "[]";
      } else if (lists || words.back().starts_with("backup:")) {
        result.exit_code = 1;
        result.error_output = "dial tcp 127.0.0.1:1: connect: connection refused: hunter2";
      }
      return result;
    };
  }
  bool reachable = false;

  core::BackupJob job() { return *core::read_job("global", places, env().files); }
};

}  // namespace

TEST_CASE("install_schedule applies no rules to a remote that it cannot look at") {
  OffsiteHouse house;
  const auto said = house.refused("install_schedule", {{"name", "global"},
                                                       {"scheduler", "cron"},
                                                       {"destination", "~/Backups"},
                                                       {"offsite", "backup:claude"},
                                                       {"offsite_keep", "last=3"},
                                                       {"run_now", false}});
  CHECK_THAT(said, Catch::StartsWith("io: ") && Catch::Contains("backup:claude") &&
                       !Catch::Contains("hunter2"));
}

TEST_CASE("install_schedule keeps a remote, its rules and its bandwidth, and no secret") {
  OffsiteHouse house;
  house.reachable = true;
  const Json result = house.install({{"offsite", "backup:claude"},
                                     {"offsite_keep", "last=3,monthly=12"},
                                     {"offsite_bwlimit", "1M"},
                                     {"run_now", false}});
  CHECK(result.at("offsite") == "backup:claude");
  CHECK_THAT(result.at("warnings").dump(), Catch::Contains("recovery_sheet"));
  const auto offsite = house.job().offsite;
  REQUIRE(offsite);
  CHECK(core::text_of(offsite->remote) == "backup:claude");
  CHECK(offsite->encrypted);
  CHECK(offsite->keep->keep_monthly == 12);
  CHECK(offsite->bandwidth == "1M");
  CHECK(offsite->rclone.program == kRclone);

  const Json listed = house.good("list_schedules", Json::object()).at("schedules")[0];
  CHECK(listed.at("offsite") == "backup:claude");
  CHECK(listed.at("offsite_keep") == "last=3,monthly=12");
  house.install({{"time", "12:30"}, {"run_now", false}});
  CHECK(house.job().offsite == offsite);
  house.install({{"offsite_keep", ""}, {"offsite_bwlimit", ""}, {"run_now", false}});
  CHECK_FALSE(house.job().offsite->keep);
  CHECK(house.job().offsite->bandwidth.empty());
  house.install({{"offsite", ""}, {"run_now", false}});
  CHECK_FALSE(house.job().offsite);
}

TEST_CASE(
    "install_schedule refuses what is no remote, and rules for copies that there are none of") {
  OffsiteHouse house;
  const auto refused = [&](Json changes) {
    Json arguments{{"destination", "~/Backups"}, {"scheduler", "cron"}};
    arguments.update(changes);
    return house.refused("install_schedule", arguments);
  };
  CHECK_THAT(refused({{"offsite", "claude/backups"}}), Catch::Contains("without a colon"));
  CHECK_THAT(refused({{"offsite", "other:claude"}}), Catch::StartsWith("not_found: "));
  CHECK_THAT(refused({{"offsite_keep", "last=3"}}), Catch::Contains("takes no copies"));
  CHECK_THAT(refused({{"offsite", "backup:x"}, {"offsite_keep", "a few"}}),
             Catch::Contains("no list of keep rules"));
  CHECK_THAT(refused({{"offsite", "backup:x"}, {"offsite_bwlimit", "1M; rm"}}),
             Catch::Contains("no bandwidth"));
}

TEST_CASE("A first run that does not come off this machine puts everything back") {
  OffsiteHouse house;
  const auto before = house.schedulers.tree();
  const std::string error = house.refused(
      "install_schedule",
      {{"destination", "~/Backups"}, {"scheduler", "cron"}, {"offsite", "backup:claude"}});
  CHECK_THAT(error, Catch::StartsWith("io: ") && Catch::Contains("no connection") &&
                        Catch::Contains("as it was before"));
  CHECK_THAT(error, !Catch::Contains("hunter2"));
  CHECK_FALSE(core::read_job("global", house.places, house.env().files));
}

TEST_CASE("copy_offsite says what is to be done where no schedule takes copies off this machine") {
  OffsiteHouse house;
  CHECK_THAT(house.refused("copy_offsite", Json::object()), Catch::StartsWith("not_found: "));
  house.install();
  CHECK_THAT(house.refused("copy_offsite", Json::object()), Catch::Contains("offsite"));
  CHECK_THAT(house.refused("copy_offsite", {{"schedule", Json::array({"global"})}}),
             Catch::StartsWith("invalid_argument: "));
}

TEST_CASE("copy_offsite tells a failure of each database in words of ours") {
  OffsiteHouse house;
  house.install();
  house.install({{"offsite", "backup:claude"}, {"run_now", false}});
  const Json result = house.good("copy_offsite", Json::object());
  REQUIRE(result.at("copies").size() == 1);
  const auto error = result.at("copies")[0].at("error").get<std::string>();
  CHECK_THAT(error, Catch::Contains("cannot list backup:claude/testhost: there is no connection"));
  CHECK_THAT(error + house.last_text, !Catch::Contains("hunter2"));
  CHECK(house.tool("copy_offsite").bad_news(result) == core::ErrorCode::damaged);
  const Json status = house.good("backup_status", Json::object());
  const Json offsite = status.at("databases")[0].at("offsite");
  CHECK(offsite.at("remote") == "backup:claude");
  CHECK(offsite.contains("last_error"));
}

TEST_CASE("A server limited to folders sends nothing away, and looks at nothing there") {
  OffsiteHouse house({"home"});
  CHECK_THAT(house.refused("install_schedule", {{"destination", "~/Backups"},
                                                {"scheduler", "cron"},
                                                {"offsite", "backup:claude"}}),
             Catch::StartsWith("permission_denied: "));
  CHECK_THAT(house.refused("list_snapshots", {{"destination", "backup:claude"}}),
             Catch::StartsWith("permission_denied: "));
}
