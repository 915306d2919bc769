// The leg of a run that leads off this machine: owed by itself, and never the snapshot's trouble.
#include "core/schedule/run_offsite.h"

#include <algorithm>

#include "core/base/paths.h"
#include "core/offsite/metered.h"
#include "core/schedule/run_job.h"
#include "support/catch.h"
#include "support/fake_schedulers.h"

using namespace core;
using std::chrono::hours;

namespace {

const RunOptions kWhenOwed{true, true};

// rclone is played, and its network is away.
struct OffsiteJob : test::FakeSchedulers {
  OffsiteJob() : FakeSchedulers("linux") {
    BackupJob made = job("global");
    made.scheduler = SchedulerKind::cron;
    made.scheduled_since = fake.clock.now() - hours(24 * 30);
    made.on_failure = "tell me";
    made.ping_url = "https://hc.example/abc";
    made.offsite.emplace();
    made.offsite->remote = {"backup", "claude"};
    made.offsite->rclone = {fake.folder / "rclone", fake.folder / "rclone.conf"};
    made.offsite->keep = RetentionPolicy{.keep_last = 3};
    made.offsite->encrypted = true;
    REQUIRE(write_job(made, fake.places, env().files));
    fake.commands.answer =
        [this, around = fake.commands.answer](const Command& command) -> Expected<CommandResult> {
      if (command.argv.front() == "busctl") return CommandResult{0, false, network, ""};
      if (command.argv.front() != text_of(fake.folder / "rclone")) return around(command);
      looks += static_cast<int>(std::count(command.argv.begin(), command.argv.end(), "lsjson"));
      CommandResult result;
      result.exit_code = 1;
      result.error_output = "dial tcp 127.0.0.1:1: connect: connection refused";
      return result;
    };
  }
  Expected<JobRun> run() {
    NoProgress no_progress;
    return run_job("global", kWhenOwed, env(), no_progress, {});
  }
  // A look of an hour ago that left a copy.
  void record_good_look() {
    RunRecord look;
    look.kind = kOffsiteRun;
    look.schedule = "global";
    look.source = text_of(fake.folder / "live" / "global.db");
    look.destination = "backup:claude";
    look.snapshot = "backup:claude/testhost/global-2026-11-22.db";
    look.started_at = look.finished_at = fake.clock.now() - hours(1);
    look.ok = true;
    REQUIRE(record_run(look, env()));
  }
  std::size_t count(const char* kind) {
    RunFilter filter;
    filter.kind = kind;
    return list_runs(filter, env())->size();
  }

  int looks = 0;
  std::string network = "u 4\n";  // what NetworkManager says
};

}  // namespace

TEST_CASE("A job keeps where its copies go, and a job without that is written as before") {
  OffsiteJob world;
  const auto job = read_job("global", world.fake.places, world.env().files);
  REQUIRE(job);
  REQUIRE(job->offsite);
  CHECK(text_of(job->offsite->remote) == "backup:claude");
  CHECK(job->offsite->keep->keep_last == 3);
  CHECK(job->offsite->encrypted);
  CHECK(decode_job("global", encode_job(*job))->offsite == job->offsite);
  BackupJob plain = *job;
  plain.offsite.reset();
  CHECK_THAT(encode_job(plain), !Catch::Contains("offsite"));
  std::string text = encode_job(*job);
  text.replace(text.find("backup:claude"), 13, "mydrive/x");
  CHECK(decode_job("global", text).error().code == ErrorCode::damaged);
}

TEST_CASE("A network that is away is owed: the run is good, and nobody is alarmed") {
  OffsiteJob world;
  world.record_good_look();
  const auto run = world.run();
  REQUIRE(run);
  CHECK(run->snapshot);
  REQUIRE(run->offsite.failures.size() == 1);
  CHECK_FALSE(run->offsite.failures[0].alarm);
  CHECK(world.failure_commands.empty());
  CHECK(world.count(kSnapshotRun) == 1);
  CHECK(world.looks == 1);

  // The next hour tries that alone.
  world.fake.clock.advance(hours(1));
  const auto again = world.run();
  REQUIRE(again);
  CHECK(again->outcome == JobRun::Outcome::done);
  CHECK_FALSE(again->snapshot);
  CHECK(world.count(kSnapshotRun) == 1);
  CHECK(world.looks == 2);
}

#ifdef __linux__
TEST_CASE("Over a metered network nothing goes unless somebody asks for it, and it is owed") {
  OffsiteJob world;
  world.record_good_look();
  world.network = "u 1\n";
  const auto run = world.run();
  REQUIRE(run);
  CHECK(run->snapshot);
  REQUIRE(run->offsite.failures.size() == 1);
  CHECK_THAT(run->offsite.failures[0].error.message, Catch::Contains("metered"));
  CHECK_FALSE(run->offsite.failures[0].alarm);
  CHECK(world.looks == 0);
  CHECK(*owes_offsite(run->job, world.env()));

  REQUIRE(request_run("global", world.env()));
  REQUIRE(world.run());
  CHECK(world.looks == 1);

  world.fake.clock.advance(hours(49));
  const auto late = world.run();
  REQUIRE_FALSE(late);
  CHECK_THAT(late.error().message, Catch::Contains("metered"));
}
#endif

TEST_CASE("What is said of a network's cost is understood") {
  for (const char* yes : {"u 1\n", "u 3\n", "Fixed\r\n", "Variable\r\n"}) CHECK(says_metered(yes));
  for (const char* no :
       {"", "\n", "u 0\n", "u 2\n", "u 4\n", "u 11\n", "Unrestricted\r\n", "Unknown"}) {
    CHECK_FALSE(says_metered(no));
  }
}

TEST_CASE("Where no copy came off this machine for two days, the run fails, and says which leg") {
  OffsiteJob world;
  world.record_good_look();
  world.fake.clock.advance(kOffsitePatience);
  const auto run = world.run();
  REQUIRE_FALSE(run);
  CHECK(run.error().code == ErrorCode::io);
  CHECK_THAT(run.error().message, Catch::StartsWith("The off-site copy of "));
  CHECK(world.count(kSnapshotRun) == 1);  // good, and recorded first
  CHECK(list_runs({.kind = kSnapshotRun}, world.env())->front().ok);
  REQUIRE(world.failure_commands.size() == 1);
  CHECK(world.failure_commands[0].extra_environment.at("BACKUP_PLUGIN_DB_LEG") == "offsite");
  CHECK(world.failure_commands[0].extra_environment.at("BACKUP_PLUGIN_DB_DESTINATION") ==
        "backup:claude");
  REQUIRE_FALSE(world.pings.empty());
  CHECK_THAT(world.pings.back(), Catch::Contains("/fail"));
}

TEST_CASE(
    "A snapshot that fails is told as such, with what is owed off this machine tried all the "
    "same") {
  OffsiteJob world;
  REQUIRE_FALSE(world.run());  // never a copy: told at once
  world.failure_commands.clear();
  world.fake.clock.advance(hours(24));
  fs::remove(world.fake.folder / "live" / "global.db");
  const auto run = world.run();
  REQUIRE_FALSE(run);
  CHECK_THAT(run.error().hint, Catch::Contains("Also: The off-site copy of "));
  REQUIRE(world.failure_commands.size() == 2);
  CHECK(world.failure_commands[0].extra_environment.at("BACKUP_PLUGIN_DB_LEG") == "local");
  CHECK(world.failure_commands[1].extra_environment.at("BACKUP_PLUGIN_DB_LEG") == "offsite");
}
