#include "core/discovery/known_projects.h"

#include <algorithm>
#include <set>

#include "core/base/json.h"
#include "core/base/paths.h"

namespace core {
namespace {

constexpr std::uint64_t kMaxSettingsBytes = 64ULL << 20;  // ~/.claude.json keeps whole histories
constexpr std::uint64_t kMaxSkimmedSettingsBytes = 4ULL << 20;  // parsed in about 20 ms
constexpr std::size_t kMaxRecordBytes = 256 * 1024;             // of one session: its beginning
constexpr std::size_t kMaxSkimmedRecordBytes = 16 * 1024;
constexpr std::size_t kMaxRecordsPerProject = 4;
constexpr std::size_t kMaxEntries = 50'000;
constexpr std::size_t kMaxProjects = 5'000;

fs::path claude_folder(const Places& places) {
  const auto it = places.variables.find("CLAUDE_CONFIG_DIR");
  if (it != places.variables.end() && path_of(it->second).is_absolute()) return path_of(it->second);
  return places.home / ".claude";
}

// The settings lie beside the default folder, but inside one that the variable names.
fs::path settings_path(const Places& places) {
  const fs::path folder = claude_folder(places);
  return folder == places.home / ".claude" ? places.home / ".claude.json" : folder / ".claude.json";
}

// The name of the folder in which Claude keeps a project's records: two projects may share one.
std::string record_folder_of(std::string project) {
  for (char& c : project) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain) c = '-';
  }
  return project;
}

// Of Claude's settings the keys of "projects".
class ProjectNames final : public JsonListener {
 public:
  std::vector<std::string> found;

  bool key(string_t& name) override {
    if (depth_ == 1) in_projects_ = name == "projects";
    if (depth_ == 2 && in_projects_) found.push_back(name);
    return true;
  }
  bool start_object(std::size_t) override { return ++depth_ > 0; }
  bool start_array(std::size_t) override { return ++depth_ > 0; }
  bool end_object() override { return --depth_ >= 0; }
  bool end_array() override { return --depth_ >= 0; }

 private:
  int depth_ = 0;
  bool in_projects_ = false;
};

class Projects {
 public:
  Projects(const ProjectSearch& search, const Env& env, std::vector<std::string>& warnings)
      : search_(search), env_(env), warnings_(warnings) {}

  KnownProjects find() {
    read_settings();
    for (const fs::path& project : found_) settled_.insert(record_folder_of(text_of(project)));
    read_records(claude_folder(env_.places) / "projects");
    return {{found_.begin(), found_.end()}, complete_};
  }

 private:
  void add(const std::string& text) {
    const fs::path path = path_of(text).lexically_normal();
    if (path.is_absolute() && found_.size() < kMaxProjects) found_.insert(path);
  }

  // Keeps no more of the file than the names of its projects: the rest may be large.
  void read_settings() {
    const fs::path path = settings_path(env_.places);
    const auto text =
        env_.files.read(path, search_.skim ? kMaxSkimmedSettingsBytes : kMaxSettingsBytes);
    if (!text) {
      if (text.error().code == ErrorCode::not_found) return;
      if (!search_.skim) warnings_.push_back(text.error().message);
      complete_ = false;
      return;
    }
    ProjectNames names;
    if (!read_events(*text, names)) warnings_.push_back(text_of(path) + " is not valid JSON.");
    for (const std::string& name : names.found) add(name);
  }

  void read_records(const fs::path& folder) {
    const auto projects = env_.files.list(folder, kMaxEntries);
    if (!projects) {
      if (projects.error().code != ErrorCode::not_found) {
        warnings_.push_back(projects.error().message);
      }
      return;
    }
    for (const DirEntry& project : *projects) {
      if (project.kind != FileInfo::Kind::folder) continue;
      if (search_.skim && settled_.contains(project.name)) continue;
      if (env_.clock.steady_now() >= search_.deadline) {
        complete_ = false;
        return;
      }
      read_project(folder / path_of(project.name));
    }
  }

  void read_project(const fs::path& folder) {
    const auto entries = env_.files.list(folder, kMaxEntries);
    if (!entries) {
      warnings_.push_back(entries.error().message);
      return;
    }
    std::vector<std::string> names;
    for (const DirEntry& entry : *entries) {
      if (entry.kind == FileInfo::Kind::file && entry.name.ends_with(".jsonl")) {
        names.push_back(entry.name);
      }
    }
    std::sort(names.begin(), names.end());
    if (names.size() > kMaxRecordsPerProject) names.resize(kMaxRecordsPerProject);
    const std::size_t bytes = search_.skim ? kMaxSkimmedRecordBytes : kMaxRecordBytes;
    for (const std::string& name : names) {
      const auto text = env_.files.read_start(folder / path_of(name), bytes);
      if (text && read_session(*text) && search_.skim) return;
    }
  }

  // One JSON object a line; the last may be cut off. True when it named a folder.
  bool read_session(std::string_view text) {
    bool named = false;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.find("\"cwd\"") == std::string_view::npos) continue;
      const Json json = read_json(line);
      if (!json.is_object()) continue;
      const auto it = json.find("cwd");
      if (it == json.end() || !it->is_string()) continue;
      add(it->get<std::string>());
      named = true;
      if (search_.skim) break;
    }
    return named;
  }

  const ProjectSearch& search_;
  const Env& env_;
  std::vector<std::string>& warnings_;
  std::set<fs::path> found_;
  std::set<std::string> settled_;  // folders of records whose project the settings name
  bool complete_ = true;
};

}  // namespace

KnownProjects known_projects(const ProjectSearch& search, const Env& env,
                             std::vector<std::string>& warnings) {
  return Projects(search, env, warnings).find();
}

}  // namespace core
