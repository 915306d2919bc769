// One run of a schedule: when it runs, how often it tries, and whom it tells.
#include "core/schedule/run_job.h"

#include "core/catalog/history.h"
#include "core/platform/run_lock.h"
#include "core/schedule/list.h"
#include "support/catch.h"
#include "support/fake_schedulers.h"
#include "support/shell.h"
#include "support/test_database.h"

using namespace core;
using test::FakeSchedulers;

namespace {

const RunOptions kByHand{false, false};
const RunOptions kScheduled{true, false};
const RunOptions kIfDue{true, true};

struct Installed {
  Installed() : world("linux") {
    BackupJob job = world.job("global");
    job.scheduler = SchedulerKind::cron;
    job.scheduled_since = world.fake.clock.now() - std::chrono::hours(24 * 30);
    job.ping_url = "https://hc.example/abc?rid=1";
    job.on_failure = "tell me";
    save(job);
  }
  void save(const BackupJob& job) { REQUIRE(write_job(job, world.fake.places, world.env().files)); }
  BackupJob job() { return *read_job("global", world.fake.places, world.env().files); }
  Expected<JobRun> run(const RunOptions& options, std::stop_token stop = {}) {
    NoProgress no_progress;
    return run_job("global", options, world.env(), no_progress, stop);
  }
  std::vector<RunRecord> history() { return *list_runs({}, world.env()); }

  FakeSchedulers world;
};

}  // namespace

TEST_CASE("A run takes the job's snapshot and stands in the history under its name") {
  Installed installed;
  const auto run = installed.run(kScheduled);
  REQUIRE(run);
  CHECK(run->outcome == JobRun::Outcome::done);
  CHECK(run->attempts == 1);
  CHECK(fs::exists(run->snapshot->snapshot));
  const auto history = installed.history();
  REQUIRE(history.size() == 1);
  CHECK(history[0].schedule == "global");
  CHECK(history[0].ok);
}

TEST_CASE("Where the history is lost, the newest manifest tells whether a run is due") {
  Installed installed;
  REQUIRE(installed.run(kIfDue)->outcome == JobRun::Outcome::done);
  const auto state = installed.world.fake.places.state;
  for (const char* name : {"history.db", "history.db-wal", "history.db-shm"}) {
    fs::remove(state / name);
  }
  const bool damaged = GENERATE(false, true);
  if (damaged) test::write_file(state / "history.db", std::string(5000, 'x'));
  CHECK(installed.run(kIfDue)->outcome == JobRun::Outcome::not_due);
  const auto list = list_schedules(installed.world.env(), {});
  REQUIRE(list.schedules.size() == 1);
  CHECK_FALSE(list.schedules.front().overdue);
  CHECK(list.schedules.front().last_success);
  installed.world.fake.clock.advance(std::chrono::hours(24));
  CHECK(installed.run(kIfDue)->outcome == JobRun::Outcome::done);
}

TEST_CASE("A newer version's history makes no run due that was done") {
  Installed installed;
  REQUIRE(installed.run(kIfDue)->outcome == JobRun::Outcome::done);
  test::run_sql(installed.world.fake.places.state / "history.db", "PRAGMA user_version = 99");
  CHECK(installed.run(kIfDue)->outcome == JobRun::Outcome::not_due);
}

TEST_CASE("A run that is not due does nothing and says nothing") {
  Installed installed;
  REQUIRE(installed.run(kIfDue)->outcome == JobRun::Outcome::done);
  const auto again = installed.run(kIfDue);
  REQUIRE(again);
  CHECK(again->outcome == JobRun::Outcome::not_due);
  CHECK(report_of(*again, kIfDue).empty());
  CHECK(installed.history().size() == 1);
  CHECK(installed.world.pings.size() == 2);

  installed.world.fake.clock.advance(std::chrono::hours(24));
  CHECK(installed.run(kIfDue)->outcome == JobRun::Outcome::done);
  CHECK(installed.run(kByHand)->outcome == JobRun::Outcome::done);
}

