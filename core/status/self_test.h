// Whether snapshots, checks and restores work on this machine: all the way, with a database that is
// made for it.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"

namespace core {

struct SelfTestStep {
  std::string name{};            // "verify"
  std::string found{};           // it went well: what came of it
  std::string skipped{};         // it was not tried: why not
  std::optional<Error> error{};  // it failed
  double elapsed_ms = 0;
};

struct SelfTest {
  fs::path folder;  // the one that was worked in; gone, unless the last step says otherwise
  std::string sqlite_version;
  std::vector<SelfTestStep> steps;  // in the order of work; the last one clears away
};

// Works in a new folder in `within`, which must exist, with state and settings of its own: nothing
// of the user's is read or changed, and no scheduler is touched. A thread writes to the database
// while the snapshot is taken. After a step that failed the others are skipped, but for the last.
// An error where there is nothing to work in. A stop request fails the present step (cancelled).
Expected<SelfTest> self_test(const fs::path& within, const Env& env, std::stop_token stop);

}  // namespace core
