// The whole life of schedules: installed, proven, updated, listed, removed; or put back.
#include <algorithm>
#include <utility>

#include "core/base/call.h"
#include "core/platform/run_lock.h"
#include "core/schedule/cron.h"
#include "core/schedule/due.h"
#include "core/schedule/install.h"
#include "core/schedule/installed_program.h"
#include "core/schedule/list.h"
#include "support/catch.h"
#include "support/fake_schedulers.h"
#include "support/forwarding_files.h"
#include "support/golden.h"
#include "support/paths.h"
#include "support/process_id.h"
#include "support/test_database.h"

using namespace core;
using test::FakeSchedulers;

namespace {

Expected<InstallResult> install(FakeSchedulers& world, const BackupJob& job,
                                std::optional<SchedulerKind> kind, bool dry_run = false,
                                std::stop_token stop = {}) {
  NoProgress no_progress;
  const SnapshotRequest& snapshot = job.snapshot;
  return install_schedule({.name = job.name,
                           .settings = {.source = snapshot.source,
                                        .destination = snapshot.destination,
                                        .hostname = snapshot.hostname,
                                        .label = snapshot.label,
                                        .flat = snapshot.flat,
                                        .verify = snapshot.verify,
                                        .retention = snapshot.retention,
                                        .time = job.time,
                                        .on_failure = job.on_failure,
                                        .ping_url = job.ping_url},
                           .scheduler = kind,
                           .run_now = true,
                           .dry_run = dry_run},
                          world.env(), no_progress, stop);
}

std::string joined(const std::vector<std::string>& lines, const fs::path& folder) {
  std::string text;
  for (std::string line : lines) {
    for (std::size_t at; (at = line.find(folder.string())) != std::string::npos;) {
      line.replace(at, folder.string().size(), "FOLDER");
    }
    text += line + "\n";
  }
  return text;
}

bool mentions(const std::vector<std::string>& problems, const std::string& text) {
  return std::any_of(problems.begin(), problems.end(), [&](const std::string& problem) {
    return problem.find(text) != std::string::npos;
  });
}

ScheduleStatus only_schedule(FakeSchedulers& world) {
  const ScheduleList list = list_schedules(world.env(), {});
  REQUIRE(list.schedules.size() == 1);
  return list.schedules[0];
}

std::vector<std::string> problems_of(FakeSchedulers& world) {
  std::vector<std::string> texts;
  for (const ScheduleProblem& problem : only_schedule(world).problems) {
    texts.push_back(problem.text);
  }
  return texts;
}

constexpr const char* kForeign = "MAILTO=ann\n# mine\n5 5 * * * echo 100\\% done\n";

}  // namespace

TEST_CASE("An installed schedule has run once and its snapshot is verified") {
  FakeSchedulers world("linux");
  world.crontab = kForeign;
  const auto result = install(world, world.job("global"), SchedulerKind::cron);
  REQUIRE(result);
  CHECK_FALSE(result->updated);
  REQUIRE(result->run);
  CHECK(fs::exists(result->run->record.snapshot));
  CHECK(result->run->snapshots.front().verification->verdict == VerifyReport::Verdict::verified);
  CHECK(world.crontab->starts_with(kForeign));
  CHECK(test::read_file(scheduled_program(world.fake.places)) == "the program, version 1");
  const auto mode = world.env().files.info(scheduled_program(world.fake.places))->mode;
#ifdef _WIN32
  CHECK(mode == 0700);
#else
  CHECK(mode == 0755);
#endif
  CHECK(format_instant(result->next_run) == "2026-11-24T04:07:00Z");
  CHECK_FALSE(fs::exists(world.fake.places.state / "requests/global"));
}

TEST_CASE("Installing a name again updates it in place") {
  FakeSchedulers world("linux");
  world.crontab = kForeign;
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  const std::string before = world.tree();
  world.fake.clock.advance(std::chrono::minutes(5));
  auto again = install(world, world.job("global"), SchedulerKind::cron);
  REQUIRE(again);
  CHECK(again->updated);
  CHECK(cron_scheduler().entries([&] {
    HostFacts facts;
    facts.crontab = world.crontab;
    return facts;
  }()) == std::vector<std::string>{"global"});

  test::write_file(world.fake.places.program, "the program, version 2");
  BackupJob later = world.job("global");
  later.time = *parse_time_of_day("21:30");
  REQUIRE(install(world, later, SchedulerKind::cron));
  CHECK(world.crontab->find("30 21 * * * ") != std::string::npos);
  CHECK(world.crontab->find("7 4 * * * ") == std::string::npos);
  CHECK(test::read_file(scheduled_program(world.fake.places)) == "the program, version 2");
  CHECK(read_job("global", world.fake.places, world.env().files)->time == later.time);
}