TEST_CASE("A run that was asked for runs although it is not due, once") {
  Installed installed;
  REQUIRE(installed.run(kIfDue));
  REQUIRE(request_run("global", installed.world.env()));
  CHECK(installed.run(kIfDue)->outcome == JobRun::Outcome::done);
  CHECK(installed.run(kIfDue)->outcome == JobRun::Outcome::not_due);

  REQUIRE(request_run("global", installed.world.env()));
  installed.world.fake.clock.advance(kRequestLifetime);
  CHECK(installed.run(kIfDue)->outcome == JobRun::Outcome::not_due);
}

TEST_CASE("A failed run leaves the schedule due") {
  Installed installed;
  fs::rename(installed.world.backups(), installed.world.backups().string() + ".away");
  CHECK_FALSE(installed.run(kIfDue));
  CHECK_FALSE(installed.run(kIfDue));
  CHECK(installed.history().size() == 2);
  fs::rename(installed.world.backups().string() + ".away", installed.world.backups());
  CHECK(installed.run(kIfDue)->outcome == JobRun::Outcome::done);
}

TEST_CASE("A busy source is tried three times, ten minutes apart") {
  Installed installed;
  BackupJob job = installed.job();
  job.snapshot.source = installed.world.fake / "live/locked.db";
  test::make_notes_database(job.snapshot.source, {.journal_mode = "delete"});
  installed.save(job);
  test::OpenDatabase writer(job.snapshot.source);
  writer.run("BEGIN EXCLUSIVE");
  const Instant begun = installed.world.fake.clock.now();
  const auto run = installed.run(kScheduled);
  REQUIRE_FALSE(run);
  CHECK(run.error().code == ErrorCode::busy);
  // Ids count every attempt; of like failures the first and the last are kept.
  const auto attempts = [&] { return installed.history().front().id; };
  CHECK(attempts() == kMaxAttempts);
  CHECK(installed.history().size() == 2);
  CHECK(installed.world.fake.clock.now() - begun >= 2 * kRetryPause);
  CHECK(installed.world.failure_commands.size() == 1);

  REQUIRE(request_run("global", installed.world.env()));
  CHECK_FALSE(installed.run(kScheduled));
  CHECK(attempts() == kMaxAttempts + 1);
  CHECK_FALSE(installed.run(kByHand));  // the one who typed it waits, too
  CHECK(attempts() == kMaxAttempts + 2);
  writer.run("COMMIT");
  CHECK(installed.run(kScheduled));
}

TEST_CASE("A stop request ends the wait before the next attempt") {
  Installed installed;
  BackupJob job = installed.job();
  job.snapshot.source = installed.world.fake / "live/locked.db";
  test::make_notes_database(job.snapshot.source, {.journal_mode = "delete"});
  installed.save(job);
  test::OpenDatabase writer(job.snapshot.source);
  writer.run("BEGIN EXCLUSIVE");
  std::stop_source source;
  source.request_stop();
  const auto run = installed.run(kScheduled, source.get_token());
  REQUIRE_FALSE(run);
  CHECK(run.error().code == ErrorCode::cancelled);
  CHECK(installed.world.failure_commands.empty());
  CHECK(installed.world.pings.empty());
}

TEST_CASE("Pings go to start, success and failure, and never show in an argument") {
  Installed installed;
  REQUIRE(installed.run(kScheduled));
  REQUIRE(installed.world.pings.size() == 2);
  CHECK(installed.world.pings[0] == "url = \"https://hc.example/abc/start?rid=1\"\n");
  CHECK(installed.world.pings[1] == "url = \"https://hc.example/abc?rid=1\"\n");
  fs::rename(installed.world.backups(), installed.world.backups().string() + ".away");
  CHECK_FALSE(installed.run(kScheduled));
  REQUIRE(installed.world.pings.size() == 4);
  CHECK(installed.world.pings[3] == "url = \"https://hc.example/abc/fail?rid=1\"\n");
  for (const std::string& line : installed.world.fake.commands.lines()) {
    CHECK(line.find("hc.example") == std::string::npos);
  }
}

