// Which schedules a call means: one by its name, or all.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tools/arguments.h"

namespace tools {

// In the place of a name: every schedule that may be touched.
inline constexpr std::string_view kAllSchedules = "all";

// Whether the name means all of them: no schedule is called so, then.
bool means_all(const std::string& name, const Setting& setting);

// All that may be touched, entries without a job among them; not_found where there is none.
core::Expected<std::vector<std::string>> all_schedules(const Setting& setting,
                                                       std::stop_token stop);

// The one that is named, or all. Errors: those of check_schedule (limits.h) and of all_schedules.
core::Expected<std::vector<std::string>> schedules_named(const std::string& name,
                                                         const Setting& setting,
                                                         std::stop_token stop);

// not_found, with the names that there are, where no schedule has this name: neither a job nor an
// entry without one.
core::Expected<> check_is_there(const std::string& name, const Setting& setting,
                                std::stop_token stop);

// "a, b, c"
std::string joined(const std::vector<std::string>& texts);

}  // namespace tools