TEST_CASE("Two names live side by side, and removing one leaves the other") {
  FakeSchedulers world("linux");
  world.crontab = kForeign;
  REQUIRE(install(world, world.job("one"), SchedulerKind::cron));
  const std::string with_one = *world.crontab;
  BackupJob two = world.job("two", "other.db");
  REQUIRE(install(world, two, SchedulerKind::cron));
  CHECK(list_schedules(world.env(), {}).schedules.size() == 2);

  const auto removed = remove_schedule("two", world.env(), {});
  REQUIRE(removed);
  CHECK(world.crontab == with_one);
  CHECK(fs::exists(scheduled_program(world.fake.places)));
  CHECK(removed->job->snapshot.destination == world.backups());

  REQUIRE(remove_schedule("one", world.env(), {}));
  CHECK(world.crontab == kForeign);
  CHECK_FALSE(fs::exists(scheduled_program(world.fake.places)));
  CHECK_FALSE(fs::exists(world.fake.places.config / "jobs"));
  CHECK_FALSE(fs::is_empty(world.backups()));
  const auto gone = remove_schedule("one", world.env(), {});
  CHECK(gone.error().code == ErrorCode::not_found);
}

TEST_CASE("A schedule whose job file cannot be removed is not told as removed") {
  struct Stuck final : test::ForwardingFiles {
    Expected<> remove(const Path& path) override {
      if (path.filename() != "global.json") return ForwardingFiles::remove(path);
      return fail(ErrorCode::permission_denied, "cannot remove " + path.string() + ".");
    }
  } stuck;
  FakeSchedulers world("linux");
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  const Env real = world.env();
  const Env env{real.clock, stuck, real.commands, real.places};
  const auto refused = remove_schedule("global", env, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::permission_denied);
  CHECK(refused.error().message.starts_with("The schedule 'global' is still there: "));
  CHECK(refused.error().hint.starts_with("Its entry is gone. "));
  CHECK(remove_schedule("global", world.env(), {}));
}

TEST_CASE("Removing the only schedule of a user without a crontab leaves none") {
  FakeSchedulers world("linux");
  const std::string before = world.tree();
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  REQUIRE(remove_schedule("global", world.env(), {}));
  CHECK_FALSE(world.crontab);
  CHECK(world.tree() == before);
}

TEST_CASE("A first run that fails leaves everything as it was") {
  FakeSchedulers world("linux");
  world.crontab = kForeign;
  BackupJob job = world.job("global");
  test::write_file(job.snapshot.source, "no database");
  const std::string before = world.tree();
  const auto result = install(world, job, SchedulerKind::cron);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::not_a_database);
  CHECK(world.tree() == before);
}

TEST_CASE("A first run that fails on the scheduler's side leaves neither log nor folder") {
  FakeSchedulers world("linux");
  const std::string before = world.tree();
  const auto answer = world.fake.commands.answer;
  world.fake.commands.answer = [&](const Command& command) {
    if (command.argv[0] == "/usr/bin/env") fs::rename(world.backups(), world.fake.folder / "away");
    return answer(command);
  };
  const auto result = install(world, world.job("global"), SchedulerKind::cron);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::not_found);
  CHECK(world.tree() == before);
  CHECK_FALSE(fs::exists(world.fake.places.state / "logs"));
  CHECK_FALSE(fs::exists(world.fake.places.config / "jobs"));
}

TEST_CASE("An alert that reaches nobody is told by the installation and listed") {
  FakeSchedulers world("linux");
  world.fake.places.variables["BPD_CURL"] = "no-such-curl";
  BackupJob job = world.job("global");
  job.ping_url = "https://hc.example/abc";
  const auto result = install(world, job, SchedulerKind::cron);
  REQUIRE(result);
  CHECK(mentions(texts_of(result->run->record.warnings), "ping_url was not reached"));
  CHECK(mentions(problems_of(world), "In its last run, ping_url was not reached"));
  world.fake.places.variables.erase("BPD_CURL");
  REQUIRE(run_schedule("global", world.env(), {}));
  CHECK(only_schedule(world).problems.empty());
}

