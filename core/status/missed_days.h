// Days on which a database was to be backed up, and nothing backed it up. Pure.
#pragma once

#include "core/base/env.h"
#include "core/status/status.h"

namespace core {

// Days before today that are looked at.
inline constexpr int kMissedDaysLookedAt = 90;

// Fills in DatabaseStatus::missed. A day of the clock's calendar is missed where a schedule had all
// its due times on it, the last one kStatusGrace ago, and from its midnight until the next day's
// first due time, when it may still be made up, no run ended well and no snapshot was taken.
// `input.runs` must be without gaps back to its last one. Nothing is missed from before that one,
// for what was there then retention may have let go; nor from before the schedule was installed, or
// before the first success that is known.
void find_missed_days(const StatusInput& input, const Clock& clock, StatusReport& report);

}  // namespace core
