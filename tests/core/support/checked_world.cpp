#include "tests/core/support/checked_world.h"

#include <algorithm>

#include "support/catch.h"

namespace test {

core::SnapshotResult CheckedWorld::taken(core::VerifyLevel level) {
  auto asked = request();
  asked.verify = level;
  auto result = take(asked);
  if (!result) FAIL(result.error().message);
  return *result;
}

core::VerifyReport CheckedWorld::verify(const fs::path& path, core::VerifyLevel level) {
  core::NoProgress progress;
  auto report = core::verify_snapshot({.snapshot = path, .level = level}, env(), progress, {});
  if (!report) FAIL(report.error().message);
  return *report;
}

core::Expected<core::RestoreResult> CheckedWorld::restore(const core::RestoreRequest& request) {
  core::NoProgress progress;
  return core::restore_snapshot(request, env(), progress, {});
}

const core::VerifyCheck* find_check(const core::VerifyReport& report, const std::string& name) {
  const auto it = std::find_if(report.checks.begin(), report.checks.end(),
                               [&](const core::VerifyCheck& check) { return check.name == name; });
  return it == report.checks.end() ? nullptr : &*it;
}

const core::VerifyCheck& check_named(const core::VerifyReport& report, const std::string& name) {
  const core::VerifyCheck* check = find_check(report, name);
  if (check == nullptr) FAIL("no check " << name);
  return *check;
}

}  // namespace test