TEST_CASE("A schedule whose crontab cannot be read stays whole when it is to be removed") {
  FakeSchedulers world("linux");
  world.crontab = kForeign;
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  const std::string before = world.tree();
  for (const char* complaint : {"You (tester) are not allowed to use this program (crontab)\n",
                                "crontabs/tester: fopen: Permission denied\n"}) {
    world.crontab_complaint = complaint;
    CHECK(mentions(problems_of(world), "crontab cannot be used: "));
    CHECK_FALSE(mentions(problems_of(world), "is missing"));
    const auto removed = remove_schedule("global", world.env(), {});
    REQUIRE_FALSE(removed);
    CHECK(removed.error().code == ErrorCode::unsupported);
    CHECK(removed.error().message.find("crontab cannot be used") != std::string::npos);
    CHECK(world.tree() == before);
  }
  fs::remove(job_path("global", world.fake.places));
  const auto unseen = remove_schedule("global", world.env(), {});
  REQUIRE_FALSE(unseen);
  CHECK(unseen.error().code == ErrorCode::unsupported);
  CHECK(unseen.error().message.find("There is no schedule named 'global'. crontab cannot") == 0);
  world.crontab_complaint.clear();
  CHECK(remove_schedule("global", world.env(), {}));
  CHECK(world.crontab == kForeign);
}

TEST_CASE("A schedule of a scheduler that is not there any more can be removed") {
  FakeSchedulers world("linux");
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  world.fake.places.variables["BPD_CRONTAB"] = "no-such-crontab";
  const auto removed = remove_schedule("global", world.env(), {});
  REQUIRE(removed);
  CHECK(mentions(removed->warnings, "cron could not be told of the removal: crontab cannot be"));
}

TEST_CASE("The program stays while any entry of ours may start it, and goes but once") {
  FakeSchedulers world("linux");
  const std::string program = scheduled_program(world.fake.places).string();
  REQUIRE(install(world, world.job("one"), SchedulerKind::cron));
  REQUIRE(install(world, world.job("two"), SchedulerKind::cron));
  fs::remove(job_path("one", world.fake.places));  // its entry stays
  const auto two = remove_schedule("two", world.env(), {});
  REQUIRE(two);
  CHECK(fs::exists(program));
  CHECK_FALSE(mentions(two->removed, program));
  fs::remove(program);
  const auto one = remove_schedule("one", world.env(), {});
  REQUIRE(one);
  CHECK_FALSE(mentions(one->removed, program));
}

TEST_CASE("A job that does nothing at all is not taken for a good one") {
  FakeSchedulers world("linux");
  world.shell_runs = false;
  const std::string before = world.tree();
  const auto result = install(world, world.job("global"), SchedulerKind::cron);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::timed_out);
  CHECK(result.error().message.find("as it was before") != std::string::npos);
  CHECK(world.tree() == before);
}

TEST_CASE("A failed update brings the former schedule back, byte for byte") {
  for (const std::string system : {"linux", "macos"}) {
    CAPTURE(system);
    FakeSchedulers world(system);
    world.crontab = kForeign;
    const auto kind = system == "linux" ? std::optional(SchedulerKind::cron) : std::nullopt;
    REQUIRE(install(world, world.job("global"), kind));
    const std::string before = world.tree();
    test::write_file(world.fake.places.program, "the program, version 2");
    BackupJob changed = world.job("global");
    changed.time = *parse_time_of_day("21:30");
    world.shell_runs = false;
    CHECK_FALSE(install(world, changed, kind));
    test::write_file(world.fake.places.program, "the program, version 1");
    CHECK(world.tree() == before);
  }
}

TEST_CASE("A scheduler that refuses the entry leaves nothing installed") {
  FakeSchedulers world("linux");
  world.crontab = kForeign;
  world.crontab_refuses = true;
  const std::string before = world.tree();
  const auto result = install(world, world.job("global"), SchedulerKind::cron);
  REQUIRE_FALSE(result);
  CHECK(result.error().message.find("installation failed") != std::string::npos);
  CHECK(world.tree() == before);
}

