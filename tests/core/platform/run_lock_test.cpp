// The lock of a run: exclusive, bounded in its wait, gone with its holder.
#include "core/platform/run_lock.h"

#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <csignal>
#include <thread>

#include "support/catch.h"
#include "support/fake_env.h"
#include "support/forwarding_files.h"
#include "support/process_id.h"

namespace {

using core::ErrorCode;
using core::RunLock;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

core::Expected<RunLock> lock(test::FakeEnv& world, const std::string& key,
                             std::chrono::milliseconds timeout = 50ms) {
  return RunLock::acquire(key, "snapshots of " + key, timeout, world.env(), {});
}

TEST_CASE("A second run waits its time, then says who holds the lock and since when") {
  test::FakeEnv world;
  auto first = lock(world, "a.db");
  REQUIRE(first);
  const auto begun = std::chrono::steady_clock::now();
  const auto second = lock(world, "a.db");
  REQUIRE_FALSE(second);
  CHECK(std::chrono::steady_clock::now() - begun >= 50ms);
  CHECK(second.error().code == ErrorCode::busy);
  const std::string& message = second.error().message;
  CHECK(message.find("Process " + std::to_string(test::own_process_id())) != std::string::npos);
  CHECK(message.find("2026-11-23T12:00:00Z") != std::string::npos);
  CHECK(message.find("snapshots of a.db") != std::string::npos);
  CHECK(lock(world, "b.db"));
}

TEST_CASE("The message names what the holder is at, not only what has to wait") {
  test::FakeEnv world;
  const auto first = RunLock::acquire("key", "a snapshot of /a.db", 50ms, world.env(), {});
  REQUIRE(first);
  const auto second = RunLock::acquire("key", "a snapshot of /b.db", 50ms, world.env(), {});
  REQUIRE_FALSE(second);
  CHECK(second.error().message ==
        "Process " + std::to_string(test::own_process_id()) +
            ", busy since 2026-11-23T12:00:00Z with a snapshot of /a.db, is in the way of a "
            "snapshot of /b.db.");
}

TEST_CASE("A run gets the lock when the one before it ends") {
  test::FakeEnv world;
  auto first = std::make_unique<core::Expected<RunLock>>(lock(world, "a.db"));
  REQUIRE(*first);
  std::thread release([&] {
    std::this_thread::sleep_for(60ms);
    first.reset();
  });
  CHECK(lock(world, "a.db", 5s));
  release.join();
}

#ifndef _WIN32
TEST_CASE("The lock of a killed holder is free") {
  test::FakeEnv world;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = lock(world, "a.db");
    (void)!::write(ready[1], held ? "y" : "n", 1);
    for (;;) ::pause();
  }
  char answer = 'n';
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  REQUIRE(answer == 'y');
  const auto refused = lock(world, "a.db");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("Process " + std::to_string(child)) != std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(lock(world, "a.db"));
  ::close(ready[0]);
  ::close(ready[1]);
}
#endif

TEST_CASE("A wait for the lock can be stopped") {
  test::FakeEnv world;
  auto first = lock(world, "a.db");
  REQUIRE(first);
  std::stop_source stop;
  std::thread later([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  const auto second = RunLock::acquire("a.db", "snapshots", 1min, world.env(), stop.get_token());
  later.join();
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::cancelled);
}

// A state folder that is read-only, or on a full disk: nothing can be made in it.
struct UnwritableState : test::ForwardingFiles {
  Path state;
  ErrorCode code = ErrorCode::no_space;
  core::Expected<> make_folders(const Path& folder, std::uint32_t mode) override {
    if (folder.string().starts_with(state.string())) {
      return core::fail(code, "cannot create " + folder.string());
    }
    return ForwardingFiles::make_folders(folder, mode);
  }
};

TEST_CASE("Where the state folder cannot be written the lock lies elsewhere, and still holds") {
  const auto code = GENERATE(ErrorCode::no_space, ErrorCode::permission_denied);
  const bool has_runtime_folder = GENERATE(true, false);
  test::FakeEnv world;
  world.places.runtime = has_runtime_folder ? world / "runtime" : fs::path();
  UnwritableState files;
  files.state = world.places.state;
  files.code = code;
  const core::Env env{world.clock, files, world.commands, world.places};
  const std::string key = "key of " + world.folder.path().string();
  const auto first = RunLock::acquire(key, "a test", 50ms, env, {});
  REQUIRE(first);
  CHECK(RunLock::acquire(key, "a test", 50ms, env, {}).error().code == ErrorCode::busy);
  CHECK(test::names_in(world.places.state).empty());
}

TEST_CASE("A lock file that cannot be opened is named with what to do") {
  test::FakeEnv world;
  { REQUIRE(lock(world, "a")); }
  const auto locks = world / "state/locks";
  const auto file = fs::directory_iterator(locks)->path();
  fs::remove(file);
  fs::create_symlink("nowhere", file);
  const auto refused = lock(world, "a");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find(file.string()) != std::string::npos);
  CHECK(refused.error().hint.find("rm ") != std::string::npos);
}

}  // namespace
