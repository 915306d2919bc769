// A database under several names: none is copied without what lies beside another one.
#include "core/sqlite/second_names.h"

#include "core/discovery/discover.h"
#include "core/platform/mounts.h"
#include "support/catch.h"
#include "support/snapshots.h"
#include "support/test_database.h"

using core::ErrorCode;
using test::SnapshotWorld;

namespace fs = std::filesystem;

namespace {

struct LinkedWorld : SnapshotWorld {
  fs::path alias = folder / "other/alias.db";

  explicit LinkedWorld(const std::string& journal_mode = "wal") {
    fs::create_directory(folder / "other");
    test::make_notes_database(source, {.journal_mode = journal_mode});
  }
  void link() { fs::create_hard_link(source, alias); }
  core::Expected<core::SnapshotResult> take_of(const fs::path& path) {
    auto wanted = request();
    wanted.source = path;
    return take(wanted);
  }
};

}  // namespace

TEST_CASE("A second name of a live WAL database is refused, and the first one named") {
  LinkedWorld world;
  world.link();
  test::OpenDatabase live(world.source);
  live.run(test::commit_sql(20));
  const auto refused = world.take_of(world.alias);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK(refused.error().message.find(world.source.string() + ",") != std::string::npos);
  CHECK(refused.error().hint.find(world.source.string()) != std::string::npos);
  CHECK(test::names_in(world / "other") == "alias.db");
  CHECK(test::files_below(world.destination).empty());

  const auto taken = world.take_of(world.source);
  REQUIRE(taken);
  CHECK(taken->manifest.rows.at("notes") == 21);
}

TEST_CASE("A crashed WAL beside a second name in the same folder is found") {
  LinkedWorld world;
  {
    test::OpenDatabase live(world.source, false);
    live.run(test::commit_sql(20));
  }
  world.alias = world.live / "alias.db";
  world.link();
  const auto refused = world.take_of(world.alias);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().hint.find(world.source.string()) != std::string::npos);
}

TEST_CASE("A WAL database with a name that cannot be found is refused with the way to find it") {
  LinkedWorld world;
  {
    test::OpenDatabase live(world.source, false);
    live.run(test::commit_sql(20));
  }
  world.link();
  const auto refused = world.take_of(world.alias);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::conflict);
#ifdef _WIN32
  CHECK_THAT(refused.error().hint, Catch::Contains("fsutil hardlink list "));
#else
  CHECK_THAT(refused.error().hint, Catch::Contains("-samefile "));
#endif
  // The name beside which its -wal lies is the one that is in use.
  CHECK(world.take_of(world.source));
}

TEST_CASE("An idle WAL database whose names are all in its folder is copied") {
  LinkedWorld world;
  world.alias = world.live / "global.before-restore-20261123T040701Z.db";
  world.link();
  const auto taken = world.take_of(world.source);
  REQUIRE(taken);
  CHECK(taken->warnings.empty());
}

TEST_CASE("Hard links of a folder whole, -wal and all, are one database") {
  LinkedWorld world;
  test::OpenDatabase live(world.source);
  live.run(test::commit_sql(20));
  world.link();
  fs::create_hard_link(world.source.string() + "-wal", world.alias.string() + "-wal");
  CHECK(world.take_of(world.source));
}

TEST_CASE("Of a rollback database a crashed journal beside another name is refused") {
  LinkedWorld world("delete");
  world.alias = world.live / "alias.db";
  world.link();
  REQUIRE(world.take_of(world.alias));
  test::write_file(world.source.string() + "-journal",
                   std::string("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8) + std::string(600, '\0'));
  const auto refused = world.take_of(world.alias);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK(refused.error().message.find(world.source.string()) != std::string::npos);
  // As PRAGMA journal_mode = PERSIST leaves it after a commit.
  test::write_file(world.source.string() + "-journal", std::string(600, '\0'));
  CHECK(world.take_of(world.alias));
}

TEST_CASE("A rollback database with a name that cannot be found is copied with a warning") {
  LinkedWorld world("delete");
  world.link();
  const auto taken = world.take_of(world.source);
  REQUIRE(taken);
  REQUIRE(taken->warnings.size() == 1);
  CHECK(taken->warnings.front().text.find("2 names") != std::string::npos);
}

TEST_CASE("The journal of a writer at work under another name is no crashed one") {
  LinkedWorld world("delete");
  world.alias = world.live / "alias.db";
  world.link();
  test::OpenDatabase live(world.source);
  live.run("BEGIN IMMEDIATE; UPDATE notes SET content = 'x' WHERE id = 1");
  CHECK(world.take_of(world.alias));
  live.run("COMMIT");
}

TEST_CASE("A file that is mounted by itself is known by the list of mounts") {
  const std::string mounts =
      "/dev/sda1 / ext4 rw 0 0\n/dev/sda1 /data/my\\040notes.db ext4 rw 0 0\n";
  CHECK(core::is_mount_point("/data/my notes.db", mounts));
  CHECK(core::is_mount_point("/", mounts));
  CHECK_FALSE(core::is_mount_point("/data", mounts));
  CHECK_FALSE(core::is_mount_point("/data/my notes.db-wal", mounts));
}
