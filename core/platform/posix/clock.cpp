// The real clock, and the places of the user who runs the program, on Linux and macOS.
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <ctime>
#include <mutex>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include "core/base/env.h"

namespace core {
namespace {

using std::chrono::seconds;
using std::chrono::sys_days;

std::tm local_tm(Instant instant) {
  const std::time_t time =
      std::chrono::system_clock::to_time_t(std::chrono::floor<seconds>(instant));
  std::tm result{};
  tzset();  // localtime_r alone need not notice a change of TZ
  localtime_r(&time, &result);
  return result;
}

Date date_of(const std::tm& tm) {
  return Date{std::chrono::year{tm.tm_year + 1900},
              std::chrono::month{static_cast<unsigned>(tm.tm_mon + 1)},
              std::chrono::day{static_cast<unsigned>(tm.tm_mday)}};
}

seconds time_of(const std::tm& tm) {
  return std::chrono::hours{tm.tm_hour} + std::chrono::minutes{tm.tm_min} + seconds{tm.tm_sec};
}

// What a wall clock shows at an instant, as if it were UTC: comparable with itself.
Instant wall_time(Instant instant) {
  const std::tm tm = local_tm(instant);
  return Instant{sys_days{date_of(tm)}} + time_of(tm);
}

class SystemClock final : public Clock {
 public:
  Instant now() const override { return std::chrono::system_clock::now(); }

  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::now();
  }

  Date local_date(Instant instant) const override { return date_of(local_tm(instant)); }

  Instant local_instant(Date date, seconds time_of_day) const override {
    const Instant wanted = Instant{sys_days{date}} + time_of_day;
    // The offset from UTC changes at most once around a day: it is one of the two about a day away.
    const Instant before = wanted - std::chrono::hours{24};
    const Instant after = wanted + std::chrono::hours{24};
    const auto larger = std::max(wall_time(before) - before, wall_time(after) - after);
    const auto smaller = std::min(wall_time(before) - before, wall_time(after) - after);
    if (wall_time(wanted - larger) == wanted) return wanted - larger;  // the earlier of two
    if (wall_time(wanted - smaller) == wanted) return wanted - smaller;
    // A clock put forward skipped this time: the first instant that shows more.
    Instant low = wanted - larger, high = wanted - smaller;
    while (high - low > seconds{1}) {
      const Instant middle = low + std::chrono::floor<seconds>((high - low) / 2);
      (wall_time(middle) >= wanted ? high : low) = middle;
    }
    return high;
  }

  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) const override {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, duration, [] { return false; });
    return !stop.stop_requested();
  }
};

// What the program reads from its environment; nothing else in core or server looks there.
constexpr std::array kVariables = {
    "CLAUDE_ORCHESTRATOR_BACKUP_ROOT", "BACKUP_PLUGIN_DB_TOKEN", "CLAUDE_CONFIG_DIR",
    "CLAUDE_PLUGIN_ROOT", "CLAUDE_PLUGIN_DATA", "CLAUDE_PROJECT_DIR", "PATH", "LANG", "LC_ALL",
    "TERM", "NO_COLOR", "TZ", "WSL_DISTRO_NAME", "WSL_INTEROP", "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "INVOCATION_ID",
    "BPD_LOG_LEVEL",
    // Programs to use in place of the ones in PATH, and the system to play, in tests.
    "BPD_SYSTEMCTL", "BPD_SYSTEMD_ANALYZE", "BPD_CRONTAB", "BPD_LAUNCHCTL", "BPD_SCHTASKS",
    "BPD_CURL", "BPD_SYSTEM"};

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read once, at start
  return value != nullptr ? value : "";
}

// XDG Base Directory Specification: a relative path in these variables is ignored.
fs::path xdg_folder(const char* name, const fs::path& fallback) {
  const fs::path given = variable(name);
  return (given.is_absolute() ? given : fallback) / "backup-plugin-db";
}

struct Account {
  std::string name;
  fs::path home;
};

Account account_of_user() {
  constexpr std::size_t kMaxRecordBytes = 64 * 1024;
  std::vector<char> buffer(kMaxRecordBytes);
  passwd record{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &record, buffer.data(), buffer.size(), &found) == 0 && found) {
    return {found->pw_name, found->pw_dir};
  }
  const std::string user = variable("USER");
  return {user.empty() ? std::to_string(geteuid()) : user, {}};
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

Expected<fs::path> program_path() {
  std::error_code error;
#ifdef __APPLE__
  std::array<char, 4096> buffer{};
  auto size = static_cast<std::uint32_t>(buffer.size());
  if (_NSGetExecutablePath(buffer.data(), &size) != 0) {
    return fail(ErrorCode::internal, "The path of the running program is too long.");
  }
  fs::path path = fs::canonical(buffer.data(), error);
#else
  fs::path path = fs::read_symlink("/proc/self/exe", error);
#endif
  if (error) return fail(error_from_errno(error.value(), "cannot find the running program's path"));
  // Linux marks a program that was replaced while it runs; its successor lies at the bare path.
  constexpr std::string_view kDeleted = " (deleted)";
  const std::string& text = path.native();
  if (text.ends_with(kDeleted)) path = text.substr(0, text.size() - kDeleted.size());
  return path;
}

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

Expected<Places> system_places() {
  Places places;
  const Account account = account_of_user();
  places.user = account.name;
  const fs::path home = variable("HOME");
  places.home = home.is_absolute() ? home : account.home;
  if (places.home.empty()) {
    return fail(ErrorCode::not_found, "This user has no home folder.",
                "Set the variable HOME to an absolute path.");
  }
  places.state = xdg_folder("XDG_STATE_HOME", places.home / ".local/state");
  places.config = xdg_folder("XDG_CONFIG_HOME", places.home / ".config");
  places.data = xdg_folder("XDG_DATA_HOME", places.home / ".local/share");
  const fs::path runtime = variable("XDG_RUNTIME_DIR");
  if (runtime.is_absolute()) places.runtime = runtime;
  places.host = host_name();
  BPD_TRY_AS(program, program_path());
  places.program = *program;
  std::error_code error;
  places.current_folder = fs::current_path(error);  // empty when it was removed
  for (const char* name : kVariables) {
    if (std::string value = variable(name); !value.empty()) {
      places.variables.emplace(name, std::move(value));
    }
  }
  return places;
}

}  // namespace core
