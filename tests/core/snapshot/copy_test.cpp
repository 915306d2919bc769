// The copy of a pinned database: the same bytes, for every shape of database.
#include "core/snapshot/copy.h"

#include <sqlite3.h>

#include <functional>
#include <thread>
#include <utility>

#include "support/catch.h"
#include "support/fake_env.h"
#include "support/test_database.h"
#include "support/writer_process.h"

namespace {

namespace fs = std::filesystem;
using core::DigestMode;
using namespace std::chrono_literals;
using test::read_file;

struct Copied {
  core::FileHeader header;
  std::string bytes;
  std::string digest;
  bool journal_mode_reset = true;
};

core::Expected<Copied> copy_to(const fs::path& source, const fs::path& target, test::FakeEnv& world,
                               DigestMode digest = DigestMode::beside) {
  auto pinned = core::PinnedSource::open(source, 2s, world.env(), {});
  if (!pinned) return core::fail(pinned.error());
  core::NoProgress progress;
  core::CopyRequest request;
  request.target = target;
  request.digest = digest;
  auto copy = core::copy_database(*pinned, request, world.env(), progress, {});
  if (!copy) return core::fail(copy.error());
  Copied copied;
  copied.header = pinned->header();
  copied.bytes = read_file(target);
  copied.digest = copy->file->digest().value();
  copied.journal_mode_reset = copy->journal_mode_reset;
  return copied;
}

std::string with_rollback_header(std::string bytes) {
  bytes[18] = bytes[19] = 1;
  return bytes;
}

std::string integrity(const fs::path& path) {
  return test::query_text(path, "PRAGMA integrity_check");
}

TEST_CASE("A copy is the source byte for byte, whatever the page size, and its digest is right") {
  const int page_size = GENERATE(512, 1024, 2048, 4096, 8192, 16384, 32768, 65536);
  const std::string mode = GENERATE("wal", "delete");
  const DigestMode digest = GENERATE(DigestMode::beside, DigestMode::after);
  test::FakeEnv world;
  test::make_notes_database(world / "a.db", {mode, page_size, 200});
  const std::string before = read_file(world / "a.db");
  const auto copy = copy_to(world / "a.db", world / "b.db", world, digest);
  REQUIRE(copy);
  CHECK(copy->bytes == with_rollback_header(before));
  CHECK(copy->digest == core::sha256_of(copy->bytes));
  CHECK(copy->header.page_size == static_cast<std::uint32_t>(page_size));
  CHECK(copy->header.journal_mode() == mode);
  CHECK(read_file(world / "a.db") == before);
  CHECK(integrity(world / "b.db") == "ok");
  CHECK(test::invariant_holds(world / "b.db"));
}

TEST_CASE("Rows that live only in the WAL are in the copy, and the WAL's bytes stay") {
  test::FakeEnv world;
  const fs::path source = world / "a.db";
  test::make_notes_database(source);
  {
    test::OpenDatabase writer(source, false);
    writer.run("PRAGMA wal_autocheckpoint=0");
    writer.run(test::commit_sql(20));
    writer.run(test::commit_sql(21));
    const std::string wal = read_file(world / "a.db-wal");
    const auto copy = copy_to(source, world / "b.db", world);
    REQUIRE(copy);
    CHECK(read_file(world / "a.db-wal") == wal);
    writer.run("PRAGMA wal_checkpoint(PASSIVE)");
    CHECK(copy->bytes == with_rollback_header(read_file(source)));
    CHECK(copy->digest == core::sha256_of(copy->bytes));
  }
  CHECK(test::query_integer(world / "b.db", "SELECT commits FROM counter") == 22);
  CHECK(test::invariant_holds(world / "b.db"));
}

TEST_CASE("A copy of auto-vacuum and incremental-vacuum databases with free pages is whole") {
  const std::string vacuum = GENERATE("NONE", "FULL", "INCREMENTAL");
  test::FakeEnv world;
  const fs::path source = world / "a.db";
  {
    test::OpenDatabase database(source);
    database.run("PRAGMA auto_vacuum=" + vacuum);
    database.text("PRAGMA journal_mode=wal");
    database.run("CREATE TABLE t(a, b); CREATE INDEX i ON t(b)");
    database.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000)"
        "INSERT INTO t SELECT i, randomblob(300) FROM n");
    database.run("DELETE FROM t WHERE a % 3 = 0 OR a > 1500");
  }
  const auto copy = copy_to(source, world / "b.db", world);
  REQUIRE(copy);
  CHECK(copy->bytes == with_rollback_header(read_file(source)));
  CHECK(integrity(world / "b.db") == "ok");
}