TEST_CASE("A crontab that cannot be read is never taken for an empty one") {
  FakeSchedulers world("linux");
  world.crontab = kForeign;
  for (const char* complaint : {"You (tester) are not allowed to use this program (crontab)\n",
                                "crontab: /var/spool/cron/x: fopen: Permission denied\n"}) {
    world.crontab_complaint = complaint;
    const auto result = install(world, world.job("global"), SchedulerKind::cron);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::unsupported);
    CHECK(world.crontab == kForeign);
    CHECK(world.deeds().empty());
  }
}

TEST_CASE("Control characters that crontab -l spells out stay what they were") {
  for (const std::string foreign : {"MAILTO=ann\r\n* * * * * echo x\r\n",
                                    "5 5 * * * printf 'a\\r\\n\\b'\n", "# a\\r\r \b \\b\n"}) {
    CAPTURE(foreign);
    FakeSchedulers world("linux");
    world.crontab = foreign;
    REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
    CHECK(world.crontab->starts_with(foreign));
    REQUIRE(remove_schedule("global", world.env(), {}));
    CHECK(world.crontab == foreign);
  }
}

TEST_CASE("A last line that does not end is ended, wherever our block is") {
  FakeSchedulers world("linux");
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  *world.crontab += "5 5 * * * mine";
  BackupJob later = world.job("global");
  later.time = *parse_time_of_day("21:30");
  REQUIRE(install(world, later, SchedulerKind::cron));
  CHECK(world.crontab->ends_with("5 5 * * * mine\n"));
  world.crontab->pop_back();
  REQUIRE(remove_schedule("global", world.env(), {}));
  CHECK(world.crontab == "5 5 * * * mine\n");
}

TEST_CASE("A crontab that refuses every table is not asked to take the old one back") {
  FakeSchedulers world("linux");
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  const std::string before = world.tree();
  world.crontab_refuses = true;
  BackupJob later = world.job("global");
  later.time = *parse_time_of_day("21:30");
  const auto result = install(world, later, SchedulerKind::cron);
  REQUIRE_FALSE(result);
  CHECK(result.error().message.find("as it was before") != std::string::npos);
  CHECK(world.tree() == before);
}

TEST_CASE("A crontab that is not shown byte for byte is left alone") {
  FakeSchedulers world("linux");
  world.crontab = "* * * * * echo x\r\n";
  const auto answer = world.fake.commands.answer;
  world.fake.commands.answer = [&](const Command& command) -> Expected<CommandResult> {
    if (command.argv[0] == "crontab" && command.argv[1] == "-e") {
      return CommandResult{0, false, "something else", ""};
    }
    return answer(command);
  };
  const auto result = install(world, world.job("global"), SchedulerKind::cron);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::unsupported);
  CHECK(world.deeds().empty());
}

TEST_CASE("A dry run touches nothing and tells exactly what an installation writes") {
  FakeSchedulers world("linux");
  world.crontab = kForeign;
  const std::string before = world.tree();
  const auto dry = install(world, world.job("global"), SchedulerKind::cron, true);
  REQUIRE(dry);
  CHECK(world.tree() == before);
  CHECK(world.deeds().empty());
  CHECK(dry->dry_run);
  const auto real = install(world, world.job("global"), SchedulerKind::cron);
  REQUIRE(real);
  for (const PlannedFile& file : dry->files) {
    CHECK(test::read_file(file.path) == file.text);
#ifndef _WIN32  // where there are no modes
    CHECK(world.env().files.info(file.path)->mode == file.mode);
#endif
  }
  bool crontab_shown = false;
  for (const std::string& command : dry->commands) {
    crontab_shown |= command == "run crontab - with the input:\n" + *world.crontab;
  }
  CHECK(crontab_shown);
}

TEST_CASE("What can be refused is refused before anything is touched") {
  FakeSchedulers world("linux");
  const std::string before = world.tree();
  const auto refused = [&](auto change, ErrorCode code) {
    BackupJob job = world.job("global");
    change(job);
    const auto result = install(world, job, SchedulerKind::cron);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == code);
    CHECK(world.deeds().empty());
    CHECK(world.tree() == before);
  };
  refused([](BackupJob& job) { job.snapshot.source += ".gone"; }, ErrorCode::not_found);
  refused([](BackupJob& job) { job.snapshot.destination += ".gone"; }, ErrorCode::not_found);
  refused([](BackupJob& job) { job.snapshot.source = job.snapshot.destination; },
          ErrorCode::not_a_database);
  refused([](BackupJob& job) { job.name = "a\nb"; }, ErrorCode::invalid_argument);
  refused([](BackupJob& job) { job.snapshot.label = "../x"; }, ErrorCode::invalid_argument);
  CHECK(install(world, world.job("global"), SchedulerKind::launchd).error().code ==
        ErrorCode::unsupported);
}

