// take_snapshot of databases that other processes are writing to.
#include <fstream>
#include <set>
#include <thread>

#include "support/catch.h"
#include "support/process_id.h"
#include "support/snapshots.h"
#include "support/test_database.h"
#include "support/writer_process.h"

namespace {

namespace fs = std::filesystem;
using core::ErrorCode;
using test::SnapshotWorld;
using test::WriterOptions;
using namespace std::chrono_literals;

// The text of the rows, found through the full-text index and by scanning: the same in a snapshot
// that is of one moment.
bool full_text_agrees(const fs::path& path) {
  return test::query_text(path,
                          "SELECT (SELECT count(*) FROM notes_fts WHERE notes_fts MATCH 'keeper')"
                          " = (SELECT count(*) FROM notes WHERE content LIKE '%keeper%')") == "1";
}

void take_many(SnapshotWorld& world, int count) {
  for (int number = 0; number < count; ++number) {
    const auto low = test::query_integer(world.source, "SELECT commits FROM counter");
    const auto result = world.take();
    const auto high = test::query_integer(world.source, "SELECT commits FROM counter");
    INFO("snapshot " << number << ": " << (result ? "" : result.error().message));
    REQUIRE(result);
    const auto commits = test::query_integer(result->snapshot, "SELECT commits FROM counter");
    REQUIRE(low <= commits);
    REQUIRE(commits <= high);
    REQUIRE(test::invariant_holds(result->snapshot));
    REQUIRE(full_text_agrees(result->snapshot));
  }
}

TEST_CASE("200 snapshots of 200 keep the invariant while a writer commits every 10 ms") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"wal", 4096, 100});
  test::WriterProcess writer(world.source, {WriterOptions::Mode::commit, 10ms, true});
  take_many(world, 200);
  const auto result = writer.stop();
  CHECK(result.failures == 0);
  CHECK(test::query_text(world.source, "PRAGMA integrity_check") == "ok");
}

TEST_CASE("Snapshots keep the invariant under a busy writer, in each journal mode") {
  const std::string mode = GENERATE("wal", "delete", "truncate", "persist");
  SnapshotWorld world;
  test::make_notes_database(world.source, {mode, 1024, 100});
  // A writer without any pause would starve every reader of a rollback-mode database, ours too.
  const auto interval = mode == "wal" ? 0ms : 5ms;
  test::WriterProcess writer(world.source, {WriterOptions::Mode::commit, interval, true});
  take_many(world, 15);
  const auto result = writer.stop();
  CHECK(result.failures == 0);
  CHECK(result.commits > 0);
}

std::set<std::string> own_locks() {
  std::set<std::string> locks;
  std::ifstream file("/proc/locks");
  const std::string own = " " + std::to_string(test::own_process_id()) + " ";
  for (std::string line; std::getline(file, line);) {
    // The number before the colon counts lines, not locks.
    if (line.find(own) != std::string::npos) locks.insert(line.substr(line.find(':')));
  }
  return locks;
}

TEST_CASE("A whole snapshot in a process that has the source open leaves its locks alone") {
  const std::string mode = GENERATE("wal", "delete");
  SnapshotWorld world;
  test::make_notes_database(world.source, {mode, 4096, 20});
  test::OpenDatabase reader(world.source);
  reader.run("BEGIN");
  REQUIRE(reader.text("SELECT count(*) FROM notes") == "20");
  const auto before = own_locks();
  REQUIRE_FALSE(before.empty());
  REQUIRE(world.take());
  CHECK(own_locks() == before);
}

TEST_CASE("A crashed writer's WAL is read, and stays as it is") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  {
    test::WriterProcess writer(world.source, {WriterOptions::Mode::commit, 1ms, false});
    std::this_thread::sleep_for(30ms);
    (void)writer.kill();
  }
  fs::remove(world.live / "global.db-shm");
  const std::string database = test::read_file(world.source);
  const std::string wal = test::read_file(world.live / "global.db-wal");
  REQUIRE_FALSE(wal.empty());
  const auto result = world.take();
  REQUIRE(result);
  CHECK(test::read_file(world.source) == database);
  CHECK(test::read_file(world.live / "global.db-wal") == wal);
  CHECK(test::files_below(world.live) == std::vector<std::string>{"global.db", "global.db-wal"});
  CHECK(test::query_integer(result->snapshot, "SELECT commits FROM counter") ==
        test::query_integer(world.source, "SELECT commits FROM counter"));
}

// A sink that keeps the copy open until it is told that the writer has gone on.
class Slow final : public core::ProgressSink {
 public:
  explicit Slow(std::chrono::milliseconds pause) : pause_(pause) {}
  void report(std::uint64_t, std::uint64_t, const std::string& phase) override {
    if (phase == "copy") std::this_thread::sleep_for(pause_);
  }

 private:
  std::chrono::milliseconds pause_;
};

TEST_CASE("In WAL mode commits go on during the copy, in rollback mode none fails") {
  const std::string mode = GENERATE("wal", "delete");
  SnapshotWorld world;
  test::make_notes_database(world.source, {mode, 4096, 20});
  test::run_sql(world.source, "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(30000000))");
  test::WriterProcess writer(world.source, {WriterOptions::Mode::commit, 1ms, true});
  Slow progress(50ms);
  const auto low = test::query_integer(world.source, "SELECT commits FROM counter");
  const auto result = core::take_snapshot(world.request(), world.env(), progress, {});
  const auto high = test::query_integer(world.source, "SELECT commits FROM counter");
  REQUIRE(result);
  const auto commits = test::query_integer(result->snapshot, "SELECT commits FROM counter");
  CHECK(low <= commits);
  CHECK(commits <= high);
  if (mode == "wal") CHECK(high > commits + 5);
  CHECK(writer.stop().failures == 0);
}

TEST_CASE("A copy past its time ends, with the source free and nothing left behind") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"delete", 4096, 20});
  test::run_sql(world.source, "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(30000000))");
  Slow progress(100ms);
  auto request = world.request();
  request.copy_timeout = 150ms;
  const auto result = core::take_snapshot(request, world.env(), progress, {});
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::timed_out);
  CHECK(fs::is_empty(world.destination));
  test::run_sql(world.source, test::commit_sql(20));
}

}  // namespace