TEST_CASE("Reserved bytes of each page are kept") {
  const int reserved = GENERATE(4, 8, 32);
  test::FakeEnv world;
  const fs::path source = world / "a.db";
  {
    test::OpenDatabase database(source);
    int count = reserved;
    REQUIRE(sqlite3_file_control(database.get(), "main", SQLITE_FCNTL_RESERVE_BYTES, &count) ==
            SQLITE_OK);
    database.text("PRAGMA journal_mode=wal");
    database.run("CREATE TABLE t(a); INSERT INTO t VALUES (randomblob(20000))");
  }
  const std::string before = read_file(source);
  REQUIRE(static_cast<unsigned char>(before[20]) == reserved);
  const auto copy = copy_to(source, world / "b.db", world);
  REQUIRE(copy);
  // Eight bytes may be a checksum over the page: then nothing in it may change.
  CHECK(copy->journal_mode_reset == (reserved != 8));
  CHECK(copy->bytes == (reserved == 8 ? before : with_rollback_header(before)));
  CHECK(integrity(world / "b.db") == "ok");
}

TEST_CASE("A database without a table is copied") {
  const std::string mode = GENERATE("wal", "delete");
  test::FakeEnv world;
  {
    test::OpenDatabase database(world / "a.db");
    database.text("PRAGMA journal_mode=" + mode);
    database.run("VACUUM; PRAGMA user_version=7; CREATE TABLE t(a); DROP TABLE t");
  }
  const auto copy = copy_to(world / "a.db", world / "b.db", world);
  REQUIRE(copy);
  CHECK(copy->header.user_version == 7);
  CHECK(copy->bytes == with_rollback_header(read_file(world / "a.db")));
  CHECK(integrity(world / "b.db") == "ok");
}

TEST_CASE("The copy stays at the pinned moment while another process goes on committing") {
  const std::string mode = GENERATE("wal", "delete");
  test::FakeEnv world;
  const fs::path source = world / "a.db";
  test::make_notes_database(source, {mode, 1024, 300});
  test::WriterProcess writer(source, {test::WriterOptions::Mode::commit, 1ms, true});
  for (int round = 0; round < 20; ++round) {
    const fs::path target = world / ("copy" + std::to_string(round) + ".db");
    const auto low = test::query_integer(source, "SELECT commits FROM counter");
    const auto copy = copy_to(source, target, world);
    const auto high = test::query_integer(source, "SELECT commits FROM counter");
    REQUIRE(copy);
    CHECK(copy->digest == core::sha256_of(copy->bytes));
    CHECK(integrity(target) == "ok");
    CHECK(test::invariant_holds(target));
    const auto commits = test::query_integer(target, "SELECT commits FROM counter");
    CHECK(low <= commits);
    CHECK(commits <= high);
  }
  const auto result = writer.stop();
  CHECK(result.failures == 0);
  CHECK(integrity(source) == "ok");
}

class StopAfter final : public core::ProgressSink {
 public:
  StopAfter(std::stop_source& stop, std::uint64_t pages) : stop_(stop), pages_(pages) {}
  void report(std::uint64_t done, std::uint64_t total, const std::string& phase) override {
    CHECK(phase == "copy");
    CHECK(done >= last);
    CHECK(done <= total);
    last = done;
    if (done >= pages_) stop_.request_stop();
  }
  std::uint64_t last = 0;

 private:
  std::stop_source& stop_;
  std::uint64_t pages_;
};

TEST_CASE("A stopped copy leaves nothing, and says that it was stopped") {
  test::FakeEnv world;
  const fs::path source = world / "a.db";
  {
    test::OpenDatabase database(source);
    database.text("PRAGMA journal_mode=wal");
    database.run("CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(20000000))");
  }
  auto pinned = core::PinnedSource::open(source, 1s, world.env(), {});
  REQUIRE(pinned);
  std::stop_source stop;
  StopAfter progress(stop, 2000);
  core::CopyRequest request;
  request.target = world / "b.db";
  const auto copy = core::copy_database(*pinned, request, world.env(), progress, stop.get_token());
  REQUIRE_FALSE(copy);
  CHECK(copy.error().code == core::ErrorCode::cancelled);
  CHECK(progress.last < 4000);
  CHECK_FALSE(fs::exists(world / "b.db"));
}

// Calls `act` once, when some pages are copied.
class ActAfter final : public core::ProgressSink {
 public:
  ActAfter(std::uint64_t pages, std::function<void()> act) : pages_(pages), act_(std::move(act)) {}
  void report(std::uint64_t done, std::uint64_t, const std::string&) override {
    if (done >= pages_ && act_) std::exchange(act_, nullptr)();
  }

 private:
  std::uint64_t pages_;
  std::function<void()> act_;
};

void make_filled(const fs::path& path, const std::string& journal_mode) {
  test::OpenDatabase database(path);
  database.text("PRAGMA journal_mode=" + journal_mode);
  database.run(
      "CREATE TABLE t(a, b); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE "
      "i<20000) INSERT INTO t SELECT i, randomblob(900) FROM n");
}

