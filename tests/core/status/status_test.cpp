#include "core/status/status.h"

#include "core/base/call.h"
#include "core/base/paths.h"
#include "support/catch.h"
#include "support/paths.h"

namespace fs = std::filesystem;
using core::BackupState;
using core::DatabaseStatus;
using core::Instant;
using core::RunRecord;
using core::StatusInput;
using core::StatusReport;
using std::chrono::hours;

namespace {

const Instant kNow = *core::parse_instant("2026-11-23T12:00:00Z");
// A path's text as this system writes it.
std::string native(const char* path) {
  return core::text_of(path);
}

const fs::path kSource = "/home/u/.claude/orchestrator/global.db";

const core::Warning kShrunken{
    "The database has lost most of its content: 3 rows now, 400 in /x.db.",
    core::WarningKind::shrunk};

core::Snapshot snapshot_taken(Instant at, bool verified = true) {
  core::Snapshot snapshot;
  core::Manifest manifest;
  manifest.source = core::text_of(kSource);
  manifest.taken_at = at;
  if (verified) {
    manifest.verified = core::VerifyLevel::quick;
    manifest.verified_at = at;
  }
  snapshot.manifest = manifest;
  return snapshot;
}

RunRecord run_at(Instant at, bool ok) {
  RunRecord run;
  run.kind = "snapshot";
  run.schedule = "global";
  run.source = core::text_of(kSource);
  run.destination = native("/backups");
  run.snapshot = native("/backups/laptop/global-2026-11-23.db");
  run.started_at = run.finished_at = at;
  run.ok = ok;
  if (!ok) run.error = "No space is left on /backups.";
  return run;
}

// Everything as it should be: scheduled long ago, taken and verified this morning.
StatusInput healthy() {
  StatusInput input;
  input.now = kNow;
  input.databases.push_back({kSource, {}});
  StatusInput::Schedule schedule;
  schedule.name = "global";
  schedule.source = kSource;
  schedule.destination = native("/backups");
  schedule.since = kNow - hours{24 * 90};
  schedule.next_run = kNow + hours{16};
  input.schedules.push_back(schedule);
  input.runs.push_back(run_at(kNow - hours{8}, true));
  input.snapshots.push_back(snapshot_taken(kNow - hours{8}));
  return input;
}

DatabaseStatus judge_one(const StatusInput& input) {
  const StatusReport report = core::judge_status(input);
  REQUIRE(report.databases.size() == 1);
  CHECK(report.state == report.databases[0].state);
  return report.databases[0];
}

bool mentions(const DatabaseStatus& status, const std::string& words) {
  for (const std::string& problem : status.problems) {
    if (problem.find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("A database with a schedule and a fresh verified snapshot is ok") {
  const DatabaseStatus status = judge_one(healthy());
  CHECK(status.state == BackupState::ok);
  CHECK(status.problems.empty());
  CHECK(status.covered);
  CHECK(status.schedule == "global");
  CHECK(status.destination == native("/backups"));
  CHECK(status.last_success == kNow - hours{8});
  CHECK(status.last_verified == kNow - hours{8});
  CHECK(status.next_run == kNow + hours{16});
  CHECK_FALSE(status.overdue);
  CHECK(core::judge_status(healthy()).summary == "1 database is backed up and verified.");
}

TEST_CASE("A database without a schedule needs attention, with or without a snapshot") {
  StatusInput input = healthy();
  input.schedules.clear();
  DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::attention);
  CHECK_FALSE(status.covered);
  CHECK(mentions(status, "8 hours old. Install a schedule"));
  input.snapshots.clear();
  input.runs.clear();
  status = judge_one(input);
  CHECK(status.state == BackupState::attention);
  CHECK(mentions(status, "Nothing backs it up"));
  CHECK_FALSE(status.last_success);
}

TEST_CASE("A missed night needs attention, more of them mean failing") {
  StatusInput input = healthy();
  input.runs.clear();
  input.snapshots = {snapshot_taken(kNow - hours{25})};
  CHECK(judge_one(input).state == BackupState::ok);  // within the grace
  input.snapshots = {snapshot_taken(kNow - hours{30})};
  DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::attention);
  CHECK(status.overdue == hours{6});
  CHECK(mentions(status, "overdue by 6 hours"));
  input.snapshots = {snapshot_taken(kNow - hours{24 * 5})};
  status = judge_one(input);
  CHECK(status.state == BackupState::failing);
  CHECK(mentions(status, "overdue by 4 days"));
}

TEST_CASE("A stale but intact snapshot is not ok however often it is verified") {
  StatusInput input = healthy();
  input.snapshots = {snapshot_taken(kNow - hours{24 * 30})};
  input.runs = {run_at(kNow - hours{1}, true)};
  input.runs[0].kind = "verify";
  const DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::failing);
  CHECK(status.last_verified == kNow - hours{1});
}

TEST_CASE("A failed last run means failing, a success after it makes it good") {
  StatusInput input = healthy();
  input.runs.insert(input.runs.begin(), run_at(kNow - hours{1}, false));
  DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::failing);
  CHECK(status.last_error == "No space is left on /backups.");
  CHECK(mentions(status, "No space is left"));
  input.runs.insert(input.runs.begin(), run_at(kNow, true));
  status = judge_one(input);
  CHECK(status.state == BackupState::ok);
  CHECK(status.last_error.empty());
}

