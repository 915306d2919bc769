#include "core/discovery/known_programs.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "core/base/paths.h"
#include "core/catalog/history.h"
#include "core/discovery/discover.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/test_database.h"

namespace fs = std::filesystem;
using namespace core;

namespace {

fs::path database_at(const fs::path& path) {
  fs::create_directories(path.parent_path());
  test::make_notes_database(path, {});
  return path;
}

const KnownProgram& program_named(const std::string& name) {
  const auto& all = known_programs();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const KnownProgram& one) { return one.name == name; });
  REQUIRE(found != all.end());
  return *found;
}

std::vector<std::string> paths_of_kind(const Discovery& found, DatabaseKind kind) {
  std::vector<std::string> paths;
  for (const auto& database : found.databases) {
    if (database.kind == kind) paths.push_back(text_of(database.path));
  }
  return paths;
}

}  // namespace

TEST_CASE("Of every known program it is told what it holds, where, and where that is written") {
  std::set<std::string> names;
  REQUIRE(known_programs().size() >= 10);
  for (const KnownProgram& known : known_programs()) {
    INFO(known.name);
    CHECK(names.insert(known.name).second);
    CHECK_FALSE(known.holds.empty());
    CHECK(known.source.starts_with("https://"));
    CHECK(known.places.size() + known.in_projects.size() > 0);
    for (const std::string& place : known.places) {
      INFO(place);
      const std::string root = place.substr(0, place.find('/'));
      const std::set<std::string> roots{
          "~",        "$XDG_CONFIG_HOME", "$XDG_DATA_HOME", "$XDG_STATE_HOME",
          "$APPDATA", "$LOCALAPPDATA"};
      CHECK(roots.contains(root));
      CHECK(place.find("..") == std::string::npos);
    }
    for (const std::string& place : known.in_projects) {
      INFO(place);
      CHECK(path_of(place).is_relative());
      CHECK(place.find('/') != std::string::npos);
      CHECK(program_of_project_file(test::TempFolder().path() / "app" / path_of(place)) == &known);
    }
  }
}

TEST_CASE("A known program's databases are found where it keeps them, patterns included") {
  test::FakeEnv house;
  const fs::path memory = database_at(house / "home/.claude-mem/claude-mem.db");
  const fs::path one = database_at(house / "home/.codex/memories_1.sqlite");
  const fs::path two = database_at(house / "home/.codex/memories_2.sqlite");
  database_at(house / "home/.codex/logs_2.sqlite");
  CHECK(files_of(program_named("claude-mem"), house.env()) == std::vector<fs::path>{memory});
  auto files = files_of(program_named("Codex"), house.env());
  std::sort(files.begin(), files.end());
  CHECK(files == std::vector<fs::path>{one, two});
}

TEST_CASE("The folders of the XDG specification are gone by, with the usual ones for defaults") {
  test::FakeEnv house;
  const fs::path usual = database_at(house / "home/.local/share/zed/threads/threads.db");
  CHECK(files_of(program_named("Zed"), house.env()) == std::vector<fs::path>{usual});
  const fs::path moved = database_at(house / "data/zed/threads/threads.db");
  house.places.variables["XDG_DATA_HOME"] = text_of(house / "data");
  CHECK(files_of(program_named("Zed"), house.env()) == std::vector<fs::path>{moved});
  house.places.variables["XDG_DATA_HOME"] = "data";  // not absolute: as if unset, as it says there
  CHECK(files_of(program_named("Zed"), house.env()) == std::vector<fs::path>{usual});
}

TEST_CASE("A search finds programs by name, in a home and in projects, and leaves out our own") {
  test::FakeEnv house;
  const fs::path memory = database_at(house / "home/.claude-mem/claude-mem.db");
  const fs::path secret = database_at(house / "home/.cc-switch/cc-switch.db");
  const fs::path crush = database_at(house / "home/code/app/.crush/crush.db");
  const fs::path plain = database_at(house / "home/code/app/notes.db");
  const fs::path snapshot = database_at(house / "home/code/app/notes-2026-11-01.db");
  test::write_file(text_of(snapshot) + ".manifest.json", "{}");
  house.places.state = house / "home/code/state";
  database_at(house.places.state / "history.db");
  DiscoverRequest request;
  request.programs = true;
  request.folders = {house / "home/code"};
  request.patterns = {"*.db"};
  const auto found = discover_databases(request, house.env(), {});
  REQUIRE(found);
  CHECK(paths_of_kind(*found, DatabaseKind::program) ==
        std::vector<std::string>{text_of(secret), text_of(memory), text_of(crush)});
  CHECK(paths_of_kind(*found, DatabaseKind::other) == std::vector<std::string>{text_of(plain)});
  for (const auto& database : found->databases) {
    if (database.path == memory) CHECK(database.program == "claude-mem");
    if (database.path == crush) CHECK(database.program == "Crush");
    if (database.path == secret) CHECK(database.warnings.size() == 1);
  }
  request.programs = false;  // in a folder that is searched they are wanted all the same
  request.patterns.clear();
  CHECK(paths_of_kind(*discover_databases(request, house.env(), {}), DatabaseKind::program) ==
        std::vector<std::string>{text_of(crush)});
}

TEST_CASE("A copy that was restored under another name is no find, until it is backed up") {
  test::FakeEnv house;
  const fs::path copy = database_at(house / "home/code/as-it-was.db");
  const fs::path same = database_at(house / "home/code/notes.db");
  const auto record = [&](const char* kind, const fs::path& source) {
    RunRecord run;
    run.kind = kind;
    run.source = text_of(source);
    run.snapshot = text_of(house / "home/Backups/laptop/notes-2026-11-01.db");
    run.started_at = run.finished_at = house.clock.instant;
    run.ok = true;
    REQUIRE(record_run(run, house.env()));
  };
  record("restore", copy);
  record("restore", same);
  DiscoverRequest request;
  request.folders = {house / "home/code"};
  request.patterns = {"*.db"};
  const auto others = [&] {
    return paths_of_kind(*discover_databases(request, house.env(), {}), DatabaseKind::other);
  };
  CHECK(others() == std::vector<std::string>{text_of(same)});
  record(kSnapshotRun, copy);
  CHECK(others() == std::vector<std::string>{text_of(copy), text_of(same)});
}
