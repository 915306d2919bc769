// The project that a folder belongs to.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/env.h"

namespace core {

// Where the home has the orchestrator's global database.
inline constexpr std::string_view kGlobalDatabase = ".claude/orchestrator/global.db";
// Where a project has its database, and how far up from a folder of the project it may lie.
inline const fs::path kProjectDatabase = ".orchestrator/project.db";
inline constexpr int kMaxProjectParents = 16;
// Whether a path ends like that: by its names alone.
bool is_project_database(const fs::path& path);

// <project>/.orchestrator/project.db of the folder or the nearest one above it. The home and what
// lies above that are no projects, whatever is in them. Looks at kMaxProjectParents folders at
// most.
std::optional<fs::path> project_database_above(const fs::path& folder, const Env& env);

}  // namespace core
