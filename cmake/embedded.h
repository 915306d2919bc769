// Files that the build put into the program: known programs, the tool schemas, the skill and the
// page.
#pragma once

#include <span>
#include <string_view>

namespace embedded {

struct File {
  std::string_view name;         // path below its folder, with forward slashes: "snapshot_db.json"
  std::string_view text;         // the file's exact bytes
  std::string_view frontmatter;  // of a Markdown file, as JSON; empty where there is none
};

// Sorted by name; valid for the life of the program.
std::span<const File> embedded_programs();
std::span<const File> embedded_schemas();
std::span<const File> embedded_skill();
std::span<const File> embedded_dashboard();

}  // namespace embedded
