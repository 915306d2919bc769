// The time zone, and the places of the user who runs the program, on Windows.
#include "core/platform/clock.h"

#include <array>
#include <memory>

#include "core/base/env.h"
#include "core/base/paths.h"
#include "core/platform/windows/system.h"

namespace core {
namespace {

constexpr std::size_t kMaxUnits = 32'768;  // of a path or a variable

std::string variable(const char* name) {
  std::wstring value(kMaxUnits, L'\0');
  value.resize(::GetEnvironmentVariableW(wide(name).c_str(), value.data(),
                                         static_cast<DWORD>(value.size())));
  return narrow(value);
}

struct FreeTask {
  void operator()(void* memory) const noexcept { ::CoTaskMemFree(memory); }
};

// The variable, else what the system has.
fs::path folder_of(const char* name, const KNOWNFOLDERID& id) {
  const fs::path given = path_of(variable(name));
  if (given.is_absolute()) return given;
  wchar_t* text = nullptr;
  const HRESULT result = ::SHGetKnownFolderPath(id, 0, nullptr, &text);
  const std::unique_ptr<wchar_t, FreeTask> owner(text);
  return result == S_OK ? fs::path(text) : fs::path();
}

// https://learn.microsoft.com/windows/msix/desktop/desktop-to-uwp-behind-the-scenes
bool is_of_store_app() {
  UINT32 units = 0;
  return ::GetCurrentPackageFullName(&units, nullptr) == ERROR_INSUFFICIENT_BUFFER;
}

// XDG's variables go before, as on other systems: the tests use them.
fs::path own_folder(const char* name, const fs::path& fallback) {
  const fs::path given = path_of(variable(name));
  return given.is_absolute() ? given / "backup-plugin-db" : fallback;
}

std::string host_name() {
  std::array<wchar_t, 256> name{};
  auto units = static_cast<DWORD>(name.size());
  if (!::GetComputerNameExW(ComputerNameDnsHostname, name.data(), &units) || units == 0) {
    return "localhost";
  }
  return narrow({name.data(), units});
}

fs::path program_path() {
  std::wstring path(kMaxUnits, L'\0');
  path.resize(::GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
  return path;
}

}  // namespace

int year_of(Instant instant) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(instant)};
  return static_cast<int>(date.year());
}

TIME_ZONE_INFORMATION rules_in(const DYNAMIC_TIME_ZONE_INFORMATION& zone, int year) {
  DYNAMIC_TIME_ZONE_INFORMATION asked = zone;  // the call wants to be allowed to change it
  TIME_ZONE_INFORMATION rules{};
  ::GetTimeZoneInformationForYear(static_cast<USHORT>(year), &asked, &rules);
  return rules;
}

Instant wall_time_by(const TIME_ZONE_INFORMATION& rules, Instant instant) {
  using Ticks = std::chrono::duration<std::int64_t, std::ratio<1, 10'000'000>>;
  constexpr std::chrono::seconds kFrom1601To1970{11'644'473'600};
  const auto whole = std::chrono::floor<std::chrono::seconds>(instant);
  const Ticks since = whole.time_since_epoch() + kFrom1601To1970;
  const auto ticks = static_cast<std::uint64_t>(since.count());
  const FILETIME file{static_cast<DWORD>(ticks), static_cast<DWORD>(ticks >> 32)};
  SYSTEMTIME utc{}, local{};
  if (!::FileTimeToSystemTime(&file, &utc) ||
      !::SystemTimeToTzSpecificLocalTime(&rules, &utc, &local)) {
    return whole;
  }
  const std::chrono::year_month_day date{std::chrono::year{local.wYear},
                                         std::chrono::month{local.wMonth},
                                         std::chrono::day{local.wDay}};
  return Instant{std::chrono::sys_days{date}} + std::chrono::hours{local.wHour} +
         std::chrono::minutes{local.wMinute} + std::chrono::seconds{local.wSecond};
}

// By the zone's rules of that year; the C library knows the present year's alone.
Instant wall_time(Instant instant) {
  DYNAMIC_TIME_ZONE_INFORMATION zone{};
  ::GetDynamicTimeZoneInformation(&zone);
  return wall_time_by(rules_in(zone, year_of(instant)), instant);
}

Expected<Places> system_places() {
  Places places;
  places.home = folder_of("USERPROFILE", FOLDERID_Profile);
  if (places.home.empty()) {
    return fail(ErrorCode::not_found, "This user has no home folder.",
                "Set the variable USERPROFILE to an absolute path.");
  }
  // Not the roaming one: locks and a history are of one machine.
  fs::path local = folder_of("LOCALAPPDATA", FOLDERID_LocalAppData);
  if (local.empty()) local = places.home / "AppData" / "Local";
  const fs::path ours = local / "backup-plugin-db";
  places.state = own_folder("XDG_STATE_HOME", ours / "state");
  places.config = own_folder("XDG_CONFIG_HOME", ours / "config");
  places.data = own_folder("XDG_DATA_HOME", ours / "data");
  places.hidden_from_others =
      is_of_store_app() && (is_inside(places.state, local) || is_inside(places.config, local) ||
                            is_inside(places.data, local));
  places.host = host_name();
  places.user = variable("USERNAME");
  places.program = program_path();
  std::error_code error;
  places.current_folder = fs::current_path(error);
  for (const char* name : kVariables) {
    if (std::string value = variable(name); !value.empty()) {
      places.variables.emplace(name, std::move(value));
    }
  }
  return places;
}

}  // namespace core
