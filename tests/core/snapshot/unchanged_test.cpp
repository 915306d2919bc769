// Runs over a source that is still in the state of its last snapshot.
#include "core/snapshot/unchanged.h"

#include <fstream>
#include <thread>

#include "core/catalog/history.h"
#include "core/platform/mounts.h"
#include "core/snapshot/snapshot.h"
#include "core/verify/verify_run.h"
#include "support/catch.h"
#include "support/snapshots.h"
#include "support/test_database.h"

namespace {

namespace fs = std::filesystem;
using test::files_below;
using test::SnapshotWorld;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

constexpr auto kQuiet = 250ms;  // the tick of this machine's clock is all that it must outlast

// A world in which time is the machine's, as the times of its files are.
struct IdleWorld : SnapshotWorld {
  explicit IdleWorld(const std::string& mode = "wal") {
    test::make_notes_database(source, {mode, 4096, 30});
    follow_the_clock();
  }
  void follow_the_clock(std::chrono::hours ahead = 0h) {
    clock.instant = std::chrono::system_clock::now() + ahead;
  }
  core::SnapshotResult run(std::chrono::hours ahead = 0h) {
    follow_the_clock(ahead);
    auto asked = request();
    asked.unless_unchanged = true;
    asked.by_hour_from = by_hour_from;
    asked.quiet = kQuiet;
    asked.schedule = "nightly";
    auto result = take(asked);
    INFO((result ? "" : result.error().message));
    REQUIRE(result);
    return std::move(*result);
  }
  void wait_until_quiet() const { std::this_thread::sleep_for(kQuiet + 50ms); }
  // Tells a proof from a comparison of digests.
  static bool copied(const core::SnapshotResult& result) { return result.timings.copy_ms > 0; }
  bool has_true_times() {
    return !core::change_times_since(fs::canonical(source), core::system_files()).empty();
  }
  std::optional<std::chrono::minutes> by_hour_from{};  // names carry the hour
  std::vector<core::RunRecord> runs() { return *core::list_runs({}, env()); }
};

void flip_byte(const fs::path& file, std::streamoff at) {
  const auto modified = fs::last_write_time(file);
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekg(at);
  const char byte = static_cast<char>(stream.get() ^ 1);
  stream.seekp(at);
  stream.put(byte);
  stream.close();
  fs::last_write_time(file, modified);
}

}  // namespace

TEST_CASE("An idle source is not copied again, and not a byte is written to the destination") {
  const std::string mode = GENERATE("wal", "delete");
  IdleWorld world(mode);
  if (!world.has_true_times()) {  // as on tmpfs: there each run is decided by the digest
    CHECK((world.run(), world.run().unchanged));
    return;
  }
  world.wait_until_quiet();
  const auto first = world.run();
  CHECK_FALSE(first.unchanged);
  const Names before = files_below(world.destination);
  const auto written = fs::last_write_time(world.host_folder());
  world.wait_until_quiet();
  const auto second = world.run();
  CHECK(second.unchanged);
  CHECK_FALSE(IdleWorld::copied(second));
  CHECK(second.snapshot == first.snapshot);
  CHECK(second.manifest.sha256 == first.manifest.sha256);
  CHECK_FALSE(second.replaced);
  CHECK(files_below(world.destination) == before);
  CHECK(fs::last_write_time(world.host_folder()) == written);
  CHECK(files_below(world.live) == Names{"global.db"});
}

TEST_CASE("A run that found its source unchanged is a good run of the snapshot that stands") {
  IdleWorld world;
  const auto first = world.run();
  const auto second = world.run();
  REQUIRE(second.unchanged);
  const auto runs = world.runs();
  REQUIRE(runs.size() == 2);
  CHECK(runs.front().ok);
  CHECK(runs.front().unchanged());
  CHECK_FALSE(runs.back().unchanged());
  CHECK(runs.front().snapshot == first.snapshot.string());
}

TEST_CASE("Of many runs of a day that found a source unchanged the first and the last are kept") {
  IdleWorld world;
  world.run();
  for (int hour = 1; hour <= 5; ++hour) REQUIRE(world.run(1h * hour).unchanged);
  CHECK(world.runs().size() == 3);
  for (int day = 2; day <= 5; ++day) REQUIRE(world.run(24h * day).unchanged);
  CHECK(world.runs().size() == 7);
}

TEST_CASE("By the hour, too, the digest decides once a day, and idle hours write nothing") {
  IdleWorld world;
  if (!world.has_true_times()) return;
  world.by_hour_from = 7min;
  world.wait_until_quiet();
  const auto first = world.run();
  const Names before = files_below(world.destination);
  for (int hour = 1; hour <= 23; ++hour) {
    const auto run = world.run(1h * hour);
    REQUIRE(run.unchanged);
    REQUIRE_FALSE(IdleWorld::copied(run));
    REQUIRE(run.snapshot == first.snapshot);
  }
  const auto next_day = world.run(24h);
  CHECK(next_day.unchanged);
  CHECK(IdleWorld::copied(next_day));
  CHECK_FALSE(IdleWorld::copied(world.run(25h)));
  CHECK(files_below(world.destination) == before);
  // An hour that was written in has a snapshot of its own.
  test::run_sql(world.source, "DELETE FROM links");
  const auto written = world.run(26h);
  CHECK_FALSE(written.unchanged);
  CHECK(written.snapshot != first.snapshot);
  CHECK(files_below(world.destination).size() == before.size() + 2);
}

TEST_CASE("Without a proof the digest decides, and what is equal is not published") {
  IdleWorld world;
  const auto first = world.run();  // just written: no time proves anything yet
  const auto second = world.run();
  CHECK(second.unchanged);
  CHECK(IdleWorld::copied(second));
  CHECK(files_below(world.destination).size() == 2);
  CHECK(second.snapshot == first.snapshot);
}