TEST_CASE("A new schedule owes nothing from before it was installed") {
  StatusInput input = healthy();
  input.snapshots.clear();
  input.runs.clear();
  input.schedules[0].since = kNow - hours{3};
  CHECK_FALSE(judge_one(input).overdue);
  input.schedules[0].since = kNow - hours{30};
  CHECK(judge_one(input).overdue == hours{6});
}

TEST_CASE("A schedule that has not run yet is no backup, though nothing is overdue") {
  StatusInput input = healthy();
  input.snapshots.clear();
  input.runs.clear();
  input.schedules[0].since = kNow - hours{3};
  const DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::attention);
  CHECK(mentions(status, "There is no snapshot yet"));
}

TEST_CASE("A failure of one schedule is not hidden by the success of another") {
  StatusInput input = healthy();
  input.schedules.push_back(input.schedules[0]);
  input.schedules[1].name = "second";
  input.schedules[1].destination = native("/usb");
  RunRecord second = run_at(kNow - hours{9}, true);
  second.schedule = "second";
  second.destination = native("/usb");
  input.runs.push_back(second);
  CHECK(judge_one(input).state == BackupState::ok);
  second.ok = false;
  second.error = "/usb is not there.";
  input.runs.back() = second;
  DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::failing);
  CHECK(mentions(status, "The last run of second failed: /usb is not there."));
  // One that never ran is overdue, whatever the other did.
  input.runs.pop_back();
  status = judge_one(input);
  CHECK(status.state == BackupState::failing);
  CHECK(mentions(status, "by second is overdue"));
  // A snapshot that lies there counts, whoever took it.
  input.snapshots.push_back(snapshot_taken(kNow - hours{5}));
  input.snapshots.back().path = native("/usb/laptop/global-2026-11-23.db");
  CHECK(judge_one(input).state == BackupState::ok);
}

TEST_CASE("A failure by hand is the schedule's only where it went to the same destination") {
  StatusInput input = healthy();
  RunRecord by_hand = run_at(kNow - hours{1}, false);
  by_hand.schedule.clear();
  by_hand.destination = native("/mistyped");
  input.runs.insert(input.runs.begin(), by_hand);
  CHECK(judge_one(input).state == BackupState::ok);
  input.runs[0].destination = native("/backups");
  CHECK(judge_one(input).state == BackupState::failing);
  input.schedules.clear();
  const DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::attention);
  CHECK(mentions(status, "The last run failed"));
}

TEST_CASE("A snapshot that has gone from its destination is no backup") {
  StatusInput input = healthy();
  input.runs[0].id = 7;
  input.runs.push_back(run_at(kNow - hours{32}, true));
  input.lost_runs = {7};
  DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::attention);  // another one was found
  CHECK(mentions(status, "global-2026-11-23.db, is gone"));
  input.snapshots.clear();
  status = judge_one(input);
  CHECK(status.state == BackupState::failing);
  CHECK_FALSE(status.last_success);
}

TEST_CASE("Damage that a check found is told until there is another snapshot") {
  StatusInput input = healthy();
  RunRecord check = run_at(kNow - hours{1}, false);
  check.kind = "verify";
  check.error_code = "damaged";
  check.error = "digest: differs";
  input.runs.insert(input.runs.begin(), check);
  DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::failing);
  CHECK(mentions(status, "found " + native("/backups/laptop/global-2026-11-23.db") + " damaged"));
  input.runs[0].snapshot = native("/backups/laptop/global-2026-11-01.db");
  CHECK(judge_one(input).state == BackupState::attention);
  input.runs[0].error_code = "not_found";
  CHECK(judge_one(input).state == BackupState::ok);
  input.runs[0] = check;
  input.runs.insert(input.runs.begin(), run_at(kNow, true));
  CHECK(judge_one(input).state == BackupState::ok);
}