TEST_CASE("A stop request during an installation puts everything back") {
  FakeSchedulers world("linux");
  const std::string before = world.tree();
  std::stop_source source;
  const auto answer = world.fake.commands.answer;
  world.fake.commands.answer = [&](const Command& command) {
    if (command.argv[0] == "crontab" && command.argv[1] == "-") source.request_stop();
    return answer(command);
  };
  const auto result =
      install(world, world.job("global"), SchedulerKind::cron, false, source.get_token());
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::cancelled);
  CHECK(world.tree() == before);
}

TEST_CASE("The life of a launch agent, call by call") {
  FakeSchedulers world("macos");
  const std::string before = world.tree();
  world.bootstrap_failures = 2;
  const auto result = install(world, world.job("global"), std::nullopt);
  REQUIRE(result);
  CHECK(result->job.scheduler == SchedulerKind::launchd);
  CHECK(result->run->snapshots.front().verification->verdict == VerifyReport::Verdict::verified);
  REQUIRE(run_schedule("global", world.env(), {}));
  REQUIRE(remove_schedule("global", world.env(), {}));
  const std::string deeds = joined(world.deeds(), world.fake.folder.path());
  CHECK(test::slashed(deeds) == test::slashed(test::golden("launchd.life.txt", deeds)));
  CHECK(world.tree() == before);
}

TEST_CASE("What macOS denies a background job is told with what to allow") {
  FakeSchedulers world("macos");
  REQUIRE(install(world, world.job("global"), std::nullopt));
  const auto answer = world.fake.commands.answer;
  world.fake.commands.answer = [&](const Command& command) -> Expected<CommandResult> {
    if (command.argv[0] != "launchctl" || command.argv[1] != "kickstart") return answer(command);
    fs::remove(world.fake.places.state / "requests/global");
    RunRecord run = *only_schedule(world).last_run;
    run.ok = false;
    run.error_code = "permission_denied";
    run.error = "cannot open /Users/ann/Documents/Backups: Operation not permitted.";
    REQUIRE(record_run(run, world.env()));
    return CommandResult{0, false, "", ""};
  };
  const auto run = run_schedule("global", world.env(), {});
  REQUIRE_FALSE(run);
  CHECK(run.error().message.find("/Users/ann/Documents/Backups") != std::string::npos);
  CHECK(run.error().hint.find("Full Disk Access") != std::string::npos);
}

TEST_CASE("The life of a Windows task, call by call") {
  FakeSchedulers world("windows");
  const std::string before = world.tree();
  const auto result = install(world, world.job("global"), std::nullopt);
  REQUIRE(result);
  CHECK(result->job.scheduler == SchedulerKind::windows);
  REQUIRE(run_schedule("global", world.env(), {}));
  CHECK(only_schedule(world).problems.empty());
  REQUIRE(remove_schedule("global", world.env(), {}));
  const std::string deeds = joined(world.deeds(), world.fake.folder.path());
  CHECK(test::slashed(deeds) == test::slashed(test::golden("windows.life.txt", deeds)));
  CHECK(world.tasks.empty());
  CHECK(world.tree() == before);
}

TEST_CASE("Running a schedule by its name goes through the scheduler") {
  FakeSchedulers world("linux");
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  const auto run = run_schedule("global", world.env(), {});
  REQUIRE(run);
  CHECK(world.runs.size() == 2);
  fs::rename(world.backups(), world.backups().string() + ".away");
  const auto failed = run_schedule("global", world.env(), {});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == ErrorCode::not_found);
  CHECK(run_schedule("none", world.env(), {}).error().code == ErrorCode::not_found);
  world.crontab.reset();
  CHECK(run_schedule("global", world.env(), {}).error().message.find("no entry") !=
        std::string::npos);
}

