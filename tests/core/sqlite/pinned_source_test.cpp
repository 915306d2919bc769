// Opening a live database: every refusal is precise, and the source's folder stays as it was.
#include "core/sqlite/pinned_source.h"

#include <sqlite3.h>

#include "core/support/pinned.h"
#include "support/writer_process.h"

namespace {

namespace fs = std::filesystem;
using core::ErrorCode;
using core::PinnedSource;
using namespace std::chrono_literals;
using test::contents_of;
using test::pages_of;
using test::read_file;
using test::refusal;
using Folder = test::FolderContents;

// A database as a process that was killed leaves it.
fs::path crashed_database(test::FakeEnv& world, const std::string& mode) {
  fs::create_directory(world / "live");
  fs::create_directory(world / "crashed");
  const fs::path live = world / "live" / "a.db";
  test::make_notes_database(live, {mode, 4096, 20});
  test::OpenDatabase writer(live, false);
  writer.run("PRAGMA wal_autocheckpoint=0");
  if (mode == "wal") {
    writer.run(test::commit_sql(20));
  } else {
    writer.run("PRAGMA cache_size=2; PRAGMA cache_spill=1");
    writer.run("BEGIN IMMEDIATE; UPDATE notes SET content = hex(randomblob(3000))");
  }
  for (const auto& entry : fs::directory_iterator(world / "live")) {
    const fs::path name = entry.path().filename();
    if (!name.string().ends_with("-shm")) fs::copy_file(entry.path(), world / "crashed" / name);
  }
  return world / "crashed" / "a.db";
}

TEST_CASE("What is no database is refused with its own reason, and nothing is created") {
  test::FakeEnv world;
  fs::create_directory(world / "in");
  fs::create_directory(world / "in" / "folder");
  test::write_file(world / "in" / "empty.db", "");
  test::write_file(world / "in" / "text.db", std::string(8192, 'x'));
  test::write_file(world / "in" / "short.db", "SQLite");
  std::string magic("SQLite format 3\0", 16);
  test::write_file(world / "in" / "magic.db", magic + std::string(8176, '\x5a'));
  const Folder before = contents_of(world / "in" / "folder");
  const std::string names = test::names_in(world / "in");
  CHECK(refusal(world / "in" / "absent.db", world) == ErrorCode::not_found);
  CHECK(refusal(world / "in" / "folder", world) == ErrorCode::not_a_database);
  CHECK(refusal(world / "in" / "empty.db", world) == ErrorCode::not_a_database);
  CHECK(refusal(world / "in" / "text.db", world) == ErrorCode::not_a_database);
  CHECK(refusal(world / "in" / "short.db", world) == ErrorCode::not_a_database);
  CHECK(refusal(world / "in" / "magic.db", world) == ErrorCode::not_a_database);
#ifndef _WIN32
  CHECK(refusal("/dev/null", world) == ErrorCode::not_a_database);
#endif
  CHECK(test::names_in(world / "in") == names);
  CHECK(contents_of(world / "in" / "folder") == before);
}

TEST_CASE("Of a database that was cut short what is left is pinned") {
  test::FakeEnv world;
  test::make_notes_database(world / "a.db", {"delete", 4096, 200});
  const auto left = static_cast<std::uint32_t>(fs::file_size(world / "a.db") / 4096 / 2);
  fs::resize_file(world / "a.db", std::uint64_t{left} * 4096 + 100);
  CHECK(pages_of(world / "a.db", world).value_or(0) == left + 1);  // the last one in part
}

TEST_CASE("Less than one page, or a format number that is none, is damage and no error of ours") {
  test::FakeEnv world;
  test::make_notes_database(world / "whole.db", {"delete", 8192, 20});
  const std::string whole = read_file(world / "whole.db");
  test::write_file(world / "cut.db", whole.substr(0, 512));
  std::string format = whole;
  format[47] = '\x84';
  test::write_file(world / "format.db", format);
  for (const char* name : {"cut.db", "format.db"}) {
    CAPTURE(name);
    const auto pages = pages_of(world / name, world);
    REQUIRE_FALSE(pages);
    CHECK(pages.error().code == ErrorCode::damaged);
    CHECK(pages.error().message.find((world / name).string()) != std::string::npos);
  }
}

TEST_CASE("The folder of an idle database is the same before and after, in either mode") {
  const std::string mode = GENERATE("wal", "delete");
  test::FakeEnv world;
  fs::create_directory(world / "in");
  test::make_notes_database(world / "in" / "a.db", {mode, 4096, 20});
  const Folder before = contents_of(world / "in");
  REQUIRE(before.size() == 1);
  {
    auto source = PinnedSource::open(world / "in" / "a.db", 1s, world.env(), {});
    REQUIRE(source);
    CHECK(source->header().journal_mode() == mode);
    CHECK(source->header().bytes() == fs::file_size(world / "in" / "a.db"));
  }
  CHECK(contents_of(world / "in") == before);
}

TEST_CASE("As the only opener of a crashed WAL database we neither checkpoint nor leave a -shm") {
  test::FakeEnv world;
  const fs::path source = crashed_database(world, "wal");
  const Folder before = contents_of(source.parent_path());
  REQUIRE(before.size() == 2);
  REQUIRE(before.at("a.db-wal").size() > 4096);
  REQUIRE(pages_of(source, world));
  CHECK(contents_of(source.parent_path()) == before);
  CHECK(test::query_integer(source, "SELECT commits FROM counter") == 21);
}

TEST_CASE("An empty -wal left by somebody else stays, and the -shm made for reading goes") {
  test::FakeEnv world;
  fs::create_directory(world / "in");
  test::make_notes_database(world / "in" / "a.db");
  test::write_file(world / "in" / "a.db-wal", "");
  const Folder before = contents_of(world / "in");
  REQUIRE(pages_of(world / "in" / "a.db", world));
  CHECK(contents_of(world / "in") == before);
}

TEST_CASE("Side files of a database that another process has open stay") {
  test::FakeEnv world;
  fs::create_directory(world / "in");
  test::make_notes_database(world / "in" / "a.db");
  test::WriterProcess idle(world / "in" / "a.db", {test::WriterOptions::Mode::idle});
  const Folder before = contents_of(world / "in");
  REQUIRE(before.size() == 3);
  REQUIRE(pages_of(world / "in" / "a.db", world));
  CHECK(contents_of(world / "in") == before);
}

TEST_CASE("Side files that we made stay when another process opened the database meanwhile") {
  test::FakeEnv world;
  fs::create_directory(world / "in");
  const fs::path path = world / "in" / "a.db";
  test::make_notes_database(path);
  {
    auto source = PinnedSource::open(path, 1s, world.env(), {});
    REQUIRE(source);
    test::WriterProcess writer(path, {test::WriterOptions::Mode::commit, 1ms, false});
    source->close();
    CHECK(fs::exists(world / "in" / "a.db-wal"));
    CHECK(fs::exists(world / "in" / "a.db-shm"));
    CHECK(writer.stop().failures == 0);
  }
  CHECK(test::invariant_holds(path));
}

TEST_CASE("Rows that another process committed while we were the last to close stay in the WAL") {
  test::FakeEnv world;
  const fs::path path = world / "a.db";
  test::make_notes_database(path);
  {
    auto source = PinnedSource::open(path, 1s, world.env(), {});
    REQUIRE(source);
    test::WriterProcess writer(path, {test::WriterOptions::Mode::commit, 1ms, false});
    (void)writer.kill();
    CHECK(fs::file_size(world / "a.db-wal") > 0);
  }
  CHECK(fs::file_size(world / "a.db-wal") > 0);
  CHECK(test::query_integer(path, "SELECT commits FROM counter") > 20);
  CHECK(test::invariant_holds(path));
}

TEST_CASE("A hot journal is left alone, and named as the reason") {
  test::FakeEnv world;
  const fs::path source = crashed_database(world, "delete");
  const Folder before = contents_of(source.parent_path());
  REQUIRE(before.contains("a.db-journal"));
  CHECK(refusal(source, world) == ErrorCode::conflict);
  CHECK(contents_of(source.parent_path()) == before);
}

TEST_CASE("A source locked by a writer is waited for, then called busy") {
  test::FakeEnv world;
  test::make_notes_database(world / "a.db", {"delete", 4096, 20});
  test::WriterProcess writer(world / "a.db", {test::WriterOptions::Mode::hold_exclusive});
  const auto begun = std::chrono::steady_clock::now();
  CHECK(refusal(world / "a.db", world) == ErrorCode::busy);
  CHECK(std::chrono::steady_clock::now() - begun >= 200ms);

  std::stop_source stop;
  stop.request_stop();
  const auto stopped = PinnedSource::open(world / "a.db", 10s, world.env(), stop.get_token());
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ErrorCode::cancelled);
}

TEST_CASE("The error of a busy source names who has it open") {
  test::FakeEnv world;
  test::make_notes_database(world / "a.db", {"delete", 4096, 20});
  const test::WriterProcess writer(world / "a.db",
                                   {.mode = test::WriterOptions::Mode::hold_exclusive});
  const auto pages = pages_of(world / "a.db", world);
  REQUIRE_FALSE(pages);
  CHECK(pages.error().code == ErrorCode::busy);
  CHECK_THAT(pages.error().message, Catch::Contains(writer.as_told()));
  CHECK(pages.error().hint.find("close it") != std::string::npos);
}

}  // namespace