TEST_CASE(
    "A run that finds its source unchanged writes nothing, and counts and pings as a good one") {
  Installed installed;
  const auto first = installed.run(kIfDue);
  REQUIRE(first);
  installed.world.fake.clock.advance(std::chrono::hours(24));
  const auto second = installed.run(kIfDue);
  REQUIRE(second);
  CHECK(second->outcome == JobRun::Outcome::done);
  CHECK(second->snapshot->unchanged);
  CHECK(second->snapshot->snapshot == first->snapshot->snapshot);
  CHECK_THAT(report_of(*second, kByHand), Catch::Contains("unchanged, still the state of ") &&
                                              Catch::Contains("-2026-11-23.db"));
  CHECK(report_of(*second, kScheduled).empty());
  CHECK(installed.world.pings.size() == 4);
  CHECK(installed.world.pings[3] == "url = \"https://hc.example/abc?rid=1\"\n");
  CHECK(installed.run(kIfDue)->outcome == JobRun::Outcome::not_due);
  CHECK(installed.history().front().unchanged());
  const auto list = list_schedules(installed.world.env(), {});
  CHECK(list.schedules.front().last_success == installed.history().front().started_at);
}

TEST_CASE("Who asks for a run gets a snapshot, changed or not") {
  Installed installed;
  REQUIRE(installed.run(kIfDue));
  REQUIRE(request_run("global", installed.world.env()));
  installed.world.fake.clock.advance(std::chrono::minutes(1));
  const auto asked = installed.run(kIfDue);
  REQUIRE(asked);
  CHECK_FALSE(asked->snapshot->unchanged);
}

TEST_CASE("A monitor that cannot be reached is a warning, not a failure") {
  Installed installed;
  installed.world.fake.places.variables["BPD_CURL"] = "no-such-curl";
  const auto run = installed.run(kScheduled);
  REQUIRE(run);
  REQUIRE(run->warnings.size() == 2);
  CHECK(run->warnings[0].text.find("ping_url/start was not reached") == 0);
  CHECK_FALSE(report_of(*run, kIfDue).empty());
  CHECK(installed.history()[0].warnings == run->warnings);
}

TEST_CASE("on_failure runs in a shell that knows what failed") {
  Installed installed;
  fs::remove(installed.job().snapshot.source);
  CHECK_FALSE(installed.run(kScheduled));
  REQUIRE(installed.world.failure_commands.size() == 1);
  const Command& command = installed.world.failure_commands[0];
  CHECK(command.argv == test::in_shell("tell me"));
  CHECK(command.extra_environment.at("BACKUP_PLUGIN_DB_SCHEDULE") == "global");
  CHECK(command.extra_environment.at("BACKUP_PLUGIN_DB_ERROR").find("not_found: ") == 0);
}

TEST_CASE("Two runs of one schedule exclude each other") {
  Installed installed;
  const auto lock = RunLock::acquire("schedule global", "a test", std::chrono::milliseconds(0),
                                     installed.world.env(), {});
  REQUIRE(lock);
  const auto if_due = installed.run(kIfDue);
  REQUIRE(if_due);
  CHECK(if_due->outcome == JobRun::Outcome::already_running);
  CHECK(installed.run(kByHand).error().code == ErrorCode::busy);
}

TEST_CASE("A scheduled run that cannot lock tells everybody of its failure") {
  Installed installed;
  test::write_file(installed.world.fake.places.state / "locks", "no folder");
  const auto run = installed.run(kIfDue);
  REQUIRE_FALSE(run);
  REQUIRE(installed.world.failure_commands.size() == 1);
  REQUIRE(installed.world.pings.size() == 1);
  CHECK(installed.world.pings[0] == "url = \"https://hc.example/abc/fail?rid=1\"\n");
  CHECK(test::read_file(log_path("global", installed.world.fake.places)).find("failed: ") !=
        std::string::npos);
  CHECK(installed.history().size() == 1);
}

TEST_CASE("A run by hand beside another one of its schedule raises no alarm") {
  Installed installed;
  const auto lock = RunLock::acquire("schedule global", "a test", std::chrono::milliseconds(0),
                                     installed.world.env(), {});
  REQUIRE(lock);
  CHECK_FALSE(installed.run(kByHand));
  CHECK_FALSE(installed.run(kIfDue)->snapshot);
  CHECK(installed.world.failure_commands.empty());
  CHECK(installed.world.pings.empty());
  CHECK(installed.run(kScheduled).error().code == ErrorCode::busy);
  CHECK(installed.world.failure_commands.size() == 1);
}