TEST_CASE("A database that is cut short while it is copied gives an error and no copy") {
  const std::string mode = GENERATE("wal", "delete");
  // The last page of all is one after which SQLite asks for nothing more.
  const bool only_last_page = GENERATE(false, true);
  test::FakeEnv world;
  const fs::path source = world / "a.db";
  make_filled(source, mode);
  const auto bytes = fs::file_size(source);
  auto pinned = core::PinnedSource::open(source, 1s, world.env(), {});
  REQUIRE(pinned);
  ActAfter progress(1000,
                    [&] { fs::resize_file(source, only_last_page ? bytes - 4096 : bytes / 2); });
  core::CopyRequest request;
  request.target = world / "b.db";
  const auto copy = core::copy_database(*pinned, request, world.env(), progress, {});
  REQUIRE_FALSE(copy);
  CHECK(copy.error().code == core::ErrorCode::io);
  CHECK(copy.error().message.find("cut short") != std::string::npos);
  CHECK_FALSE(fs::exists(world / "b.db"));
}

TEST_CASE("A checkpoint that shortens the file behind the pinned state does not disturb the copy") {
  test::FakeEnv world;
  const fs::path source = world / "a.db";
  make_filled(source, "wal");
  const auto bytes = fs::file_size(source);
  test::OpenDatabase other(source);
  other.run("PRAGMA wal_autocheckpoint=0; DELETE FROM t WHERE a % 3 = 0; VACUUM");
  REQUIRE(fs::file_size(source) == bytes);
  auto pinned = core::PinnedSource::open(source, 1s, world.env(), {});
  REQUIRE(pinned);
  REQUIRE(pinned->header().bytes() < bytes);
  ActAfter progress(1000, [&] { other.run("PRAGMA wal_checkpoint(PASSIVE)"); });
  core::CopyRequest request;
  request.target = world / "b.db";
  const auto copy = core::copy_database(*pinned, request, world.env(), progress, {});
  REQUIRE(copy);
  CHECK(fs::file_size(source) == pinned->header().bytes());
  CHECK(read_file(world / "b.db") == with_rollback_header(read_file(source)));
  CHECK(copy->file->digest().value() == core::sha256_of_file(world / "b.db", {}).value());
}

TEST_CASE("A copy past its deadline leaves nothing, and says that it took too long") {
  test::FakeEnv world;
  test::make_notes_database(world / "a.db");
  auto pinned = core::PinnedSource::open(world / "a.db", 1s, world.env(), {});
  REQUIRE(pinned);
  core::NoProgress progress;
  core::CopyRequest request;
  request.target = world / "b.db";
  request.deadline = world.clock.steady_now() - 1ms;
  const auto copy = core::copy_database(*pinned, request, world.env(), progress, {});
  REQUIRE_FALSE(copy);
  CHECK(copy.error().code == core::ErrorCode::timed_out);
  CHECK_FALSE(fs::exists(world / "b.db"));
}

TEST_CASE("A copy never overwrites a file, and is readable by its owner alone") {
  test::FakeEnv world;
  test::make_notes_database(world / "a.db");
  test::write_file(world / "taken.db", "precious");
  REQUIRE_FALSE(copy_to(world / "a.db", world / "taken.db", world));
  CHECK(read_file(world / "taken.db") == "precious");
  REQUIRE(copy_to(world / "a.db", world / "b.db", world));
  CHECK(core::system_files().info(world / "b.db")->mode == 0600);
}

TEST_CASE("A copy into a folder that is gone names the file it could not create") {
  test::FakeEnv world;
  test::make_notes_database(world / "a.db");
  const auto copy = copy_to(world / "a.db", world / "gone" / "b.db", world);
  REQUIRE_FALSE(copy);
  CHECK(copy.error().code == core::ErrorCode::not_found);
  CHECK(copy.error().message.find(fs::path("gone/b.db").make_preferred().string()) !=
        std::string::npos);
}

// The one page that SQLite never uses, at 1 GiB, is a gap in what it writes.
TEST_CASE("A database beyond 1 GiB is copied around SQLite's lock page") {
  test::FakeEnv world;
  const fs::path source = world / "a.db";
  {
    test::OpenDatabase database(source);
    database.run("PRAGMA page_size=65536; PRAGMA journal_mode=off; PRAGMA synchronous=off");
    database.run("CREATE TABLE t(a); CREATE TABLE u(a)");
    for (int i = 0; i < 11; ++i) database.run("INSERT INTO t VALUES (zeroblob(99000000))");
    database.run("INSERT INTO u VALUES ('after the lock page')");
  }
  REQUIRE(fs::file_size(source) > (1ULL << 30));
  auto pinned = core::PinnedSource::open(source, 1s, world.env(), {});
  REQUIRE(pinned);
  core::NoProgress progress;
  core::CopyRequest request;
  request.target = world / "b.db";
  const auto copy = core::copy_database(*pinned, request, world.env(), progress, {});
  REQUIRE(copy);
  const std::string digest = copy->file->digest().value();
  CHECK(digest == core::sha256_of_file(request.target, {}).value());
  CHECK(digest == core::sha256_of_file(source, {}).value());
  CHECK(test::query_text(world / "b.db", "PRAGMA quick_check") == "ok");
  CHECK(test::query_text(world / "b.db", "SELECT a FROM u") == "after the lock page");
}

}  // namespace
