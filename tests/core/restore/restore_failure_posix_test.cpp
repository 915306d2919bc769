// restore_snapshot in a process that is killed, at each step and at any moment.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/restore/restore_leftovers.h"
#include "support/faulty_files.h"
#include "support/restore_scene.h"

extern "C" char** environ;

namespace {

namespace fs = std::filesystem;
using test::check_tidy;
using test::check_whole;
using test::FaultyFiles;
using test::notes_in;
using Scene = test::RestoreScene;
using Fault = FaultyFiles::Fault;

constexpr int kMaxKills = 100;

// Of a process that restores in place, and may die at that step.
int exit_of_restore(Scene& scene, int step, Fault fault) {
  const pid_t child = ::fork();
  if (child == 0) {
    FaultyFiles files(step, fault);
    (void)scene.restore_with(files, scene.in_place());
    ::_exit(0);
  }
  int status = 0;
  CAPTURE(step, static_cast<int>(fault), scene.home());
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

TEST_CASE(
    "A restore of a lost database that is killed at any step loses nothing of what was left") {
  const Fault fault = GENERATE(Fault::dies_before, Fault::dies_after);
  for (int step = 1; step <= kMaxKills; ++step) {
    Scene scene;
    fs::remove(scene.live);
    test::write_file(scene.live.string() + "-wal", "old wal");
    const int exit = exit_of_restore(scene, step, fault);
    CAPTURE(step, static_cast<int>(fault), scene.home());
    if (exit == 0) break;
    REQUIRE(step < kMaxKills);
    if (fs::exists(scene.live)) CHECK(notes_in(scene.live) == 20);
    scene.restore(scene.in_place());
    CHECK(notes_in(scene.live) == 20);
    CHECK(test::read_file(scene.world / "home/live.before-restore-20261123T120000Z.db-wal") ==
          "old wal");
    CHECK(scene.home().find(".tmp") == std::string::npos);
  }
}

TEST_CASE("A restore that is killed at any step leaves a whole database, and the next one tidies") {
  const Fault fault = GENERATE(Fault::dies_before, Fault::dies_within, Fault::dies_after);
  int old_ones = 0, new_ones = 0;
  for (int step = 1; step <= kMaxKills; ++step) {
    Scene scene;
    const int exit = exit_of_restore(scene, step, fault);
    CAPTURE(step, static_cast<int>(fault), scene.home());
    if (exit == 0) break;
    REQUIRE(step < kMaxKills);
    REQUIRE(exit == FaultyFiles::kDied);
    check_whole(scene);
    ++(notes_in(scene.live) == 20 ? new_ones : old_ones);
    const auto again = scene.restore(scene.in_place());
    CHECK(again.warnings.empty());
    CHECK(notes_in(scene.live) == 20);
    check_tidy(scene);
  }
  CHECK(old_ones > 0);
  CHECK(new_ones > 0);
}

TEST_CASE("A restore that is killed at any moment leaves the old database or the new one, whole") {
  Scene scene;
  int old_ones = 0, new_ones = 0;
  for (int round = 0; round < 25; ++round) {
    // Start from 30 notes, some of them in the WAL alone.
    fs::remove(scene.live);
    test::make_notes_database(scene.live, {.notes = 25});
    {
      test::OpenDatabase writer(scene.live, /*checkpoint_on_close=*/false);
      for (std::uint64_t i = 25; i < 30; ++i) writer.run(test::commit_sql(i));
    }
    fs::create_directories(scene.world / "child");
    std::string words[] = {BPD_TEST_RESTORE, scene.snapshot.string(), scene.live.string(),
                           (scene.world / "child").string()};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(),
                         nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = -1;
    REQUIRE(posix_spawn(&child, words[0].c_str(), &actions, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    core::system_clock().sleep_for(std::chrono::milliseconds{3 + round * 2}, {});
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));

    CAPTURE(round, scene.home());
    CHECK(test::query_text(scene.live, "PRAGMA integrity_check") == "ok");
    CHECK(test::invariant_holds(scene.live));
    const auto notes = notes_in(scene.live);
    CHECK((notes == 20 || notes == 30));
    ++(notes == 20 ? new_ones : old_ones);
  }
  CHECK(old_ones + new_ones == 25);
  scene.restore(scene.in_place());  // sweeps what the dead ones left
  CHECK(scene.home().find(".tmp") == std::string::npos);
  CHECK(core::second_names_of(scene.live, core::system_files()).empty());
}

}  // namespace
