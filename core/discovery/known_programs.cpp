#include "core/discovery/known_programs.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "core/base/glob.h"
#include "core/base/json.h"
#include "core/base/paths.h"
#include "embedded.h"

namespace core {
namespace {

std::vector<KnownProgram> read_programs() {
  std::vector<KnownProgram> programs;
  for (const embedded::File& file : embedded::embedded_programs()) {
    const Json document = json_of(file.text);
    for (const Json& entry : document.at("programs")) {
      const auto list = [&](const char* key) {
        return entry.value(key, std::vector<std::string>{});
      };
      programs.push_back({entry.at("program").get<std::string>(),
                          entry.at("holds").get<std::string>(), list("places"), list("in_projects"),
                          entry.value("secrets", false), entry.at("source").get<std::string>()});
    }
  }
  return programs;
}

// What a place begins with, and what that is where its variable is not set.
struct Root {
  std::string_view name;  // without the $
  const char* otherwise;  // below the home
};
constexpr auto kRoots = std::to_array<Root>({{"XDG_CONFIG_HOME", ".config"},
                                             {"XDG_DATA_HOME", ".local/share"},
                                             {"XDG_STATE_HOME", ".local/state"},
                                             {"APPDATA", "AppData/Roaming"},
                                             {"LOCALAPPDATA", "AppData/Local"}});

fs::path folder_of(std::string_view root, const Places& places) {
  for (const Root& known : kRoots) {
    if (root != "$" + std::string(known.name)) continue;
    const auto set = places.variables.find(std::string(known.name));
    const bool usable = set != places.variables.end() && path_of(set->second).is_absolute();
    return usable ? path_of(set->second) : places.home / known.otherwise;
  }
  return places.home;
}

bool has_star(const fs::path& name) {
  return text_of(name).find_first_of("*?") != std::string::npos;
}

// The paths below `folders` by one more name, which may be a pattern.
std::vector<fs::path> step(const std::vector<fs::path>& folders, const fs::path& name,
                           const FileSystem& files) {
  std::vector<fs::path> paths;
  for (const fs::path& folder : folders) {
    if (!has_star(name)) {
      paths.push_back(folder / name);
      continue;
    }
    const auto entries = files.list(folder, kMaxProgramEntries);
    if (!entries) continue;
    for (const DirEntry& entry : *entries) {
      if (fits_pattern(entry.name, text_of(name))) paths.push_back(folder / path_of(entry.name));
    }
  }
  if (paths.size() > kMaxProgramEntries) paths.resize(kMaxProgramEntries);
  return paths;
}

// The files below `root` by names that may be patterns.
void add_files(const fs::path& root, const fs::path& names, const FileSystem& files,
               std::vector<fs::path>& found) {
  std::vector<fs::path> paths{root};
  for (const fs::path& name : names) paths = step(paths, name, files);
  for (fs::path& path : paths) {
    const auto info = files.info(path);
    if (info && info->kind == FileInfo::Kind::file) found.push_back(std::move(path));
  }
}

bool ends_like(const fs::path& path, const std::string& place) {
  const fs::path wanted = path_of(place);
  const auto before =
      std::distance(path.begin(), path.end()) - std::distance(wanted.begin(), wanted.end());
  if (before <= 0) return false;
  // From the front: in libc++ the iterators of a path cannot be advanced backwards.
  return std::equal(wanted.begin(), wanted.end(), std::next(path.begin(), before),
                    [](const fs::path& pattern, const fs::path& name) {
                      return fits_pattern(text_of(name), text_of(pattern));
                    });
}

}  // namespace

const std::vector<KnownProgram>& known_programs() {
  static const std::vector<KnownProgram> programs = read_programs();
  return programs;
}

std::vector<fs::path> files_of(const KnownProgram& program, const Env& env) {
  std::vector<fs::path> found;
  for (const std::string& place : program.places) {
    const fs::path names = path_of(place);
    const fs::path root = folder_of(text_of(*names.begin()), env.places);
    add_files(root, names.lexically_relative(*names.begin()), env.files, found);
  }
  return found;
}

std::vector<fs::path> files_in_project(const KnownProgram& program, const fs::path& project,
                                       const FileSystem& files) {
  std::vector<fs::path> found;
  for (const std::string& place : program.in_projects) {
    add_files(project, path_of(place), files, found);
  }
  return found;
}

const KnownProgram* program_of_project_file(const fs::path& path) {
  for (const KnownProgram& program : known_programs()) {
    if (std::any_of(program.in_projects.begin(), program.in_projects.end(),
                    [&](const std::string& place) { return ends_like(path, place); })) {
      return &program;
    }
  }
  return nullptr;
}

}  // namespace core
