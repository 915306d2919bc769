// Folders held open, and paths that lead through no link.
#include "core/platform/folder.h"

#include "core/platform/bounds.h"
#include "core/platform/folder_lock.h"
#include "core/sqlite/pinned_source.h"
#include "core/sqlite/sealed_vfs.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/test_database.h"

namespace {

namespace fs = std::filesystem;
using core::ErrorCode;
using core::Folder;
using test::FakeEnv;
using namespace std::chrono_literals;

// `real` with a file in it.
struct Real : FakeEnv {
  fs::path real = *this / "real";

  Real() {
    fs::create_directories(real / "below");
    test::write_file(real / "file", "text");
  }
};

// The same, and `link` that leads there.
struct Linked : Real {
  fs::path link = *this / "link";

  Linked() {
    fs::create_directory_symlink(real, link);
    fs::create_symlink("file", real / "link");
  }
};

template <class T>
void check_conflict(const core::Expected<T>& outcome) {
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::conflict);
}

}  // namespace

TEST_CASE("A folder is opened by a path without links only") {
  Linked world;
  CHECK(Folder::open(world.real / "below"));
  CHECK(Folder::of("/file"));
  check_conflict(Folder::open(world.link));
  check_conflict(Folder::open(world.link / "below"));
  check_conflict(Folder::open(world.real / "link"));
  check_conflict(core::FolderLock::acquire(world.link, 0ms, world.env(), {}));
  CHECK(test::names_in(world.real) == "below file link");
  for (const fs::path& path : {fs::path("real"), world.real / ".." / "real"}) {
    const auto folder = Folder::open(path);
    REQUIRE_FALSE(folder);
    CHECK(folder.error().code == ErrorCode::invalid_argument);
  }
  CHECK(Folder::open(world.real / "none").error().code == ErrorCode::not_found);
  CHECK(Folder::open(world.real / "file").error().code == ErrorCode::not_found);
}

TEST_CASE("The way to a file leads to the folder that was opened, whatever its path names by now") {
  const Linked world;
  const auto folder = Folder::open(world.real);
  REQUIRE(folder);
  fs::rename(world.real, world / "moved");
  fs::create_directory(world.real);
  test::write_file(world.real / "file", "other");
  CHECK(test::read_file(folder->way_to("file")) == "text");
}

TEST_CASE("Files without links follow none, to read or to change") {
  Linked world;
  auto& files = core::system_files().no_links();
  CHECK(files.read(world.real / "file", 10) == "text");
  CHECK(files.canonical(world.real / "file") == world.real / "file");
  for (const fs::path& path : {world.link / "file", world.real / "link"}) {
    check_conflict(files.info(path));
    check_conflict(files.read(path, 10));
    check_conflict(files.canonical(path));
    check_conflict(files.set_mode(path, 0777));
  }
  check_conflict(files.list(world.link, 10));
  check_conflict(files.free_bytes(world.link));
  check_conflict(files.write_atomically(world.link / "new", "x", 0600));
  check_conflict(files.make_folders(world.link / "a/b", 0700));
  check_conflict(files.make_folders(world.link, 0700));
  check_conflict(files.rename(world.real / "file", world.link / "moved"));
  check_conflict(files.rename_new(world.link / "file", world.real / "moved"));
  check_conflict(files.link(world.link / "file", world.real / "second"));
  check_conflict(files.remove(world.link / "file"));
  check_conflict(files.remove_empty_folder(world.link / "below"));
  check_conflict(files.sync_folder(world.link));
  CHECK(test::names_in(world.real) == "below file link");
  CHECK(files.link_info(world.real / "link")->kind == core::FileInfo::Kind::symlink);
  CHECK(files.link_kind(world.real / "link") == core::FileInfo::Kind::symlink);
  check_conflict(files.link_kind(world.link / "file"));
}

TEST_CASE("Where there is no link, files without links are read and changed as others are") {
  Real world;
  auto& files = core::system_files().no_links();
  CHECK(files.read(world.real / "file", 10) == "text");
  CHECK(files.canonical(world.real / "file") == world.real / "file");
  REQUIRE(files.make_folders(world.real / "a/b", 0700));
  REQUIRE(files.write_atomically(world.real / "a/b/new", "x", 0600));
  REQUIRE(files.rename(world.real / "a/b/new", world.real / "a/new"));
  REQUIRE(files.rename_new(world.real / "a/new", world.real / "a/newer"));
  check_conflict(files.rename_new(world.real / "a/newer", world.real / "file"));
  REQUIRE(files.link(world.real / "a/newer", world.real / "a/second"));
  REQUIRE(files.set_mode(world.real / "a/newer", 0640));
#ifndef _WIN32  // where there are no modes
  CHECK(files.info(world.real / "a/second")->mode == 0640);
#endif
  REQUIRE(files.remove(world.real / "a/second"));
  REQUIRE(files.remove_empty_folder(world.real / "a/b"));
  CHECK(files.list(world.real / "a", 10)->size() == 1);
  CHECK(files.free_bytes(world.real));
}

TEST_CASE("A run keeps to its folders, and elsewhere files are as ever") {
  Linked world;
  const core::Bounds bounds(world.env(), {world.real});
  auto& files = bounds.env().files;
  check_conflict(files.read(world.real / "link", 10));
  CHECK(files.read(world.link / "file", 10) == "text");
  CHECK(files.canonical(world.link) == world.real);
  // Our own places may be links, wherever they lie.
  world.places.state = world.real / "state";
  fs::create_directory_symlink(world.folder.path(), world.places.state);
  CHECK(files.read(world.places.state / "real/file", 10) == "text");
}

TEST_CASE("SQLite follows no link that comes up on a resolved path") {
  Linked world;
  const fs::path database = world.real / "x.db";
  test::make_notes_database(database);
  REQUIRE(core::open_sealed(database));
  REQUIRE(core::PinnedSource::open(database, 0ms, world.env(), {}));
  check_conflict(core::open_sealed(world.link / "x.db"));
  check_conflict(core::PinnedSource::open(world.link / "x.db", 0ms, world.env(), {}));
  fs::create_symlink(database, world.real / "linked.db");
  CHECK_FALSE(core::open_sealed(world.real / "linked.db"));
  CHECK_FALSE(core::PinnedSource::open(world.real / "linked.db", 0ms, world.env(), {}));
}

TEST_CASE("A folder is locked by one at a time, and leaves nothing behind") {
  Real world;
  const auto& folder = world.real;
  {
    const auto first = core::FolderLock::acquire(folder, 0ms, world.env(), {});
    REQUIRE(first);
    CHECK(first->held());
    const auto second = core::FolderLock::acquire(folder, 50ms, world.env(), {});
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::busy);
    CHECK(second.error().message.find(folder.string()) != std::string::npos);
  }
  CHECK(core::FolderLock::acquire(folder, 0ms, world.env(), {})->held());
  CHECK(test::names_in(folder) == "below file");
}
