// Which databases a folder's schedule covers, and what their snapshots are called.
#include "core/schedule/folder_members.h"

#include <algorithm>
#include <set>

#include "core/base/paths.h"
#include "core/discovery/ignored.h"
#include "core/support/code_folder.h"
#include "support/catch.h"

using namespace core;

namespace {

const fs::path kCode = "/home/me/code";

std::string label(const std::string& project) {
  return folder_label(kCode, kCode / path_of(project) / ".orchestrator/project.db");
}

struct Covered : test::CodeFolder {
  std::vector<std::string> labels() {
    const auto members = members_of(job, kRunSearch, world.env(), {});
    REQUIRE(members);
    warnings = members->warnings;
    std::vector<std::string> all;
    for (const auto& member : members->snapshots) all.push_back(member.label);
    return all;
  }

  std::vector<std::string> warnings;
};

}  // namespace

TEST_CASE("A project's label is its name where that is plain, else a plain form with six digits") {
  CHECK(label("my-app") == "my-app");
  CHECK(label("my_app2") == "my_app2");
  CHECK(label("Web Site").substr(0, 9) == "web-site-");
  CHECK(label("Web Site").size() == 15);
  CHECK(label("äöü-proj").substr(0, 12) == "aeoeue-proj-");
  CHECK(label("Çelik Øre ß").substr(0, 13) == "celik-ore-ss-");
  CHECK(label("プロジェクト").substr(0, 19) == "プロジェクト-");
  CHECK(label("e\u0301tude").substr(0, 6) == "etude-");  // as macOS writes it
  CHECK(label("clients/acme").substr(0, 13) == "clients-acme-");
  CHECK(label("!!!").substr(0, 3) == "db-");
}

TEST_CASE("No two databases below a folder have one label") {
  std::set<std::string> labels;
  const std::vector<std::string> projects{"app",  "App",   "a/pp",  "a-pp", "a pp",   "a.pp",
                                          "ä-pp", "ae-pp", "Ä-PP",  "code", "global", "a/p/p",
                                          "a_pp", "a--pp", "-a-pp", "db",   "!",      "?"};
  for (const auto& project : projects) labels.insert(label(project));
  CHECK(labels.size() == projects.size());
  CHECK(labels.insert(folder_label(kCode, kCode / ".orchestrator/project.db")).second);
  CHECK(labels.insert(folder_label(kCode, kCode / "app/notes.db")).second);
  CHECK(labels.insert(folder_label(kCode, kCode / "app/notes.sqlite")).second);
  CHECK(labels.insert(folder_label(kCode, kCode / "app/notes")).second);
  CHECK_FALSE(labels.contains(std::string(kGlobalLabel)));
}

TEST_CASE("A label depends on the path below the folder alone, so that a new home changes none") {
  const auto at = [](const fs::path& folder) {
    return folder_label(folder, folder / "Web Site/.orchestrator/project.db");
  };
  CHECK(at("/home/me/code") == at("/Users/me/code"));
}

TEST_CASE("A long name gives a label that a file system can hold") {
  const std::string long_name(200, 'x');
  CHECK(label(long_name).size() < 80);
  CHECK(label(long_name) != label(long_name + "y"));
}

TEST_CASE("A folder's members are the project databases below it, and files of the patterns") {
  Covered code;
  code.add("app");
  code.add("clients/acme");
  test::make_notes_database(code.folder / "app/cache.sqlite");
  CHECK(code.labels().size() == 2);
  code.job.patterns = {"*.sqlite"};
  CHECK(code.labels().size() == 3);
}

TEST_CASE("A folder's members are neither its own snapshots nor what lies in the destination") {
  Covered code;
  code.add("app");
  code.job.patterns = {"*.db"};
  code.job.snapshot.destination = code.folder / "backups";
  fs::create_directories(code.folder / "backups/other");
  test::make_notes_database(code.folder / "backups/other/notes.db");
  test::make_notes_database(code.folder / "global-2026-11-23.db");
  test::write_file(code.folder / "global-2026-11-23.db.manifest.json", "{}");
  CHECK(code.labels() == std::vector<std::string>{"app"});
}

TEST_CASE("The global database is a member only where that is asked for") {
  Covered code;
  code.add("app");
  const fs::path global = code.world.fake.places.home / ".claude/orchestrator/global.db";
  fs::create_directories(global.parent_path());
  test::make_notes_database(global);
  CHECK(code.labels() == std::vector<std::string>{"app"});
  code.job.global = true;
  auto labels = code.labels();
  std::sort(labels.begin(), labels.end());
  CHECK(labels == std::vector<std::string>{"app", "global"});
}

TEST_CASE("A link that leads out of the folder is told, and not followed by a snapshot") {
  Covered code;
  code.add("app");
  const fs::path elsewhere = code.world.fake.folder / "elsewhere/.orchestrator/project.db";
  fs::create_directories(elsewhere.parent_path());
  test::make_notes_database(elsewhere);
  fs::create_directory_symlink(elsewhere.parent_path().parent_path(), code.folder / "link");
  CHECK(code.labels() == std::vector<std::string>{"app"});
  REQUIRE(code.warnings.size() == 1);
  CHECK(code.warnings.front().find("leads to") != std::string::npos);
}

TEST_CASE("A folder that is not there is an error, not an empty one") {
  Covered code;
  code.job.folder = code.folder / "none";
  const auto members = members_of(code.job, kRunSearch, code.world.env(), {});
  REQUIRE_FALSE(members);
  CHECK(members.error().code == ErrorCode::not_found);
}

TEST_CASE("What is ignored is no member, and what known programs keep in a project is one") {
  Covered code;
  for (const char* project : {"app", "scratch/one", "scratch/two"}) code.add(project);
  const fs::path crush = code.folder / "app/.crush/crush.db";
  fs::create_directories(crush.parent_path());
  test::make_notes_database(crush);
  REQUIRE(set_ignored(code.folder / "scratch", true, code.world.env(), {}));
  const auto labels = code.labels();
  REQUIRE(labels.size() == 2);
  CHECK(labels[0].substr(0, 16) == "app-crush-crush-");
  CHECK(labels[1] == "app");
}
