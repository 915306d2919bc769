// The clock by TZ, files that only POSIX has, and commands of its shell.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <thread>

#include "core/base/env.h"
#include "core/support/dates.h"
#include "support/catch.h"
#include "support/temp_folder.h"

using core::Command;
using core::Date;
using core::ErrorCode;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::sys_days;
using test::make_date;
using test::TempFolder;
namespace fs = std::filesystem;

namespace {

// The time zone of this process, put back at the end.
class TimeZone {
 public:
  explicit TimeZone(const char* name) {
    const char* before = std::getenv("TZ");
    if (before != nullptr) before_ = before;
    ::setenv("TZ", name, 1);
  }
  ~TimeZone() {
    if (before_.empty()) {
      ::unsetenv("TZ");
    } else {
      ::setenv("TZ", before_.c_str(), 1);
    }
  }

 private:
  std::string before_;
};

// Central Europe's rule, spelled out so that no time zone database is needed.
constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";

core::Instant utc(int year, unsigned month, unsigned day, int hour, int minute = 0) {
  return sys_days{Date{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}}} +
         hours{hour} + minutes{minute};
}

}  // namespace

TEST_CASE("The local day changes at local midnight") {
  const TimeZone zone(kBerlin);
  const core::Clock& clock = core::system_clock();
  CHECK(clock.local_date(utc(2026, 11, 22, 22, 59)) == make_date(2026, 11, 22));
  CHECK(clock.local_date(utc(2026, 11, 22, 23, 0)) == make_date(2026, 11, 23));
}

TEST_CASE("A local time is found on ordinary days and at both changes of the clock") {
  const TimeZone zone(kBerlin);
  const core::Clock& clock = core::system_clock();
  CHECK(clock.local_instant(make_date(2026, 1, 15), hours{4}) == utc(2026, 1, 15, 3));
  CHECK(clock.local_instant(make_date(2026, 7, 15), hours{4}) == utc(2026, 7, 15, 2));
  // 2026-10-25: 02:30 comes twice, the first time in summer time.
  CHECK(clock.local_instant(make_date(2026, 10, 25), hours{2} + minutes{30}) ==
        utc(2026, 10, 25, 0, 30));
  CHECK(clock.local_instant(make_date(2026, 10, 25), hours{4}) == utc(2026, 10, 25, 3));
  // 2026-03-29: 02:30 does not exist; the clock goes from 02:00 to 03:00.
  CHECK(clock.local_instant(make_date(2026, 3, 29), hours{2} + minutes{30}) ==
        utc(2026, 3, 29, 1, 0));
  CHECK(clock.local_instant(make_date(2026, 3, 29), hours{1}) == utc(2026, 3, 29, 0));
}

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

TEST_CASE("A command past its timeout ends, with its children") {
  const TempFolder folder;
  Command command;
  command.argv = {"/bin/sh", "-c", "sleep 300 & echo $! > \"$0\"; wait",
                  (folder / "child").string()};
  command.timeout = milliseconds{300};
  const auto result = core::system_commands().run(command, {});
  REQUIRE(result);
  CHECK(result->timed_out);
  CHECK(result->exit_code == 128 + 15);
  const pid_t child = std::stoi(test::read_file(folder / "child"));
  // It may need a moment to be reaped by init; a zombie is an ended process, too.
  bool ended = false;
  for (int attempt = 0; attempt < 200 && !ended; ++attempt) {
    std::error_code error;
    const fs::path status = "/proc/" + std::to_string(child) + "/stat";
    ended = ::kill(child, 0) != 0 || !fs::exists(status, error) ||
            test::read_file(status).find(") Z ") != std::string::npos;
    if (!ended) core::system_clock().sleep_for(milliseconds{10}, {});
  }
  CHECK(ended);
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
