// The real clock.
#include "core/platform/clock.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "core/base/env.h"

namespace core {
namespace {

using std::chrono::seconds;
using std::chrono::sys_days;

class SystemClock final : public Clock {
 public:
  Instant now() const override { return std::chrono::system_clock::now(); }

  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::now();
  }

  Date local_date(Instant instant) const override {
    return Date{std::chrono::floor<std::chrono::days>(wall_time(instant))};
  }

  Instant local_instant(Date date, seconds time_of_day) const override {
    return instant_showing(wall_time, date, time_of_day);
  }

  bool sleep_for(std::chrono::milliseconds duration, std::stop_token stop) const override {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, duration, [] { return false; });
    return !stop.stop_requested();
  }
};

}  // namespace

Instant instant_showing(const std::function<Instant(Instant)>& clock, Date date,
                        seconds time_of_day) {
  const Instant wanted = Instant{sys_days{date}} + time_of_day;
  // The offset from UTC changes at most once around a day: it is one of the two about a day away.
  const Instant before = wanted - std::chrono::hours{24};
  const Instant after = wanted + std::chrono::hours{24};
  const auto [smaller, larger] = std::minmax({clock(before) - before, clock(after) - after});
  if (clock(wanted - larger) == wanted) return wanted - larger;  // the earlier of two
  if (clock(wanted - smaller) == wanted) return wanted - smaller;
  // A clock put forward skipped this time.
  Instant low = wanted - larger, high = wanted - smaller;
  while (high - low > seconds{1}) {
    const Instant middle = low + std::chrono::floor<seconds>((high - low) / 2);
    (clock(middle) >= wanted ? high : low) = middle;
  }
  return high;
}

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace core