TEST_CASE("A schedule that is running already is busy, not silent") {
  FakeSchedulers world("linux");
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  const std::string before = world.tree();
  {
    const auto lock = RunLock::acquire("schedule global", "a snapshot for a test",
                                       std::chrono::milliseconds(0), world.env(), {});
    REQUIRE(lock);
    const auto run = run_schedule("global", world.env(), {});
    REQUIRE_FALSE(run);
    CHECK(run.error().code == ErrorCode::busy);
    CHECK(run.error().message.find("Process " + std::to_string(test::own_process_id())) !=
          std::string::npos);
    const auto update = install(world, world.job("global"), SchedulerKind::cron);
    REQUIRE_FALSE(update);
    CHECK(update.error().code == ErrorCode::busy);
    CHECK(update.error().message.find("as it was before") != std::string::npos);
    CHECK(world.tree() == before);
  }
  CHECK(run_schedule("global", world.env(), {}));
}

TEST_CASE("A run that was going on already proves nothing of the one that was asked for") {
  FakeSchedulers world("linux");
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  // The first start is taken for a run that ends at that moment, as systemd takes it.
  const auto answer = world.fake.commands.answer;
  bool recorded = GENERATE(true, false);
  bool met = false;
  world.fake.commands.answer = [&](const Command& command) -> Expected<CommandResult> {
    if (command.argv[0] != "/usr/bin/env" || std::exchange(met, true)) return answer(command);
    RunRecord run = *only_schedule(world).last_run;
    if (recorded) REQUIRE(record_run(run, world.env()));
    return CommandResult{0, false, "", ""};
  };
  const auto run = run_schedule("global", world.env(), {});
  REQUIRE(run);
  CHECK(world.runs.size() == 2);
  CHECK_FALSE(fs::exists(world.fake.places.state / "requests/global"));
}

TEST_CASE("A failure of another run is not told as that of the one that was asked for") {
  FakeSchedulers world("linux");
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  const auto answer = world.fake.commands.answer;
  const int met = GENERATE(1, 2);  // how many starts are taken for a run that is just ending
  const bool ok = GENERATE(true, false);
  CAPTURE(met, ok);
  int starts = 0;
  world.fake.commands.answer = [&](const Command& command) -> Expected<CommandResult> {
    if (command.argv[0] != "/usr/bin/env" || ++starts > met) return answer(command);
    RunRecord run = *only_schedule(world).last_run;
    run.ok = ok;
    run.error_code = ok ? "" : "no_space";
    run.error = ok ? "" : "No room for the other run.";
    REQUIRE(record_run(run, world.env()));
    return CommandResult{0, false, "", ""};
  };
  const auto run = run_schedule("global", world.env(), {});
  CHECK_FALSE(fs::exists(world.fake.places.state / "requests/global"));
  if (met == 1) {
    REQUIRE(run);
    CHECK(world.runs.size() == 2);
    return;
  }
  REQUIRE_FALSE(run);
  CHECK(run.error().code == ErrorCode::timed_out);
  CHECK(run.error().message.find("another run") != std::string::npos);
  CHECK((run.error().message.find("No room") != std::string::npos) == !ok);
}

TEST_CASE("A schedule whose other run goes on is busy, whatever was recorded meanwhile") {
  FakeSchedulers world("linux");
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  const auto lock = lock_run("global", std::chrono::milliseconds(0), world.env(), {});
  REQUIRE(lock);
  const auto answer = world.fake.commands.answer;
  world.fake.commands.answer = [&](const Command& command) -> Expected<CommandResult> {
    if (command.argv[0] != "/usr/bin/env") return answer(command);
    REQUIRE(record_run(*only_schedule(world).last_run, world.env()));
    return CommandResult{0, false, "", ""};
  };
  const auto run = run_schedule("global", world.env(), {});
  REQUIRE_FALSE(run);
  CHECK(run.error().code == ErrorCode::busy);
  CHECK_FALSE(fs::exists(world.fake.places.state / "requests/global"));
}

TEST_CASE("A healthy schedule is listed with its next and last run") {
  FakeSchedulers world("linux");
  CHECK(list_schedules(world.env(), {}).schedules.empty());
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  const ScheduleStatus status = only_schedule(world);
  CHECK(status.problems.empty());
  CHECK_FALSE(status.broken);
  CHECK(status.scheduler == SchedulerKind::cron);
  CHECK(format_instant(*status.next_run) == "2026-11-24T04:07:00Z");
  CHECK(status.last_run->ok);
  CHECK(status.last_success == status.last_run->started_at);
  CHECK_FALSE(status.overdue);
}