TEST_CASE("A snapshot that never passed a check, or long ago, needs attention") {
  StatusInput input = healthy();
  input.snapshots = {snapshot_taken(kNow - hours{8}, false)};
  CHECK(mentions(judge_one(input), "passed a check"));
  input.snapshots.push_back(snapshot_taken(kNow - hours{24 * 20}));
  CHECK(mentions(judge_one(input), "The last check is 20 days old"));
}

TEST_CASE("A shrunken database is told by the status") {
  StatusInput input = healthy();
  input.runs[0].warnings = {kShrunken};
  const DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::attention);
  CHECK(mentions(status, "400 in /x.db"));
  input.runs[0].warnings = {std::string("something of no weight")};
  CHECK(judge_one(input).state == BackupState::ok);
}

TEST_CASE("A shrunken database is still told when the nights after it warn no more") {
  StatusInput input = healthy();
  RunRecord shrunken = run_at(kNow - hours{56}, true);
  shrunken.warnings = {kShrunken};
  input.runs.push_back(run_at(kNow - hours{32}, true));
  input.runs.push_back(shrunken);
  const DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::attention);
  CHECK(mentions(status, "A run 2 days ago warned: "));
  CHECK(mentions(status, "400 in /x.db"));
  input.runs.back().finished_at = kNow - hours{24 * 8};
  CHECK(judge_one(input).state == BackupState::ok);
}

TEST_CASE("A restore since a shrunken snapshot is told beside the warning") {
  StatusInput input = healthy();
  input.runs[0].warnings = {kShrunken};
  core::RunRecord restore = input.runs[0];
  restore.kind = "restore";
  restore.warnings.clear();
  restore.snapshot = native("/b/x-before-loss.db");
  restore.finished_at = kNow - hours{1};
  input.runs.insert(input.runs.begin(), restore);
  CHECK(mentions(judge_one(input), "restored"));
  CHECK(mentions(judge_one(input), native("/b/x-before-loss.db")));
  CHECK(judge_one(input).concern == core::Concern::upkeep);
  // A later snapshot has the last word, one that failed does not.
  core::RunRecord later = restore;
  later.kind = "snapshot";
  later.ok = false;
  input.runs.insert(input.runs.begin(), later);
  CHECK(mentions(judge_one(input), "400 in /x.db"));
  later.ok = true;
  input.runs.insert(input.runs.begin(), later);
  CHECK(judge_one(input).state == BackupState::ok);
}

TEST_CASE("Problems of schedule and place are passed on") {
  StatusInput input = healthy();
  input.schedules[0].problems = {"Linger is off."};
  CHECK(judge_one(input).state == BackupState::attention);
  CHECK(mentions(judge_one(input), "Schedule global: Linger is off."));
  input.schedules[0].broken = true;
  CHECK(judge_one(input).state == BackupState::failing);
  input.schedules[0].problems.clear();
  CHECK(mentions(judge_one(input), "install it again"));
  input = healthy();
  input.databases[0].warnings = {"It lies in Dropbox."};
  CHECK(mentions(judge_one(input), "Dropbox"));
}

TEST_CASE("Times from a clock that ran ahead do not count as success") {
  StatusInput input = healthy();
  input.snapshots = {snapshot_taken(kNow + hours{24 * 400}), snapshot_taken(kNow - hours{72})};
  input.runs = {run_at(kNow + hours{24 * 400}, true)};
  const DatabaseStatus status = judge_one(input);
  CHECK(status.last_success == kNow - hours{72});
  CHECK(status.overdue == hours{48});
  input.schedules[0].since = kNow + hours{24 * 400};
  CHECK_FALSE(judge_one(input).overdue);
}

TEST_CASE("Snapshots and runs of another database do not count") {
  StatusInput input = healthy();
  input.snapshots[0].manifest->source = native("/home/u/other.db");
  input.runs[0].source = native("/home/u/other.db");
  CHECK(judge_one(input).state == BackupState::failing);
}

TEST_CASE("Where snapshots could not be listed, nobody says that none passed a check") {
  StatusInput input = healthy();
  input.snapshots.clear();
  CHECK(mentions(judge_one(input), "No snapshot of it has passed a check yet"));
  input.unlisted = {"/backups"};
  CHECK_FALSE(mentions(judge_one(input), "passed a check"));
}

