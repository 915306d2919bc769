// A run of a folder's schedule: each database on its own, and one word for all.
#include "core/schedule/run_folder.h"

#include <algorithm>

#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/schedule/list.h"
#include "core/schedule/run_job.h"
#include "core/status/status_facts.h"
#include "core/support/code_folder.h"
#include "support/catch.h"
#include "support/forwarding_files.h"

using namespace core;

namespace {

const RunOptions kNightly{true, false};
const RunOptions kNightlyIfDue{true, true};

struct NightlyFolder : test::CodeFolder {
  NightlyFolder() {
    job.scheduler = SchedulerKind::cron;
    job.scheduled_since = world.fake.clock.now() - std::chrono::hours(24 * 30);
    for (const char* project : {"one", "two", "three"}) add(project);
    REQUIRE(write_job(job, world.fake.places, world.env().files));
  }
  void corrupt(const std::string& project) {
    test::write_file(database(project), std::string(8192, 'x'));
  }
  Expected<JobRun> run(const RunOptions& options) {
    NoProgress no_progress;
    return run_job("code", options, world.env(), no_progress, {});
  }
  std::vector<RunRecord> history(const char* kind) {
    RunFilter filter;
    filter.kind = kind;
    return *list_runs(filter, world.env());
  }
  // Whose databases have changed since: what has not is not written again.
  void next_day() {
    world.fake.clock.advance(std::chrono::hours(24));
    for (const auto& entry : fs::recursive_directory_iterator(world.fake.folder.path())) {
      if (entry.path().filename() != "project.db") continue;
      test::run_sql(entry.path(), "PRAGMA user_version = " + std::to_string(++changes));
    }
  }
  StatusReport status() {
    const auto report = report_status(FactDepth::whole, world.env(), {});
    REQUIRE(report);
    return report->status;
  }
  std::vector<std::string> snapshots() {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(world.backups())) {
      if (entry.path().extension() != ".db") continue;
      names.push_back(entry.path().parent_path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  int changes = 0;
};

// Real files, but for a folder that this user may not look into.
class ClosedFolder final : public test::ForwardingFiles {
 public:
  explicit ClosedFolder(Path folder) : folder_(std::move(folder)) {}

  Expected<FileInfo> info(const Path& path) const override {
    if (is_below(path)) return denied(path);
    return ForwardingFiles::info(path);
  }
  Expected<FileInfo> link_info(const Path& path) const override {
    if (is_below(path)) return denied(path);
    return ForwardingFiles::link_info(path);
  }
  Expected<Path> canonical(const Path& path) const override {
    if (is_below(path)) return denied(path);
    return ForwardingFiles::canonical(path);
  }
  Expected<std::vector<DirEntry>> list(const Path& folder, std::size_t most) const override {
    if (folder == folder_) return denied(folder);
    return ForwardingFiles::list(folder, most);
  }

 private:
  bool is_below(const Path& path) const { return path != folder_ && is_inside(path, folder_); }
  static tl::unexpected<Error> denied(const Path& path) {
    return fail(ErrorCode::permission_denied, "cannot read " + text_of(path), "");
  }

  Path folder_;
};

}  // namespace

TEST_CASE("A folder's run takes a snapshot of each database, and closes with a word for all") {
  NightlyFolder code;
  const auto run = code.run(kNightlyIfDue);
  REQUIRE(run);
  CHECK(run->members.size() == 3);
  CHECK(code.snapshots() == std::vector<std::string>{"one", "three", "two"});
  CHECK(code.history(kSnapshotRun).size() == 3);
  const auto closing = code.history(kFolderRun);
  REQUIRE(closing.size() == 1);
  CHECK(closing[0].ok);
  CHECK(closing[0].schedule == "code");
  CHECK(code.run(kNightlyIfDue)->outcome == JobRun::Outcome::not_due);
}

TEST_CASE("A database made later is in the next run of its folder") {
  NightlyFolder code;
  REQUIRE(code.run(kNightlyIfDue));
  code.add("four");
  code.world.fake.clock.advance(std::chrono::hours(24));
  REQUIRE(code.run(kNightlyIfDue)->members.size() == 4);
  const auto snapshots = code.snapshots();
  CHECK(std::count(snapshots.begin(), snapshots.end(), "four") == 1);
}

TEST_CASE("A damaged database and a locked one keep no other of the folder from its snapshot") {
  NightlyFolder code;
  code.corrupt("one");
  test::run_sql(code.database("three"), "PRAGMA journal_mode = delete");
  test::OpenDatabase holder(code.database("three"));
  holder.run("BEGIN EXCLUSIVE");
  const auto run = code.run(kNightly);
  REQUIRE_FALSE(run);
  CHECK(run.error().message.find("2 of 3 databases") != std::string::npos);
  CHECK(run.error().message.find(text_of(code.database("one"))) != std::string::npos);
  CHECK(code.snapshots() == std::vector<std::string>{"two"});
  CHECK_FALSE(code.history(kFolderRun).front().ok);
}

TEST_CASE("A busy database is tried again when all others are done") {
  NightlyFolder code;
  test::run_sql(code.database("one"), "PRAGMA journal_mode = delete");
  test::OpenDatabase holder(code.database("one"));
  holder.run("BEGIN EXCLUSIVE");
  const Instant begun = code.world.fake.clock.now();
  REQUIRE_FALSE(code.run(kNightly));
  CHECK(code.world.fake.clock.now() - begun >= 2 * kRetryPause);
  // Ids count every attempt: one, three, two, one, one.
  const auto runs = code.history(kSnapshotRun);
  CHECK(runs.front().id == 5);
  CHECK(runs.front().source == text_of(fs::canonical(code.database("one"))));
  CHECK(code.snapshots().size() == 2);
  holder.run("COMMIT");
  REQUIRE(code.run(kNightly));
  CHECK(code.snapshots().size() == 3);
}

TEST_CASE("What was done in this period is not done again because another one failed") {
  NightlyFolder code;
  code.corrupt("one");
  REQUIRE_FALSE(code.run(kNightlyIfDue));
  const auto before = code.history(kSnapshotRun).size();
  code.world.fake.clock.advance(std::chrono::hours(1));
  REQUIRE_FALSE(code.run(kNightlyIfDue));  // still due
  CHECK(code.history(kSnapshotRun).size() == before + 1);

  fs::remove(code.database("one"));
  test::make_notes_database(code.database("one"));
  code.world.fake.clock.advance(std::chrono::hours(1));
  const auto run = code.run(kNightlyIfDue);
  REQUIRE(run);
  CHECK(std::count_if(run->members.begin(), run->members.end(),
                      [](const MemberRun& member) { return member.done_before; }) == 2);
  CHECK(code.run(kNightlyIfDue)->outcome == JobRun::Outcome::not_due);
}

TEST_CASE("A project that was removed is told once") {
  NightlyFolder code;
  REQUIRE(code.run(kNightlyIfDue));
  fs::remove_all(code.folder / "two");
  for (const int told : {1, 0, 0}) {
    code.world.fake.clock.advance(std::chrono::hours(24));
    const auto run = code.run(kNightlyIfDue);
    REQUIRE(run);
    CHECK(run->members.size() == 2);
    CHECK(std::count_if(run->warnings.begin(), run->warnings.end(), [](const Warning& warning) {
            return warning.kind == WarningKind::gone;
          }) == told);
  }
  // It came back, and went again.
  code.add("two");
  code.world.fake.clock.advance(std::chrono::hours(24));
  REQUIRE(code.run(kNightlyIfDue));
  fs::remove_all(code.folder / "two");
  code.world.fake.clock.advance(std::chrono::hours(24));
  CHECK(warns_of(code.run(kNightlyIfDue)->warnings, WarningKind::gone));
}

TEST_CASE("The status tells of each database of a folder's schedule on its own") {
  NightlyFolder code;
  code.corrupt("one");
  REQUIRE_FALSE(code.run(kNightlyIfDue));
  code.add("four");  // after the run: nothing is owed yet
  const StatusReport report = code.status();
  REQUIRE(report.databases.size() == 4);
  for (const DatabaseStatus& database : report.databases) {
    INFO(text_of(database.source));
    CHECK(database.covered);
    CHECK(database.schedule == "code");
    const bool failing = database.source == fs::canonical(code.database("one"));
    CHECK(database.last_error.empty() != failing);
    CHECK(database.overdue.has_value() == failing);
  }
}

TEST_CASE("A folder's schedule without a database is told, not passed over") {
  NightlyFolder code;
  for (const char* project : {"one", "two", "three"}) fs::remove_all(code.folder / project);
  const StatusReport report = code.status();
  CHECK(report.state == BackupState::failing);
  CHECK(report.summary.find("finds no database below") != std::string::npos);
}

TEST_CASE("A folder's run that finds no database fails, and says what to look for") {
  NightlyFolder code;
  REQUIRE(code.run(kNightlyIfDue));
  fs::remove_all(code.folder);  // as a disk that was taken out leaves its folder
  fs::create_directories(code.folder);
  code.world.fake.clock.advance(std::chrono::hours(24));
  for (int night = 0; night < 2; ++night) {
    const auto run = code.run(kNightlyIfDue);
    REQUIRE_FALSE(run);
    CHECK(run.error().code == ErrorCode::not_found);
    CHECK(run.error().message.find(text_of(code.folder)) != std::string::npos);
    CHECK(run.error().hint.find("attach") != std::string::npos);
    CHECK_FALSE(code.history(kFolderRun).front().ok);
    code.world.fake.clock.advance(std::chrono::hours(24));
  }
}

TEST_CASE("A database of an earlier run that cannot be looked at any more fails its folder's run") {
  NightlyFolder code;
  REQUIRE(code.run(kNightlyIfDue));
  code.world.fake.clock.advance(std::chrono::hours(24));
  ClosedFolder files(fs::canonical(code.folder / "two"));
  const Env real = code.world.env();
  const Env env{real.clock, files, real.commands, real.places};
  NoProgress no_progress;
  const auto run = run_job("code", kNightlyIfDue, env, no_progress, {});
  REQUIRE_FALSE(run);
  CHECK(run.error().message.find("1 of 3 databases") != std::string::npos);
  CHECK(run.error().message.find(text_of(code.database("two"))) != std::string::npos);
  CHECK_FALSE(code.history(kFolderRun).front().ok);

  const auto report = report_status(FactDepth::whole, env, {});
  REQUIRE(report);
  const auto& databases = report->status.databases;
  const auto two =
      std::find_if(databases.begin(), databases.end(), [&](const DatabaseStatus& status) {
        return is_inside(status.source, fs::canonical(code.folder / "two"));
      });
  REQUIRE(two != databases.end());
  CHECK(two->schedule == "code");
  CHECK_FALSE(two->last_error.empty());
}

TEST_CASE("A run is not done before where its snapshot is gone or a later run failed") {
  NightlyFolder code;
  REQUIRE(code.run(kNightlyIfDue));
  const auto again = code.run(kNightly);
  REQUIRE(again);
  CHECK(std::all_of(again->members.begin(), again->members.end(),
                    [](const MemberRun& member) { return member.done_before; }));

  SECTION("its snapshot is gone") {
    for (const auto& entry : fs::recursive_directory_iterator(code.world.backups())) {
      if (entry.path().parent_path().filename() == "one") fs::remove(entry.path());
    }
    REQUIRE(code.run(kNightly));
    CHECK(code.snapshots() == std::vector<std::string>{"one", "three", "two"});
  }
  SECTION("a later run failed") {
    code.corrupt("one");
    REQUIRE(request_run("code", code.world.env()));
    REQUIRE_FALSE(code.run(kNightly));  // who asks gets a new one of each
    REQUIRE_FALSE(code.run(kNightly));
    CHECK_FALSE(code.history(kFolderRun).front().ok);
  }
}

TEST_CASE("A folder's job is written and read back whole, as a format that older programs refuse") {
  NightlyFolder code;
  BackupJob job = *read_job("code", code.world.fake.places, code.world.env().files);
  job.global = true;
  job.patterns = {"*.sqlite", "x?.db"};
  const auto text = encode_job(job);
  CHECK(text.find("\"format_version\": 2") != std::string::npos);
  const auto read = decode_job("code", text);
  REQUIRE(read);
  CHECK(read->folder == job.folder);
  CHECK(read->global);
  CHECK(read->patterns == job.patterns);
  CHECK(encode_job(*read) == text);
}

TEST_CASE("The databases of a folder that was moved get series of their own, and keep them") {
  NightlyFolder code;
  REQUIRE(code.run(kNightly));
  const auto move = [&](const fs::path& to) {
    fs::rename(code.job.folder, to);
    code.job.folder = to;
    REQUIRE(write_job(code.job, code.world.fake.places, code.world.env().files));
    code.next_day();
  };
  const fs::path first = code.folder;
  move(code.world.fake.folder / "src");
  REQUIRE(code.run(kNightly));
  const auto labels = code.snapshots();
  REQUIRE(labels.size() == 6);
  CHECK(labels[0] == "one");
  CHECK(labels[1].starts_with("one-"));

  // Also once the other's series is gone.
  fs::remove_all(code.world.backups() / "testhost/one");
  code.next_day();
  REQUIRE(code.run(kNightly));
  auto later = code.snapshots();
  CHECK(std::count(later.begin(), later.end(), labels[1]) == 2);
  CHECK(std::count(later.begin(), later.end(), "two") == 1);

  move(code.world.fake.folder / "third");
  REQUIRE(code.run(kNightly));
  move(first);
  REQUIRE(code.run(kNightly));
  later = code.snapshots();
  CHECK(std::count(later.begin(), later.end(), "two") == 2);
  std::sort(later.begin(), later.end());
  later.erase(std::unique(later.begin(), later.end()), later.end());
  CHECK(later.size() == 9);
}

TEST_CASE("Two folders with a project of one name can share a destination") {
  NightlyFolder code;
  REQUIRE(code.run(kNightly));
  code.job.folder = code.world.fake.folder / "work/code";
  fs::create_directories(code.job.folder / "one/.orchestrator");
  test::make_notes_database(code.job.folder / "one/.orchestrator/project.db");
  code.job.name = "work";
  REQUIRE(write_job(code.job, code.world.fake.places, code.world.env().files));
  NoProgress no_progress;
  for (int day = 0; day < 2; ++day) {
    for (const char* name : {"work", "code"}) {
      REQUIRE(run_job(name, kNightly, code.world.env(), no_progress, {}));
    }
    code.next_day();
  }
  const auto labels = code.snapshots();
  CHECK(std::count(labels.begin(), labels.end(), "one") == 2);
  CHECK(labels.size() == 8);  // two days of four
}

TEST_CASE("Where another machine's series is in the way, a folder's schedule is told what helps") {
  NightlyFolder code;
  code.job.snapshot.flat = true;
  REQUIRE(write_job(code.job, code.world.fake.places, code.world.env().files));
  REQUIRE(code.run(kNightly));
  code.next_day();
  code.world.fake.places.host = "another";
  test::write_file(code.world.fake.places.state / "machine-id", std::string(32, 'b') + "\n");
  const auto run = code.run(kNightly);
  REQUIRE_FALSE(run);
  CHECK(run.error().code == ErrorCode::conflict);
  CHECK(run.error().hint == "Give the folder's schedule another destination.");
  CHECK(code.snapshots().size() == 3);

  code.job.snapshot.flat = false;
  REQUIRE(write_job(code.job, code.world.fake.places, code.world.env().files));
  const fs::path folder = code.world.backups() / "another/one";
  fs::create_directories(
      folder /
      ("project-" + format_date(code.world.fake.clock.local_date(code.world.fake.clock.now())) +
       ".db"));
  const auto blocked = code.run(kNightly);
  REQUIRE_FALSE(blocked);
  CHECK(blocked.error().hint.find("another destination, or with ") != std::string::npos);
}