TEST_CASE("What is wrong with a schedule is listed") {
  FakeSchedulers world("linux");
  REQUIRE(install(world, world.job("global"), SchedulerKind::cron));
  const auto problems = [&] { return problems_of(world); };

  SECTION("the program is missing") {
    fs::remove(scheduled_program(world.fake.places));
    CHECK(
        mentions(problems(), "is missing. Run " + say(core::Action::install_schedule) + " again"));
    CHECK(only_schedule(world).broken);
  }
  SECTION("the program is of an earlier version than this one") {
    const fs::path record = world.fake.places.data / "program.json";
    std::string text = test::read_file(record);
    text.replace(text.find(BPD_VERSION), std::string(BPD_VERSION).size(), "0.0.9");
    test::write_file(record, text);
    CHECK(mentions(problems(), "of version 0.0.9, older than this one"));
    CHECK(mentions(problems(),
                   "Run " + say(core::Action::install_schedule) + " again with this name."));
    CHECK_FALSE(only_schedule(world).broken);
    text.replace(text.find("0.0.9"), 5, "99.0.0");
    test::write_file(record, text);
    CHECK(problems().empty());
  }
  SECTION("source and destination are gone") {
    fs::rename(world.backups(), world.backups().string() + ".away");
    fs::remove(world.fake.folder / "live/global.db");
    CHECK(mentions(problems(), "The source "));
    CHECK(mentions(problems(), "The destination "));
  }
  SECTION("the entry was edited") {
    world.crontab->insert(world.crontab->find("@reboot"), "#");
    CHECK(mentions(problems(), "not as it was written"));
  }
  SECTION("the entry is gone") {
    world.crontab.reset();
    CHECK(mentions(problems(), "Its entry in cron is missing"));
    CHECK(only_schedule(world).broken);
    CHECK_FALSE(only_schedule(world).next_run);
  }
  SECTION("the job file is gone") {
    fs::remove(world.fake.places.config / "jobs/global.json");
    CHECK(mentions(problems(), "no job file"));
    CHECK(remove_schedule("global", world.env(), {}));
    CHECK_FALSE(world.crontab);
  }
  SECTION("the job file is damaged") {
    test::write_file(world.fake.places.config / "jobs/global.json", "{");
    CHECK(mentions(problems(), "cannot be used"));
    CHECK_FALSE(mentions(problems(), "no job file"));
    CHECK(problems()[0].starts_with("The job file of schedule 'global'"));
    CHECK(problems()[0].ends_with("or " + say(core::Action::remove_schedule) + "."));
  }
  SECTION("the last run failed") {
    fs::rename(world.backups(), world.backups().string() + ".away");
    CHECK_FALSE(run_schedule("global", world.env(), {}));
    CHECK(mentions(problems(), "Its last run failed: not_found"));
  }
  SECTION("it is overdue") {
    world.fake.clock.advance(std::chrono::hours(48));
    CHECK(only_schedule(world).overdue);
    CHECK(mentions(problems(), "Overdue: no good run since it was due at 2026-11-24T04:07:00Z"));
  }
}

TEST_CASE("The scheduled copy is refreshed, and an update that fails keeps the old one") {
  FakeSchedulers world("linux");
  REQUIRE(update_scheduled_program(world.env()));
  const auto record = read_program_record(world.fake.places.data, world.env().files);
  REQUIRE(record);
  CHECK(record->version == BPD_VERSION);
  CHECK(record->config == world.fake.places.config);
  fs::remove(world.fake.places.program);
  CHECK_FALSE(update_scheduled_program(world.env()));
  CHECK(test::read_file(scheduled_program(world.fake.places)) == "the program, version 1");
}

TEST_CASE("The copy knows the folders of the user who installed it") {
  FakeSchedulers world("linux");
  REQUIRE(update_scheduled_program(world.env()));
  Places under_cron = world.fake.places;
  under_cron.config = "/elsewhere/config";
  under_cron.state = "/elsewhere/state";
  under_cron.data = "/elsewhere/data";
  CHECK(places_of_scheduled_run(under_cron, world.env().files).config == "/elsewhere/config");
  under_cron.program = scheduled_program(world.fake.places);
  const Places found = places_of_scheduled_run(under_cron, world.env().files);
  CHECK(found.config == world.fake.places.config);
  CHECK(found.state == world.fake.places.state);
  CHECK(found.data == world.fake.places.data);
}
