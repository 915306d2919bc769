// Programs of this field whose databases people would miss, and where these lie.
#pragma once

#include <string>
#include <vector>

#include "core/base/env.h"

namespace core {

struct KnownProgram {
  std::string name;                 // "claude-mem"
  std::string holds;                // in a few words
  std::vector<std::string> places;  // "~/.claude-mem/*.db", "$XDG_DATA_HOME/…", "$APPDATA/…"
  std::vector<std::string> in_projects;  // ".crush/crush.db": below a project's folder
  bool secrets = false;                  // passwords or keys are in it, too
  std::string source;                    // where that is written
};

// Those of known_programs.json, in its order. Parsed at the first call; thread-safe.
const std::vector<KnownProgram>& known_programs();

// Files that are there at one of the program's places; links are not resolved. Looks at no more
// than kMaxProgramEntries entries of a folder, and gives no more files than that.
std::vector<fs::path> files_of(const KnownProgram& program, const Env& env);
// The same of its places in this project.
std::vector<fs::path> files_in_project(const KnownProgram& program, const fs::path& project,
                                       const FileSystem& files);
inline constexpr std::size_t kMaxProgramEntries = 2'000;

// The program that keeps its database at this place of a project; null for none. By names alone.
const KnownProgram* program_of_project_file(const fs::path& path);

}  // namespace core
