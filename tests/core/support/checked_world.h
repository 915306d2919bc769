// Snapshots that must succeed, and what checks find in them.
#pragma once

#include <string>

#include "core/restore/restore.h"
#include "core/verify/verify.h"
#include "support/snapshots.h"

namespace test {

// Where taken() or verify() get an error, the test fails with its message.
struct CheckedWorld : SnapshotWorld {
  core::SnapshotResult taken(core::VerifyLevel level = core::VerifyLevel::quick);
  core::VerifyReport verify(const fs::path& path,
                            core::VerifyLevel level = core::VerifyLevel::full);
  core::Expected<core::RestoreResult> restore(const core::RestoreRequest& request);
};

// Null where there is none of that name; check_named fails the test then.
const core::VerifyCheck* find_check(const core::VerifyReport& report, const std::string& name);
const core::VerifyCheck& check_named(const core::VerifyReport& report, const std::string& name);

}  // namespace test
