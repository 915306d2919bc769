#include "core/catalog/history.h"

#include <algorithm>
#include <thread>

#include "core/base/paths.h"
#include "core/base/shell_word.h"
#include "core/catalog/history_repair.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/forwarding_files.h"
#include "support/test_database.h"

using core::RunRecord;
using core::Warning;
using core::WarningKind;
using test::FakeEnv;

namespace fs = std::filesystem;

namespace {

RunRecord make_run(const FakeEnv& world, const std::string& source, bool ok = true) {
  RunRecord run;
  run.kind = "snapshot";
  run.source = source;
  run.destination = "/backups";
  run.snapshot = "/backups/x.db";
  run.started_at = world.clock.now();
  run.finished_at = world.clock.now() + std::chrono::milliseconds{1500};
  run.ok = ok;
  if (!ok) {
    run.error_code = "busy";
    run.error = "held by 'another' process";
  }
  run.bytes = 5'000'000'000;
  run.warnings = {Warning("one"), Warning("two", WarningKind::shrunk)};
  return run;
}

std::size_t stored_runs(FakeEnv& world) {
  core::RunFilter filter;
  filter.limit = 1'000;
  return core::list_runs(filter, world.env())->size();
}

}  // namespace

TEST_CASE("A run that was recorded is read back whole, newest first") {
  FakeEnv world;
  REQUIRE(core::record_run(make_run(world, "/a.db"), world.env()));
  REQUIRE(core::record_run(make_run(world, "/b.db", false), world.env()));
  const auto runs = core::list_runs({}, world.env());
  REQUIRE(runs);
  REQUIRE(runs->size() == 2);
  const RunRecord& failed = runs->at(0);
  CHECK(failed.source == "/b.db");
  CHECK_FALSE(failed.ok);
  CHECK(failed.error_code == "busy");
  CHECK(failed.error == "held by 'another' process");
  CHECK(failed.bytes == 5'000'000'000);
  CHECK(failed.warnings == std::vector{Warning("one"), Warning("two", WarningKind::shrunk)});
  CHECK(failed.started_at == world.clock.now());
  CHECK(failed.finished_at - failed.started_at == std::chrono::milliseconds{1500});
  CHECK(runs->at(1).ok);
  CHECK(runs->at(1).id < failed.id);
}

// With warnings as the versions before their kinds worded and joined them.
TEST_CASE("A history of an earlier version is read with its warnings of their kinds") {
  FakeEnv world;
  const fs::path history = world / "state/history.db";
  fs::create_directories(history.parent_path());
  const std::string lost = "The database has lost most of its content: 3 rows now, 400 in /x.db.";
  test::run_sql(history, R"sql(
PRAGMA journal_mode = WAL;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL, schedule TEXT NOT NULL, source TEXT NOT NULL, destination TEXT NOT NULL,
  snapshot TEXT NOT NULL, started_ms INTEGER NOT NULL, finished_ms INTEGER NOT NULL,
  ok INTEGER NOT NULL, error_code TEXT NOT NULL, error TEXT NOT NULL, bytes INTEGER NOT NULL,
  warnings TEXT NOT NULL);
CREATE INDEX runs_by_source ON runs(source, id);
PRAGMA user_version = 1;
INSERT INTO runs VALUES (7, 'snapshot', 'nightly', '/a.db', '/backups', '/backups/x.db', 1000, 2000,
  1, '', '', 4096, ')sql" + lost +
                             R"sql(
/backups is on the same disk.
ping_url/start was not reached: curl: (6) Could not resolve host.
on_failure ended with exit code 3.');)sql");
  const std::vector<Warning> told{
      {lost, WarningKind::shrunk},
      {"/backups is on the same disk.", WarningKind::other},
      {"ping_url/start was not reached: curl: (6) Could not resolve host.", WarningKind::ping},
      {"on_failure ended with exit code 3.", WarningKind::on_failure}};
  CHECK(core::list_runs({}, world.env())->at(0).warnings == told);

  // And what this version adds is what the earlier one would have.
  const std::string before = test::query_text(history, "SELECT warnings FROM runs");
  REQUIRE(core::add_run_warnings("nightly", {told[2], told[1]}, world.env()));
  RunRecord next = make_run(world, "/a.db");
  next.warnings = told;
  REQUIRE(core::record_run(next, world.env()));
  CHECK(test::query_column(history, "SELECT warnings FROM runs ORDER BY id") ==
        std::vector{before + "\n" + told[2].text + "\n" + told[1].text, before});
  CHECK(test::query_integer(history, "PRAGMA user_version") == 1);
  CHECK(test::query_integer(history, "SELECT count(*) FROM pragma_table_info('runs')") == 13);
}

TEST_CASE("Reading the history does not create it") {
  FakeEnv world;
  const auto runs = core::list_runs({}, world.env());
  REQUIRE(runs);
  CHECK(runs->empty());
  CHECK(test::names_in(world / "state").empty());
}

TEST_CASE("Runs are chosen by kind, schedule and source, up to a limit") {
  FakeEnv world;
  for (int i = 0; i < 6; ++i) {
    RunRecord run = make_run(world, i % 2 == 0 ? "/even.db" : "/odd.db");
    run.kind = i < 3 ? "snapshot" : "verify";
    run.schedule = i == 5 ? "nightly" : "";
    REQUIRE(core::record_run(run, world.env()));
  }
  core::RunFilter filter;
  filter.source = "/even.db";
  CHECK(core::list_runs(filter, world.env())->size() == 3);
  filter.kind = "verify";
  CHECK(core::list_runs(filter, world.env())->size() == 1);
  CHECK(core::list_runs({.schedule = "nightly"}, world.env())->size() == 1);
  CHECK(core::list_runs({.limit = 2}, world.env())->size() == 2);
}

TEST_CASE("The history is private to the user") {
  FakeEnv world;
  world.places.state = world / "deep/er/state";
  REQUIRE(core::record_run(make_run(world, "/a.db"), world.env()));
  CHECK(core::system_files().info(world / "deep/er/state")->mode == 0700);
  CHECK(core::system_files().info(world / "deep/er/state/history.db")->mode == 0600);
}

TEST_CASE("Of a streak of like failures of a schedule the first and the last run are kept") {
  FakeEnv world;
  auto record = [&, number = 0](const std::string& schedule,
                                const std::string& error_code) mutable {
    RunRecord run = make_run(world, "/" + schedule + ".db", error_code.empty());
    run.schedule = schedule;
    run.error_code = error_code;
    run.error = std::to_string(++number) + " bytes free";
    REQUIRE(core::record_run(run, world.env()));
    return core::list_runs({.limit = 1}, world.env())->front().id;
  };
  const auto ids = [&](const std::string& schedule) {
    std::vector<std::int64_t> found;
    const auto runs = core::list_runs({.schedule = schedule}, world.env());
    REQUIRE(runs);
    for (const auto& run : *runs) found.push_back(run.id);
    return found;
  };
  const auto first = record("one", "not_found"), other_first = record("two", "not_found");
  std::int64_t last = 0, other_last = 0;
  for (int i = 0; i < 5; ++i) {
    const auto before = last;
    last = record("one", "not_found");
    CHECK(last > before);
    other_last = record("two", "not_found");
  }
  CHECK(ids("one") == std::vector{last, first});
  CHECK(ids("two") == std::vector{other_last, other_first});

  const auto different = record("one", "no_space"), good = record("one", "");
  CHECK(ids("one") == std::vector{good, different, last, first});
  const auto again = record("one", "no_space"), newest = record("one", "no_space");
  CHECK(ids("one") == std::vector{newest, again, good, different, last, first});
}

TEST_CASE("Runs by hand and good runs are kept however like they are") {
  FakeEnv world;
  for (int i = 0; i < 4; ++i) {
    REQUIRE(core::record_run(make_run(world, "/a.db", false), world.env()));
    RunRecord good = make_run(world, "/b.db");
    good.schedule = "nightly";
    REQUIRE(core::record_run(good, world.env()));
  }
  CHECK(core::list_runs({}, world.env())->size() == 8);
}

namespace {

void record_old_runs(const FakeEnv& world, int count) {
  test::run_sql(world / "state/history.db",
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT " +
                    std::to_string(count) +
                    ") INSERT INTO runs SELECT NULL,'snapshot','','/old.db','','',i,i,1,'','',0,'' "
                    "FROM n");
}

std::int64_t count_runs(const FakeEnv& world, const std::string& which = "true") {
  return test::query_integer(world / "state/history.db",
                             "SELECT count(*) FROM runs WHERE " + which);
}

}  // namespace

TEST_CASE("The history keeps a bounded number of runs, whatever their ids") {
  FakeEnv world;
  REQUIRE(core::record_run(make_run(world, "/old.db"), world.env()));
  test::run_sql(world / "state/history.db", "UPDATE sqlite_sequence SET seq = 50000");
  REQUIRE(core::record_run(make_run(world, "/old.db"), world.env()));
  CHECK(count_runs(world) == 2);
  record_old_runs(world, 10'100);
  REQUIRE(core::record_run(make_run(world, "/last.db"), world.env()));
  CHECK(count_runs(world) == core::kMaxRuns);
  CHECK(core::list_runs({.limit = 1}, world.env())->front().source == "/last.db");
}

TEST_CASE("The last good run of a source and the last word on a snapshot outlive all others") {
  FakeEnv world;
  const auto record = [&](RunRecord run) { REQUIRE(core::record_run(run, world.env())); };
  const auto check = [&](const std::string& snapshot, bool ok, const std::string& code = "") {
    RunRecord run = make_run(world, "/a.db", ok);
    run.kind = "verify";
    run.snapshot = snapshot;
    run.error_code = code;
    record(run);
  };
  record(make_run(world, "/a.db"));
  record(make_run(world, "/a.db"));
  record(make_run(world, "/a.db", false));
  check("/backups/bad.db", true);
  check("/backups/bad.db", false, "damaged");
  check("/backups/bad.db", false, "cancelled");  // says nothing of the snapshot
  check("/backups/good.db", false, "damaged");
  check("/backups/good.db", true);
  RunRecord copy = make_run(world, "/a.db");
  copy.kind = core::kOffsiteRun;
  record(copy);
  record_old_runs(world, 20'000);
  record(make_run(world, "/last.db"));
  record(make_run(world, "/last.db"));
  CHECK(count_runs(world) == core::kMaxRuns + 4);
  CHECK(count_runs(world, "source = '/a.db' AND kind = 'snapshot' AND ok") == 1);
  CHECK(count_runs(world, "source = '/a.db' AND kind = 'offsite' AND ok") == 1);
  CHECK(count_runs(world, "snapshot = '/backups/bad.db' AND error_code = 'damaged'") == 1);
  CHECK(count_runs(world, "snapshot = '/backups/good.db' AND ok") == 1);
}

TEST_CASE("Runs recorded at the same moment are all there") {
  FakeEnv world;
  constexpr int kThreads = 6, kRuns = 10;
  std::atomic<int> failures{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kRuns; ++i) {
          const auto run = make_run(world, "/" + std::to_string(t) + ".db");
          const auto recorded = core::record_run(run, world.env());
          if (!recorded) {
            ++failures;
            UNSCOPED_INFO(recorded.error().message);
          }
        }
      });
    }
  }
  CHECK(failures == 0);
  CHECK(core::list_runs({.limit = 1000}, world.env())->size() == kThreads * kRuns);
}

