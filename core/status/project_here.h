// The project that a folder belongs to.
#pragma once

#include <optional>

#include "core/base/env.h"

namespace core {

// <project>/.orchestrator/project.db of the folder or the nearest one above it. The home and what
// lies above that are no projects, whatever is in them. Looks at kMaxProjectParents folders at
// most.
std::optional<fs::path> project_database_above(const fs::path& folder, const Env& env);
inline constexpr int kMaxProjectParents = 16;

}  // namespace core
