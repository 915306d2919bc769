// The time zone, and the places of the user who runs the program, on Linux and macOS.
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include "core/base/env.h"
#include "core/platform/clock.h"

namespace core {
namespace {

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
  // Not set to zero: every page that is touched has to be given by the system first.
  const auto buffer = std::make_unique_for_overwrite<char[]>(kMaxRecordBytes);
  passwd record{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &record, buffer.get(), kMaxRecordBytes, &found) == 0 && found) {
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
  if (error == std::errc::no_such_file_or_directory) {
    return fail(ErrorCode::unsupported, "/proc is not mounted here, and is needed.",
                "Mount it: mount -t proc proc /proc");
  }
#endif
  if (error) return fail(error_from_errno(error.value(), "cannot find the running program's path"));
  // Linux marks a program that was replaced while it runs; its successor lies at the bare path.
  constexpr std::string_view kDeleted = " (deleted)";
  const std::string& text = path.native();
  if (text.ends_with(kDeleted)) path = text.substr(0, text.size() - kDeleted.size());
  return path;
}

// localtime_r need not notice that the zone was changed; tzset does, and looks at /etc/localtime
// for it: too often for a status of a thousand schedules, which asks for 60,000 times.
void notice_zone() {
  using std::chrono::steady_clock;
  constexpr std::chrono::seconds kAtMostEvery{1};
  static std::atomic<steady_clock::time_point> noticed{steady_clock::time_point::min()};
  const auto now = steady_clock::now();
  if (now < noticed.load() + kAtMostEvery) return;
  tzset();
  noticed = now;
}

}  // namespace

Instant wall_time(Instant instant) {
  const std::time_t time =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(instant));
  std::tm shown{};
  notice_zone();
  localtime_r(&time, &shown);
  const std::chrono::year_month_day date{
      std::chrono::year{shown.tm_year + 1900},
      std::chrono::month{static_cast<unsigned>(shown.tm_mon + 1)},
      std::chrono::day{static_cast<unsigned>(shown.tm_mday)}};
  return Instant{std::chrono::sys_days{date}} + std::chrono::hours{shown.tm_hour} +
         std::chrono::minutes{shown.tm_min} + std::chrono::seconds{shown.tm_sec};
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
