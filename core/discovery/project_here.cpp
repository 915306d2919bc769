#include "core/discovery/project_here.h"

#include "core/base/paths.h"

namespace core {

bool is_project_database(const fs::path& path) {
  return path.filename() == kProjectDatabase.filename() &&
         path.parent_path().filename() == kProjectDatabase.parent_path();
}

std::optional<fs::path> project_database_above(const fs::path& folder, const Env& env) {
  fs::path at = folder;
  for (int i = 0; i < kMaxProjectParents && at.has_relative_path(); ++i, at = at.parent_path()) {
    if (is_inside(env.places.home, at)) return std::nullopt;
    fs::path database = at / kProjectDatabase;
    const auto info = env.files.info(database);
    if (info && info->kind == FileInfo::Kind::file) return database;
  }
  return std::nullopt;
}

}  // namespace core
