#include "core/support/zones.h"

#include <cstdlib>
#include <ctime>

#include "core/platform/clock.h"
#ifdef _WIN32
#include <map>
#include <stdexcept>

#include "core/platform/windows/system.h"
#endif

namespace test {

#ifdef _WIN32
namespace {

// https://github.com/unicode-org/cldr/blob/main/common/supplemental/windowsZones.xml
const std::map<std::string, std::wstring>& names_on_windows() {
  static const std::map<std::string, std::wstring> names{
      {"UTC", L"UTC"},
      {"Europe/Berlin", L"W. Europe Standard Time"},
      {"America/New_York", L"Eastern Standard Time"},
      {"America/St_Johns", L"Newfoundland Standard Time"},
      {"Asia/Kolkata", L"India Standard Time"},
      {"Australia/Lord_Howe", L"Lord Howe Standard Time"},
      {"America/Havana", L"Cuba Standard Time"},
      {"Asia/Beirut", L"Middle East Standard Time"},
      {"Pacific/Apia", L"Samoa Standard Time"},
      {"Pacific/Chatham", L"Chatham Islands Standard Time"},
      {"Africa/Casablanca", L"Morocco Standard Time"},
      {"America/Sao_Paulo", L"E. South America Standard Time"},
      {"Pacific/Kiritimati", L"Line Islands Standard Time"}};
  return names;
}

class ZoneClock final : public core::Clock {
 public:
  explicit ZoneClock(const std::wstring& name) {
    DYNAMIC_TIME_ZONE_INFORMATION zone{};
    for (DWORD i = 0; ::EnumDynamicTimeZoneInformation(i, &zone) == ERROR_SUCCESS; ++i) {
      if (zone.TimeZoneKeyName == name) {
        zone_ = zone;
        return;
      }
    }
    throw std::runtime_error("the system does not know the zone " + core::narrow(name));
  }
  core::Instant now() const override { return core::system_clock().now(); }
  std::chrono::steady_clock::time_point steady_now() const override {
    return core::system_clock().steady_now();
  }
  core::Date local_date(core::Instant instant) const override {
    return core::Date{std::chrono::floor<std::chrono::days>(wall_time(instant))};
  }
  core::Instant local_instant(core::Date date, std::chrono::seconds time_of_day) const override {
    const auto shows = [this](core::Instant instant) { return wall_time(instant); };
    return core::instant_showing(shows, date, time_of_day);
  }
  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) const override {
    return core::system_clock().sleep_for(duration, std::move(stop));
  }

 private:
  core::Instant wall_time(core::Instant instant) const {
    const int year = core::year_of(instant);
    auto at = rules_.find(year);
    if (at == rules_.end()) at = rules_.emplace(year, core::rules_in(zone_, year)).first;
    return core::wall_time_by(at->second, instant);
  }

  DYNAMIC_TIME_ZONE_INFORMATION zone_{};
  mutable std::map<int, TIME_ZONE_INFORMATION> rules_;  // by year: the system looks them up slowly
};

}  // namespace

InZone::InZone(const std::string& zone)
    : own_(std::make_unique<ZoneClock>(names_on_windows().at(zone))) {}

InZone::~InZone() = default;
#else
InZone::InZone(const std::string& zone) {
  const char* before = std::getenv("TZ");  // NOLINT(concurrency-mt-unsafe): one thread
  if (before != nullptr) before_ = before;
  setenv("TZ", zone.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
  tzset();
}

InZone::~InZone() {
  if (before_.empty()) {
    unsetenv("TZ");  // NOLINT(concurrency-mt-unsafe): one thread
  } else {
    setenv("TZ", before_.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
  }
  tzset();
}
#endif

const core::Clock& InZone::clock() const {
  return own_ ? *own_ : core::system_clock();
}

}  // namespace test