namespace {

std::vector<std::string> damaged_files(const FakeEnv& world) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(world / "state")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("history.db.damaged-")) names.push_back(name);
  }
  return names;
}

}  // namespace

// Each run is recorded by a process of its own, of which none sees another's shared memory.
TEST_CASE("The log of the history stays short however many runs there are") {
  FakeEnv world;
  const fs::path log = world / "state/history.db-wal";
  constexpr std::uintmax_t kMaxBytes = 120 * 4120;
  for (int run = 0; run < 200; ++run) {
    REQUIRE(core::record_run(make_run(world, "/a.db"), world.env()));
    REQUIRE(fs::file_size(log) <= kMaxBytes);
  }
  CHECK(stored_runs(world) == 200);
}

TEST_CASE("Who reads the history keeps no run from being recorded") {
  FakeEnv world;
  REQUIRE(core::record_run(make_run(world, "/a.db"), world.env()));
  test::OpenDatabase reader(world / "state/history.db");
  reader.run("BEGIN; SELECT * FROM runs");
  const auto begun = std::chrono::steady_clock::now();
  for (int run = 0; run < 60; ++run) {
    REQUIRE(core::record_run(make_run(world, "/a.db"), world.env()));
  }
  CHECK(std::chrono::steady_clock::now() - begun <
        std::chrono::seconds{30});  // 2 s each, if waited
  reader.run("COMMIT");
  CHECK(stored_runs(world) == 61);
}

