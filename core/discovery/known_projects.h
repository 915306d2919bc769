// The projects that Claude's own records name.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/base/env.h"

namespace core {

// The folders that Claude's records name as projects, links not resolved. Reads at most a part of
// each record.
struct ProjectSearch {
  bool skim = false;  // as in DiscoverRequest
  std::chrono::steady_clock::time_point deadline;
};
struct KnownProjects {
  std::vector<fs::path> folders;
  bool complete = true;  // false: something was too large, could not be read, or time was up
};
KnownProjects known_projects(const ProjectSearch& search, const Env& env,
                             std::vector<std::string>& warnings);

}  // namespace core