TEST_CASE("A scheduled run without its job says so and is recorded") {
  Installed installed;
  test::write_file(job_path("global", installed.world.fake.places), "{");
  const auto run = installed.run(kIfDue);
  REQUIRE_FALSE(run);
  CHECK(run.error().code == ErrorCode::damaged);
  const auto history = installed.history();
  REQUIRE(history.size() == 1);
  CHECK(history[0].error_code == "damaged");
  CHECK(history[0].schedule == "global");
}

TEST_CASE("The log of a schedule stays below its bound and keeps the newest lines") {
  Installed installed;
  const Env env = installed.world.env();
  const fs::path log = log_path("global", installed.world.fake.places);
  for (int i = 0; i < 600; ++i) {
    REQUIRE(append_log("global", std::string(1000, 'x') + std::to_string(i) + "\n", env));
  }
  CHECK(fs::file_size(log) <= kMaxLogBytes);
  CHECK(fs::file_size(log.string() + ".1") <= kMaxLogBytes);
  CHECK(test::read_file(log).ends_with("x599\n"));
  CHECK(test::names_in(log.parent_path()).find(".2") == std::string::npos);
  test::write_file(log, std::string(kMaxLogBytes * 2, 'y'));
  REQUIRE(append_log("global", "after\n", env));
  CHECK(test::read_file(log) == "after\n");
}

TEST_CASE("Runs are logged where the scheduler keeps no output") {
  Installed installed;
  REQUIRE(installed.run(kScheduled));
  CHECK(test::read_file(log_path("global", installed.world.fake.places))
            .find("2026-11-23T12:00:00Z 'global': wrote ") == 0);
  BackupJob job = installed.job();
  job.name = "by-systemd";
  job.scheduler = SchedulerKind::systemd;
  installed.save(job);
  NoProgress no_progress;
  const auto run = run_job("by-systemd", kScheduled, installed.world.env(), no_progress, {});
  REQUIRE(run);
  CHECK_FALSE(fs::exists(log_path("by-systemd", installed.world.fake.places)));
  CHECK(report_of(*run, kScheduled).find("still the state of ") != std::string::npos);
}

TEST_CASE("What launchd collects of a program's output is rotated") {
  Installed installed;
  BackupJob job = installed.job();
  job.scheduler = SchedulerKind::launchd;
  installed.save(job);
  const fs::path output = installed.world.fake.places.state / "logs/global.launchd.log";
  fs::create_directories(output.parent_path());
  test::write_file(output, "short");
  REQUIRE(installed.run(kScheduled));
  CHECK(test::read_file(output) == "short");
  test::write_file(output, std::string(kMaxLogBytes + 1, 'x'));
  REQUIRE(installed.run(kScheduled));
  CHECK_FALSE(fs::exists(output));
  CHECK(fs::file_size(output.string() + ".1") == kMaxLogBytes + 1);
}

namespace {

// Of the schedule's snapshots, sorted.
std::vector<std::string> names_of_snapshots(Installed& installed) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(installed.world.backups())) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".db")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Runs at :07 of each hour, all day; it is noon.
struct Hourly : Installed {
  Hourly() {
    BackupJob hourly = job();
    hourly.every_hours = 1;
    hourly.snapshot.retention.keep_hourly = 3;
    save(hourly);
    world.fake.clock.really_sleeps = false;
  }
  void write() {
    test::run_sql(job().snapshot.source,
                  "INSERT INTO notes (id, type, content, created_at) "
                  "VALUES (hex(randomblob(8)), 't', 'c', '2026')");
  }
  void at(std::chrono::minutes since_noon) {
    world.fake.clock.instant += noon_ + since_noon - world.fake.clock.now();
  }

 private:
  const Instant noon_ = world.fake.clock.instant;
};

}  // namespace