TEST_CASE("A damaged history is kept aside as it is and begun anew, and told") {
  FakeEnv world;
  const std::string garbage(5000, 'x');
  test::write_file(world / "state/history.db", garbage);
  const auto told = core::record_and_tell(make_run(world, "/a.db"), world.env());
  REQUIRE(told.size() == 1);
  CHECK(told.front().find("begun anew") != std::string::npos);
  const auto kept = damaged_files(world);
  REQUIRE(kept.size() == 1);
  CHECK(told.front().find(kept.front()) != std::string::npos);
  CHECK(test::read_file(world / ("state/" + kept.front())) == garbage);
  CHECK(core::list_runs({.kind = "snapshot"}, world.env())->size() == 1);
  CHECK(core::list_runs({}, world.env())->size() == 2);

  world.clock.advance(std::chrono::minutes{1});
  CHECK(core::record_and_tell(make_run(world, "/a.db"), world.env()).empty());
  CHECK(core::history_begun_anew(world.clock.now() - std::chrono::hours{1}, world.env()));
}

TEST_CASE("A history that is damaged anywhere is begun anew by whoever meets it") {
  const auto damage = GENERATE(as<std::string>{}, "truncated", "page one", "last page", "no table");
  CAPTURE(damage);
  FakeEnv world;
  for (int i = 0; i < 200; ++i) {
    auto run = make_run(world, "/" + std::to_string(i) + ".db");
    run.warnings = {std::string(300, 'w')};
    REQUIRE(core::record_run(run, world.env()));
  }
  const fs::path history = world / "state/history.db";
  test::run_sql(history, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE");
  if (damage == "truncated") fs::resize_file(history, fs::file_size(history) / 2 / 4096 * 4096);
  if (damage == "page one") test::patch_file(history, 100, std::string(500, '\x7f'));
  if (damage == "last page") {
    test::patch_file(history, fs::file_size(history) - 4096, std::string(4096, '\x7f'));
  }
  if (damage == "no table") test::run_sql(history, "DROP TABLE runs");
  const auto runs = core::list_runs({.limit = 1000}, world.env());
  REQUIRE(runs);
  REQUIRE(runs->size() == 1);
  CHECK(runs->front().kind == "history");
  CHECK(damaged_files(world).size() == 1);
  REQUIRE(core::record_run(make_run(world, "/b.db"), world.env()));
  CHECK(core::list_runs({.limit = 1}, world.env())->front().id > runs->front().id);
}

TEST_CASE("Runs of a history that was begun anew come after all of the old one") {
  FakeEnv world;
  for (int i = 0; i < 5; ++i) REQUIRE(core::record_run(make_run(world, "/a.db"), world.env()));
  const auto last = core::list_runs({.limit = 1}, world.env())->front().id;
  test::write_file(world / "state/history.db", "broken");
  fs::remove(world / "state/history.db-wal");
  fs::remove(world / "state/history.db-shm");
  REQUIRE(core::record_run(make_run(world, "/b.db"), world.env()));
  CHECK(core::list_runs({.kind = "snapshot", .after = last}, world.env())->size() == 1);
}

TEST_CASE("Only the newest damaged histories are kept") {
  FakeEnv world;
  for (std::size_t i = 0; i < core::kMaxDamagedHistories + 3; ++i) {
    world.clock.advance(std::chrono::seconds{1});
    fs::remove(world / "state/history.db-wal");
    fs::remove(world / "state/history.db-shm");
    test::write_file(world / "state/history.db", "broken " + std::to_string(i));
    REQUIRE(core::record_run(make_run(world, "/a.db"), world.env()));
  }
  auto kept = damaged_files(world);
  REQUIRE(kept.size() == core::kMaxDamagedHistories);
  std::sort(kept.begin(), kept.end());
  CHECK(test::read_file(world / ("state/" + kept.front())) == "broken 3");
}

TEST_CASE("Processes that meet one damaged history at once begin it anew once") {
  FakeEnv world;
  test::write_file(world / "state/history.db", std::string(5000, 'x'));
  constexpr int kThreads = 6;
  std::atomic<int> failures{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        if (!core::record_run(make_run(world, "/a.db"), world.env())) ++failures;
      });
    }
  }
  CHECK(failures == 0);
  CHECK(damaged_files(world).size() == 1);
  CHECK(core::list_runs({.kind = "snapshot"}, world.env())->size() == kThreads);
}