TEST_CASE("A scheduled database that is gone is first of all to be brought back") {
  StatusInput input = healthy();
  input.databases.clear();
  input.snapshots[0].path = native("/backups/laptop/global-2026-11-23.db");
  input.runs.insert(input.runs.begin(), run_at(kNow - hours{1}, false));
  DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::failing);
  CHECK(status.missing);
  CHECK(status.concern == core::Concern::loss);
  CHECK(
      status.problems.at(0) ==
      "It is gone. Its last good snapshot is of 2026-11-23T04:00:00Z. If it was lost, bring it "
      "back: " +
          say(core::Action::restore,
              {{"snapshot", native("/backups/laptop/global-2026-11-23.db")}, {"in_place", true}}) +
          ". If it moved, install the schedule again; if it is gone for good, remove the "
          "schedule; its snapshots stay.");
  input.snapshots.clear();
  input.runs.clear();
  status = judge_one(input);
  CHECK_THAT(status.problems.at(0),
             Catch::StartsWith("It is gone. No good snapshot of it is known. "
                               "If it moved, install the schedule again"));
}

TEST_CASE("A database without a schedule that is missing is told while it has a snapshot") {
  StatusInput input = healthy();
  input.schedules.clear();
  input.databases[0].presence = StatusInput::Presence::gone;
  input.snapshots[0].path = native("/backups/laptop/global-2026-11-23.db");
  DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::attention);
  REQUIRE(status.problems.size() == 1);
  CHECK(
      status.problems[0] ==
      "It is gone. Its last good snapshot is of 2026-11-23T04:00:00Z. If it was lost, bring it "
      "back: " +
          say(core::Action::restore,
              {{"snapshot", native("/backups/laptop/global-2026-11-23.db")}, {"in_place", true}}) +
          ". If that was meant, there is nothing to do: the status forgets it 90 days after "
          "its last snapshot, and at once with " +
          say(core::Action::ignore, {{"path", core::text_of(kSource)}}) + ".");
  input.databases[0].presence = StatusInput::Presence::empty;
  CHECK_THAT(judge_one(input).problems[0],
             Catch::StartsWith("It is empty (0 bytes). Its last good"));
  input.databases[0].presence = StatusInput::Presence::gone_with_folder;
  CHECK(mentions(judge_one(input),
                 "make " + native("/home/u/.claude/orchestrator") + " again and bring it back"));
  // On a disk that is away: the run tells of the snapshot.
  input.snapshots.clear();
  CHECK(mentions(judge_one(input), test::in_json(native("/backups/laptop/global-2026-11-23.db"))));
  input.lost_runs = {input.runs[0].id};
  CHECK(core::judge_status(input).databases.empty());
}

TEST_CASE("The snapshot to bring a database back from is the newest that is not known as damaged") {
  StatusInput input = healthy();
  input.databases[0].presence = StatusInput::Presence::gone;
  input.runs.clear();
  input.snapshots.clear();
  for (const int day : {20, 21, 22, 23}) {
    const auto age = hours{24 * (23 - day) + 8};
    input.snapshots.push_back(snapshot_taken(kNow - age));
    input.snapshots.back().path = native("/b/global-2026-11-") + std::to_string(day) + ".db";
    input.runs.insert(input.runs.begin(), run_at(kNow - age, true));
    input.runs[0].snapshot = core::text_of(input.snapshots.back().path);
  }
  RunRecord check = run_at(kNow - hours{1}, false);
  check.kind = "verify";
  check.error_code = "damaged";
  check.snapshot = native("/b/global-2026-11-23.db");
  input.runs.insert(input.runs.begin(), check);
  input.snapshots[2].bytes = 1;  // not as long as its manifest says
  DatabaseStatus status = judge_one(input);
  CHECK(
      mentions(status, say(core::Action::restore,
                           {{"snapshot", native("/b/global-2026-11-21.db")}, {"in_place", true}})));
  CHECK(mentions(status, native("/b/global-2026-11-23.db") + " damaged"));
  CHECK_FALSE(mentions(status, "Take a new one"));
  check.ok = true;
  check.error_code.clear();
  input.runs.insert(input.runs.begin(), check);
  CHECK(mentions(judge_one(input),
                 say(core::Action::restore,
                     {{"snapshot", native("/b/global-2026-11-23.db")}, {"in_place", true}})));
}

TEST_CASE("Each line of a warning is a problem, what was lost first") {
  StatusInput input = healthy();
  input.runs[0].warnings = {std::string("/backups is on the same disk."), kShrunken};
  const DatabaseStatus status = judge_one(input);
  CHECK(status.problems ==
        std::vector<std::string>{"The last run warned: " + kShrunken.text,
                                 "The last run warned: /backups is on the same disk."});
}

