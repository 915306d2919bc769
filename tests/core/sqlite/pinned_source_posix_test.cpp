// Opening a live database: pipes in its folder, its locks, and what may not be read or written.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <set>

#include "core/support/pinned.h"

namespace {

namespace fs = std::filesystem;
using core::ErrorCode;
using test::contents_of;
using test::pages_of;
using test::refusal;

TEST_CASE("A named pipe or a folder in the place of a side file is refused, not waited for") {
  test::FakeEnv world;
  const fs::path path = world / "x.db";
  test::make_notes_database(path, {"delete"});
  for (const char* suffix : {"-journal", "-wal", "-shm"}) {
    const fs::path side = path.string() + suffix;
    for (const bool pipe : {true, false}) {
      if (pipe) REQUIRE(::mkfifo(side.c_str(), 0600) == 0);
      if (!pipe) fs::create_directory(side);
      CHECK(refusal(path, world) == ErrorCode::conflict);
      fs::remove(side);
    }
  }
  CHECK(pages_of(path, world));
}

std::set<std::string> own_locks() {
  std::set<std::string> locks;
  std::ifstream file("/proc/locks");
  const std::string own = " " + std::to_string(::getpid()) + " ";
  for (std::string line; std::getline(file, line);) {
    // The number before the colon counts lines, not locks.
    if (line.find(own) != std::string::npos) locks.insert(line.substr(line.find(':')));
  }
  return locks;
}

TEST_CASE("Locks that this process holds on the source are the same before and after") {
  const std::string mode = GENERATE("wal", "delete");
  test::FakeEnv world;
  test::make_notes_database(world / "a.db", {mode, 4096, 20});
  test::OpenDatabase reader(world / "a.db");
  reader.run("BEGIN");
  REQUIRE(reader.text("SELECT count(*) FROM notes") == "20");
  const auto before = own_locks();
  REQUIRE_FALSE(before.empty());
  REQUIRE(pages_of(world / "a.db", world));
  CHECK(own_locks() == before);
}

// Permissions do not bind root: the attempt is made as a user who has none.
int as_nobody(const std::function<int()>& run) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::getuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(99);
    ::_exit(run());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

TEST_CASE("In a folder that may not be written an idle WAL database is refused for that reason") {
  test::FakeEnv world;
  const std::string mode = GENERATE("wal", "delete");
  fs::create_directory(world / "in");
  const fs::path path = world / "in" / "a.db";
  test::make_notes_database(path, {mode, 4096, 20});
  fs::permissions(world.folder.path(), fs::perms(0755));
  fs::permissions(path, fs::perms(0444));
  fs::permissions(world / "in", fs::perms(0555));
  const int outcome = as_nobody([&] {
    const auto pages = pages_of(path, world);
    if (pages) return 0;
    const bool precise = pages.error().message.find("may not be written") != std::string::npos;
    return pages.error().code == ErrorCode::permission_denied && precise ? 1 : 2;
  });
  CHECK(outcome == (mode == "wal" ? 1 : 0));
  fs::permissions(world / "in", fs::perms(0755));
  CHECK(contents_of(world / "in").size() == 1);
}

TEST_CASE("A database that may not be read is refused for that reason") {
  test::FakeEnv world;
  test::make_notes_database(world / "a.db", {"delete", 4096, 20});
  fs::permissions(world.folder.path(), fs::perms(0755));
  fs::permissions(world / "a.db", fs::perms::none);
  const int outcome = as_nobody([&] {
    const auto pages = pages_of(world / "a.db", world);
    return !pages && pages.error().code == ErrorCode::permission_denied ? 0 : 1;
  });
  CHECK(outcome == 0);
}

}  // namespace