TEST_CASE("A history of a newer version is left as it is, and named") {
  FakeEnv world;
  test::run_sql(world / "state/history.db", "CREATE TABLE later(a); PRAGMA user_version = 99");
  const std::string before = test::read_file(world / "state/history.db");
  const auto newer = core::record_run(make_run(world, "/a.db"), world.env());
  REQUIRE_FALSE(newer);
  CHECK(newer.error().code == core::ErrorCode::unsupported);
  CHECK(newer.error().message.find("history.db") != std::string::npos);
  CHECK(core::list_runs({}, world.env()).error().code == core::ErrorCode::unsupported);
  CHECK(core::add_run_warnings("nightly", {Warning("w")}, world.env()).error().code ==
        core::ErrorCode::unsupported);
  CHECK(test::read_file(world / "state/history.db") == before);
  CHECK(damaged_files(world).empty());
}

TEST_CASE(
    "A damaged history that cannot be kept aside stays, and is an error that says what to do by "
    "hand") {
  FakeEnv world;
  test::write_file(world / "state/history.db", std::string(5000, 'x'));
  struct Fixed : test::ForwardingFiles {
    core::Expected<> write_atomically(const Path& path, std::string_view, std::uint32_t) override {
      return core::fail(core::ErrorCode::permission_denied, "cannot write " + path.string());
    }
  } files;
  const core::Env env{world.clock, files, world.commands, world.places};
  const auto recorded = core::record_run(make_run(world, "/a.db"), env);
  REQUIRE_FALSE(recorded);
  CHECK(recorded.error().code == core::ErrorCode::damaged);
  const std::string history = core::text_of(world / "state/history.db");
  CHECK_THAT(recorded.error().hint,
             Catch::Contains(core::move_command(history, history + ".damaged")));
  CHECK(test::read_file(world / "state/history.db") == std::string(5000, 'x'));
}

TEST_CASE("Runs are chosen by what came before one of them, and by failure") {
  FakeEnv world;
  for (const char* source : {"/a.db", "/b.db", "/c.db"}) {
    REQUIRE(core::record_run(make_run(world, source, std::string(source) != "/b.db"), world.env()));
  }
  const auto newest = core::list_runs({.limit = 1}, world.env())->front().id;
  const auto earlier = core::list_runs({.before = newest}, world.env());
  REQUIRE(earlier);
  REQUIRE(earlier->size() == 2);
  CHECK(earlier->front().source == "/b.db");
  CHECK(core::list_runs({.failed = true}, world.env())->size() == 1);
  CHECK(core::list_runs({.before = earlier->front().id, .failed = true}, world.env())->empty());
}