TEST_CASE(
    "By the hour each hour has a snapshot of its own, and a second run replaces that hour's") {
  Hourly hourly;
  using std::chrono::minutes;
  CHECK(hourly.run(kIfDue)->outcome == JobRun::Outcome::done);  // 11:07 is owed
  hourly.write();
  hourly.at(minutes(5));
  CHECK(hourly.run(kIfDue)->outcome == JobRun::Outcome::not_due);
  hourly.at(minutes(7));
  CHECK(hourly.run(kIfDue)->outcome == JobRun::Outcome::done);
  hourly.write();
  hourly.at(minutes(40));
  const auto again = hourly.run(kByHand);
  REQUIRE(again);
  CHECK(again->snapshot->replaced);
  CHECK(names_of_snapshots(hourly) ==
        std::vector<std::string>{"global-2026-11-23T1107.db", "global-2026-11-23T1207.db"});
  for (int hour = 1; hour <= 3; ++hour) {
    hourly.write();
    hourly.at(minutes(hour * 60 + 7));
    CHECK(hourly.run(kIfDue)->outcome == JobRun::Outcome::done);
    CHECK(hourly.run(kIfDue)->outcome == JobRun::Outcome::not_due);
  }
  CHECK(names_of_snapshots(hourly) == std::vector<std::string>{"global-2026-11-23T1307.db",
                                                               "global-2026-11-23T1407.db",
                                                               "global-2026-11-23T1507.db"});
}

TEST_CASE("A schedule that changes to hours goes on with its series, and back") {
  Hourly hourly;
  BackupJob daily = hourly.job();
  daily.every_hours = 0;
  daily.snapshot.retention.keep_hourly = 10;
  hourly.save(daily);
  CHECK(hourly.run(kScheduled));
  hourly.write();
  BackupJob again = daily;
  again.every_hours = 1;
  hourly.save(again);
  hourly.at(std::chrono::minutes(67));
  const auto run = hourly.run(kScheduled);
  REQUIRE(run);
  CHECK(names_of_snapshots(hourly) ==
        std::vector<std::string>{"global-2026-11-23.db", "global-2026-11-23T1307.db"});
  CHECK(run->snapshot->retention.size() == 2);
  hourly.write();
  hourly.save(daily);
  hourly.at(std::chrono::minutes(120));
  const auto back = hourly.run(kScheduled);
  REQUIRE(back);
  CHECK(back->snapshot->replaced);  // of the day, which is then the newest
  CHECK(back->snapshot->retention.front().snapshot.path.filename() == "global-2026-11-23.db");
}

TEST_CASE("A loss keeps the snapshot of the same hour, as it does that of the same day") {
  Hourly hourly;
  for (int i = 0; i < 100; ++i) hourly.write();
  REQUIRE(hourly.run(kScheduled));
  test::run_sql(hourly.job().snapshot.source, "DELETE FROM notes");
  const auto run = hourly.run(kScheduled);
  REQUIRE(run);
  CHECK(run->snapshot->shrink_alarm);
  CHECK(names_of_snapshots(hourly) ==
        std::vector<std::string>{"global-2026-11-23T1107.db",
                                 "global-before-loss-2026-11-23T1107.db"});
}

TEST_CASE(
    "A due run by the hour waits for the second that is its own, one that is asked for does not") {
  Hourly hourly;
  const Instant before = hourly.world.fake.clock.now();
  const auto delay = start_delay(hourly.job());
  REQUIRE(delay.count() > 0);
  REQUIRE(hourly.run(kIfDue)->outcome == JobRun::Outcome::done);
  CHECK(hourly.world.fake.clock.now() - before == delay);
  REQUIRE(hourly.run(kIfDue)->outcome == JobRun::Outcome::not_due);
  REQUIRE(request_run("global", hourly.world.env()));
  REQUIRE(hourly.run(kIfDue)->outcome == JobRun::Outcome::done);
  REQUIRE(hourly.run(kByHand));
  CHECK(hourly.world.fake.clock.now() - before == delay);
  hourly.at(std::chrono::minutes(67));
  std::stop_source stopping;
  stopping.request_stop();
  const auto stopped = hourly.run(kIfDue, stopping.get_token());
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ErrorCode::cancelled);
}

TEST_CASE("A schedule by the hour is overdue when its hour is, not only after a day") {
  Hourly hourly;
  REQUIRE(hourly.run(kIfDue));
  const auto listed = [&] { return list_schedules(hourly.world.env(), {}).schedules.front(); };
  hourly.at(std::chrono::minutes(7 + 70));
  CHECK_FALSE(listed().overdue);
  hourly.at(std::chrono::minutes(7 + 80));
  const auto status = listed();
  CHECK(status.overdue);
  const bool told = std::any_of(
      status.problems.begin(), status.problems.end(), [](const ScheduleProblem& problem) {
        return problem.text == "Overdue: no good run since it was due at 2026-11-23T12:07:00Z.";
      });
  CHECK(told);
}
