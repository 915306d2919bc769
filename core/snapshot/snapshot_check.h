// How the copy of a run is checked, and what the run says about it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/snapshot/snapshot_plan.h"
#include "core/verify/verify.h"

namespace core {

// How often a quick check is made in full. A full check compares every index with its table: made
// now and then, it tells of a difference while there is time to mend it, not on the day of a
// restore. A little less than a week, so that the day does not move on each time.
inline constexpr std::chrono::hours kFullCheckEvery{7 * 24 - 12};

// When a snapshot of this series was last checked in full, by the manifests; one of the future does
// not count.
std::optional<Instant> last_full_check(const SnapshotPlan& plan,
                                       const std::vector<Snapshot>& series, Instant now);

// The level at which the copy is to be checked: `wanted`, but full in place of quick where no full
// check was ever made, or one is due again.
VerifyLevel due_level(VerifyLevel wanted, const std::optional<Instant>& last_full, Instant now);

// What the source itself has wrong, and what could not be checked as `wanted`.
std::vector<std::string> check_warnings(const VerifyReport& report, VerifyLevel wanted);

// The error of a run whose copy is damaged. `level`: of the check that it failed.
Error failed_check(const SnapshotPlan& plan, const VerifyReport& report, VerifyLevel level);

}  // namespace core