TEST_CASE("A source that was touched but not changed is not published again") {
  IdleWorld world;
  world.wait_until_quiet();
  world.run();
  fs::last_write_time(world.source, fs::file_time_type::clock::now());
  CHECK(world.run().unchanged);
}

TEST_CASE("Once a day the digest decides, and the check of that day is the snapshot's") {
  IdleWorld world;
  world.wait_until_quiet();
  const auto first = world.run();
  world.wait_until_quiet();
  const auto second = world.run(24h);
  CHECK(second.unchanged);
  CHECK(IdleWorld::copied(second));
  CHECK(second.snapshot == first.snapshot);
  const auto week = world.run(24h * 7);  // a full check is due
  CHECK(week.unchanged);
  const auto manifest = core::read_manifest(first.snapshot, core::system_files());
  REQUIRE(manifest);
  CHECK(manifest->verified == core::VerifyLevel::full);
  CHECK(*manifest->verified_at > *first.manifest.verified_at + 24h * 6);
  CHECK(manifest->taken_at == std::chrono::floor<std::chrono::seconds>(first.manifest.taken_at));
  core::NoProgress progress;
  const auto verified = core::verify_and_record({first.snapshot}, world.env(), progress, {});
  REQUIRE(verified);
  CHECK(verified->report.verdict == core::VerifyReport::Verdict::verified);
}

TEST_CASE("A change is seen however its times are set back") {
  const std::string mode = GENERATE("wal", "delete", "persist", "truncate");
  IdleWorld world(mode);
  world.wait_until_quiet();
  const auto first = world.run();
  const auto modified = fs::last_write_time(world.source);
  test::run_sql(world.source, "UPDATE notes SET content = upper(content) || rowid WHERE rowid = 3");
  fs::last_write_time(world.source, modified);
  world.wait_until_quiet();
  const auto second = world.run();
  CHECK_FALSE(second.unchanged);
  CHECK(second.manifest.sha256 != first.manifest.sha256);
  world.wait_until_quiet();
  CHECK(world.run().unchanged);
}

TEST_CASE("A change right after a snapshot is seen, within the same tick of the clock too") {
  const std::string mode = GENERATE("wal", "delete");
  IdleWorld world(mode);
  test::OpenDatabase writer(world.source);
  for (int round = 0; round < 10; ++round) {
    writer.run("UPDATE notes SET content = 'round " + std::to_string(round) + "'");
    CHECK_FALSE(world.run().unchanged);
  }
}

TEST_CASE("A snapshot that rotted on its disk does not stand for its source") {
  IdleWorld world;
  world.wait_until_quiet();
  const auto first = world.run();
  flip_byte(first.snapshot, 5000);
  const auto second = world.run(24h);
  CHECK_FALSE(second.unchanged);
  CHECK(second.snapshot != first.snapshot);
}

TEST_CASE("A snapshot that a check found damaged, or that is gone, does not stand for its source") {
  IdleWorld world;
  world.wait_until_quiet();
  const auto first = world.run();
  SECTION("damaged") {
    flip_byte(first.snapshot, 5000);
    core::NoProgress progress;
    REQUIRE(core::verify_and_record({first.snapshot}, world.env(), progress, {}));
  }
  SECTION("gone") {
    fs::remove(first.snapshot);
  }
  SECTION("cut short") {
    fs::resize_file(first.snapshot, 4096);
  }
  SECTION("without its manifest") {
    fs::remove(core::manifest_path_of(first.snapshot));
  }
  world.follow_the_clock();
  world.wait_until_quiet();
  CHECK_FALSE(world.run().unchanged);
}

TEST_CASE("A snapshot of another state that came later does not stand for the source") {
  IdleWorld world;
  world.wait_until_quiet();
  world.run();
  const std::string first = test::read_file(world.source);
  test::run_sql(world.source, "DELETE FROM notes WHERE rowid = 3");
  world.run(24h);
  test::write_file(world.source, first);
  const auto third = world.run(48h);
  CHECK_FALSE(third.unchanged);
}

TEST_CASE("Retention goes on while nothing changes") {
  IdleWorld world;
  world.run();
  test::run_sql(world.source, "UPDATE notes SET content = 'other'");
  const auto second = world.run(24h);
  REQUIRE_FALSE(second.unchanged);
  auto asked = world.request();
  asked.unless_unchanged = true;
  asked.retention.keep_last = 1;
  world.follow_the_clock(25h);
  const auto third = world.take(asked);
  REQUIRE(third);
  CHECK(third->unchanged);
  CHECK(third->removed.size() == 1);
  CHECK(fs::exists(second.snapshot));
}

TEST_CASE("A snapshot by hand is written although nothing changed, and so is one without a check") {
  IdleWorld world;
  world.wait_until_quiet();
  world.run();
  world.follow_the_clock();
  const auto by_hand = world.take();
  REQUIRE(by_hand);
  CHECK_FALSE(by_hand->unchanged);
  auto unchecked = world.request();
  unchecked.unless_unchanged = true;
  unchecked.verify = core::VerifyLevel::none;
  const auto taken = world.take(unchecked);
  REQUIRE(taken);
  CHECK_FALSE(taken->unchanged);
}

TEST_CASE("What is remembered of a source and cannot be read costs a copy, and nothing else") {
  IdleWorld world;
  world.wait_until_quiet();
  world.run();
  for (const auto& entry : fs::directory_iterator(world.places.state / "known")) {
    test::write_file(entry.path(), "backup-plugin-db known state 1\nnonsense");
  }
  const auto second = world.run();
  CHECK(second.unchanged);
  CHECK(IdleWorld::copied(second));
}
