// Files that only POSIX has, and commands of its shell.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "core/base/env.h"
#include "support/catch.h"
#include "support/temp_folder.h"

using core::Command;
using std::chrono::milliseconds;
using test::TempFolder;
namespace fs = std::filesystem;

TEST_CASE("Reading a named pipe does not wait for a writer") {
  const TempFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(core::system_files().read(folder / "pipe", 10) == "");
}

TEST_CASE("A file may bear any time, and what is beyond counting counts as the first or last") {
  const TempFolder folder;
  test::write_file(folder / "x", "x");
  for (const std::int64_t seconds : {INT64_C(-1) << 34, INT64_C(1) << 34}) {
    const std::array<timespec, 2> times{timespec{seconds, 0}, timespec{seconds, 0}};
    REQUIRE(::utimensat(AT_FDCWD, (folder / "x").c_str(), times.data(), 0) == 0);
    const auto info = core::system_files().info(folder / "x");
    REQUIRE(info);
    CHECK(info->modified > core::Instant{} - std::chrono::hours{24 * 366 * 100});
    CHECK(info->modified < core::Instant{} + std::chrono::hours{24 * 366 * 222});
  }
}

TEST_CASE("A command that ignores the request to end is killed") {
  Command command;
  command.argv = {"/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"};
  command.timeout = milliseconds{200};
  const auto result = core::system_commands().run(command, {});
  REQUIRE(result);
  CHECK(result->timed_out);
  CHECK(result->exit_code == 128 + 9);
}

TEST_CASE("A command whose end the system hides is an error, not a success") {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  const auto result = core::system_commands().run({{"false"}, {}, {}}, {});
  ::signal(SIGCHLD, before);
  REQUIRE_FALSE(result);
  CHECK(result.error().message.find("false") != std::string::npos);
}

TEST_CASE("A command inherits none of the variables that it is to be without") {
  ::setenv("BPD_TEST_SECRET", "x", 1);
  ::setenv("BPD_TESTED", "y", 1);
  core::Command command{
      {"/bin/sh", "-c", "echo \"${BPD_TEST_SECRET-none} ${BPD_TESTED-none}\""}, {}, {}};
  CHECK(core::system_commands().run(command, {})->output == "x y\n");
  command.dropped_variables = "BPD_TEST_";
  CHECK(core::system_commands().run(command, {})->output == "none y\n");
  ::unsetenv("BPD_TEST_SECRET");
  ::unsetenv("BPD_TESTED");
}

TEST_CASE("A command hears of its own children whatever this process ignores") {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  test::TempFolder folder;
  const core::Command command{
      {"python3", "-c",
       "import signal,sys\nopen(sys.argv[1],'w').write(str(signal.getsignal("
       "signal.SIGCHLD)==signal.SIG_DFL))",
       (folder / "seen").string()},
      {},
      {}};
  (void)core::system_commands().run(command, {});
  ::signal(SIGCHLD, before);
  CHECK(test::read_file(folder / "seen") == "True");
}