TEST_CASE("Of several problems the gravest comes first, in a database and among them") {
  StatusInput input = healthy();
  // Failing for its damaged snapshot, and without a schedule besides.
  input.schedules.clear();
  RunRecord check = run_at(kNow - hours{1}, false);
  check.kind = "verify";
  check.error_code = "damaged";
  input.runs.insert(input.runs.begin(), check);
  const DatabaseStatus damaged = judge_one(input);
  CHECK(damaged.state == BackupState::failing);
  REQUIRE(damaged.problems.size() == 2);
  CHECK_THAT(damaged.problems[0], Catch::Contains("damaged"));
  CHECK_THAT(damaged.problems[1], Catch::Contains("No schedule"));
  // Before it in the alphabet, one that nothing backs up; after it, one that was emptied.
  const fs::path emptied = native("/home/u/z/.orchestrator/project.db");
  input.databases.push_back({native("/home/u/.claude/a.db"), {}});
  input.databases.push_back({emptied, {}});
  RunRecord shrunken = run_at(kNow - hours{2}, true);
  shrunken.source = emptied.string();
  shrunken.warnings = {kShrunken};
  input.runs.push_back(shrunken);
  const StatusReport report = core::judge_status(input);
  CHECK(report.state == BackupState::failing);
  REQUIRE(report.databases.size() == 3);
  CHECK(report.databases[0].source == emptied);
  CHECK(report.databases[1].source == kSource);
  CHECK_THAT(report.summary,
             Catch::StartsWith("3 databases: 1 failing, 2 in need of attention. First: " +
                               emptied.string() + ": The last run warned: The database has lost"));
}

TEST_CASE("The worst database comes first and decides") {
  StatusInput input = healthy();
  input.databases.push_back({native("/home/u/a/.orchestrator/project.db"), {}});
  const StatusReport report = core::judge_status(input);
  CHECK(report.state == BackupState::attention);
  REQUIRE(report.databases.size() == 2);
  CHECK(report.databases[0].source == native("/home/u/a/.orchestrator/project.db"));
  CHECK(report.summary ==
        "2 databases: 1 in need of attention. First: " +
            native("/home/u/a/.orchestrator/project.db") +
            ": Nothing backs it up: no schedule and no snapshot. Install a schedule.");
  CHECK(core::judge_status(StatusInput{}).state == BackupState::attention);
}

TEST_CASE("By the hour a run is overdue when two hours have gone without it, and not at night") {
  StatusInput input = healthy();
  auto& schedule = input.schedules.front();
  schedule.interval = hours{1};
  schedule.last_due = kNow - hours{2};
  input.runs = {run_at(kNow - hours{1}, true)};
  input.snapshots = {snapshot_taken(kNow - hours{1})};
  CHECK(judge_one(input).state == BackupState::ok);
  input.runs = {run_at(kNow - hours{4}, true)};
  input.snapshots = {snapshot_taken(kNow - hours{4})};
  DatabaseStatus status = judge_one(input);
  CHECK(status.state == BackupState::attention);
  CHECK(mentions(status, "overdue by 3 hours"));
  input.runs = {run_at(kNow - hours{9}, true)};
  input.snapshots = {snapshot_taken(kNow - hours{9})};
  CHECK(judge_one(input).state == BackupState::failing);

  // 08:00-20:00: before the first run of the day the one of last evening is fresh enough.
  schedule.interval = hours{13};
  schedule.last_due = kNow - hours{9};
  CHECK(judge_one(input).state == BackupState::ok);
  schedule.last_due = kNow - hours{2};
  status = judge_one(input);
  CHECK(status.state == BackupState::attention);
  CHECK(status.overdue == hours{2});
}

TEST_CASE("Without a schedule the destination is that of the newest snapshot, or of the last run") {
  StatusInput input = healthy();
  input.schedules.clear();
  CHECK(judge_one(input).destination == native("/backups"));  // by the run
  CHECK_FALSE(judge_one(input).free_bytes);
  input.series = {{{1, 10, {}}, {}, native("/old"), std::nullopt},
                  {{1, 10, {}}, {}, native("/usb"), 4096}};
  input.snapshots = {snapshot_taken(kNow - hours{30}), snapshot_taken(kNow - hours{9})};
  input.snapshots[0].series = 0;
  input.snapshots[1].series = 1;
  const DatabaseStatus status = judge_one(input);
  CHECK(status.destination == native("/usb"));
  CHECK(status.free_bytes == 4096);
}
