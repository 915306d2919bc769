#include "core/discovery/discover.h"

#include <algorithm>

#include "core/base/glob.h"
#include "core/base/paths.h"
#include "core/discovery/location.h"
#include "core/platform/mounts.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/forwarding_files.h"
#include "support/paths.h"
#include "support/test_database.h"
#include "support/writer_process.h"

namespace fs = std::filesystem;
using core::DatabaseKind;
using core::DiscoverRequest;
using core::Discovery;
using core::FoundDatabase;
using test::FakeEnv;
using test::in_json;

namespace {

void make_database(const fs::path& path, int notes = 3) {
  fs::create_directories(path.parent_path());
  test::make_notes_database(path, {.notes = notes});
}

Discovery discover(FakeEnv& world, const DiscoverRequest& request = {}) {
  auto found = core::discover_databases(request, world.env(), {});
  if (!found) FAIL(found.error().message);
  return *found;
}

// "kind path, …", paths below the world's folder.
std::string found_in(const FakeEnv& world, const Discovery& discovery) {
  std::string text;
  for (const FoundDatabase& database : discovery.databases) {
    text += (text.empty() ? "" : ", ") + std::string(to_string(database.kind)) + " " +
            database.path.lexically_relative(world.folder.path()).generic_string();
  }
  return text;
}

// Every file below the folder with its size: what a read-only search must leave as it is.
std::string tree_of(const fs::path& folder) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    lines.push_back(entry.path().string() +
                    (entry.is_regular_file() ? " " + std::to_string(entry.file_size()) : ""));
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// Notes which session records are read, and how much of each at most.
class WatchedRecords final : public test::ForwardingFiles {
 public:
  mutable std::vector<fs::path> read_records;
  mutable std::size_t largest = 0;
  std::chrono::milliseconds delay{0};  // of each, as on a slow disk
  FakeEnv* world = nullptr;

  core::Expected<std::string> read_start(const fs::path& path, std::size_t max) const override {
    read_records.push_back(path);
    largest = std::max(largest, max);
    if (world != nullptr) world->clock.sleep_for(delay, {});
    return ForwardingFiles::read_start(path, max);
  }
};

void write_record(FakeEnv& world, const fs::path& project, const std::string& name) {
  std::string folder = project.string();
  for (char& c : folder) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '-';
  }
  const fs::path path = world / "home/.claude/projects" / folder / name;
  fs::create_directories(path.parent_path());
  test::write_file(path,
                   "{\"type\":\"queue-operation\"}\n{\"cwd\":\"" + in_json(project) + "\"}\n");
}

}  // namespace

TEST_CASE("The global database is found at its present and its former place") {
  FakeEnv world;
  CHECK(discover(world).databases.empty());
  make_database(world / "home/.claude/orchestrator/global.db");
  make_database(world / "home/.orchestrator/global.db");
  const Discovery found = discover(world);
  CHECK(found_in(world, found) ==
        "global home/.claude/orchestrator/global.db, legacy global home/.orchestrator/global.db");
  CHECK(found.complete);
  CHECK(found.warnings.empty());
}

TEST_CASE("Project databases are found through both of Claude's records, each once") {
  FakeEnv world;
  make_database(world / "work/shop/.orchestrator/project.db");
  make_database(world / "work/my blog/.orchestrator/project.db");
  fs::create_directories(world / "work/shop/src/deep");
  fs::create_directories(world / "work/none");
  test::write_file(world / "home/.claude.json",
                   R"({"numStartups": 3, "other": {"/not/a/project": {}}, "projects": {")" +
                       in_json(world / "work/my blog") + R"(": {"history": [{"x": {"y": 1}}]}, ")" +
                       in_json(world / "work/none") + R"(": {}, "relative": {}}})");
  fs::create_directories(world / "home/.claude/projects/-work-shop");
  test::write_file(world / "home/.claude/projects/-work-shop/1.jsonl",
                   "{\"type\":\"summary\"}\nnot json \"cwd\"\n{\"cwd\":\"" +
                       in_json(world / "work/shop/src/deep") +
                       "\",\"message\":\"\\\"cwd\\\"\"}\n{\"cwd\":\"" +
                       in_json(world / "work/shop") + "\"}\n{\"cwd\":\"/cut o");
  const Discovery found = discover(world);
  CHECK(found_in(world, found) ==
        "project work/my blog/.orchestrator/project.db, project "
        "work/shop/.orchestrator/project.db");
  CHECK(found.warnings.empty());
}

TEST_CASE(
    "A skim finds the same projects, from one record each of those the settings do not name") {
  FakeEnv world;
  for (const char* name : {"work/shop.v2", "work/blog"}) {
    make_database(world / name / ".orchestrator/project.db");
    write_record(world, world / name, "1.jsonl");
    write_record(world, world / name, "2.jsonl");
  }
  test::write_file(world / "home/.claude.json",
                   "{\"projects\": {\"" + in_json(world / "work/shop.v2") + "\": {}}}");
  WatchedRecords files;
  const core::Env env{world.clock, files, world.commands, world.places};
  const auto found =
      core::discover_databases({.read_contents = false, .skim = true}, env, std::stop_token{});
  REQUIRE(found);
  CHECK(found_in(world, *found) == found_in(world, discover(world)));
  CHECK(found->databases.size() == 2);
  CHECK(found->complete);
  REQUIRE(files.read_records.size() == 1);
  CHECK(files.read_records[0].string().find("blog") != std::string::npos);
  CHECK(files.largest <= 16 * 1024);
}

TEST_CASE("A slow disk ends the reading of Claude's records at the search's time") {
  FakeEnv world;
  world.clock.really_sleeps = false;
  make_database(world / "home/.claude/orchestrator/global.db");
  for (int i = 0; i < 20; ++i) write_record(world, world / ("p" + std::to_string(i)), "1.jsonl");
  WatchedRecords files;
  files.world = &world;
  files.delay = std::chrono::milliseconds{400};
  const core::Env env{world.clock, files, world.commands, world.places};
  const auto found = core::discover_databases(
      {.read_contents = false, .timeout = std::chrono::milliseconds{1'000}}, env,
      std::stop_token{});
  REQUIRE(found);
  CHECK(files.read_records.size() <= 3);
  CHECK_FALSE(found->complete);
  CHECK(found->databases.size() == 1);
}

TEST_CASE("Records that are damaged are told and the rest is found") {
  FakeEnv world;
  make_database(world / "home/.claude/orchestrator/global.db");
  test::write_file(world / "home/.claude.json", "{\"projects\": {\"/a\": ");
  const Discovery found = discover(world);
  CHECK(found.databases.size() == 1);
  REQUIRE(found.warnings.size() == 1);
  CHECK(found.warnings[0].find(".claude.json") != std::string::npos);
}

TEST_CASE("Another folder of Claude's settings is looked at in the place of the usual one") {
  FakeEnv world;
  world.places.variables["CLAUDE_CONFIG_DIR"] = (world / "elsewhere").string();
  make_database(world / "elsewhere/orchestrator/global.db");
  make_database(world / "work/shop/.orchestrator/project.db");
  test::write_file(world / "elsewhere/.claude.json",
                   "{\"projects\": {\"" + in_json(world / "work/shop") + "\": {}}}");
  CHECK(found_in(world, discover(world)) ==
        "global elsewhere/orchestrator/global.db, project work/shop/.orchestrator/project.db");
  // A plugin need not heed the variable.
  make_database(world / "home/.claude/orchestrator/global.db");
  CHECK(found_in(world, discover(world)) ==
        "global elsewhere/orchestrator/global.db, global home/.claude/orchestrator/global.db, "
        "project work/shop/.orchestrator/project.db");
}

TEST_CASE("Named folders are searched for project databases and patterns") {
  FakeEnv world;
  make_database(world / "src/a/.orchestrator/project.db");
  make_database(world / "src/b/c/.orchestrator/project.db");
  make_database(world / "src/data/app.sqlite");
  for (const char* made : {"app-2026-11-23.db", "app.before-restore-20261123T040701Z.db"}) {
    make_database(world / "src/data" / made);
    test::write_file(world / "src/data" / (std::string(made) + ".manifest.json"), "{}");
  }
  make_database(world / "src/data/app-2026-11-24.db");  // a program's own, one for each day
  make_database(world / "src/node_modules/x/.orchestrator/project.db");
  make_database(world / "home/.claude/plugins/memory.sqlite");
  test::write_file(world / "src/data/notes.sqlite", "no database, only a name");
  DiscoverRequest request{.folders = {world / "src"}};
  CHECK(found_in(world, discover(world, request)) ==
        "project src/a/.orchestrator/project.db, project src/b/c/.orchestrator/project.db");
  request.patterns = {"*.sqlite", "app*.db"};
  CHECK(found_in(world, discover(world, request)) ==
        "project src/a/.orchestrator/project.db, project src/b/c/.orchestrator/project.db, "
        "other home/.claude/plugins/memory.sqlite, other src/data/app-2026-11-24.db, "
        "other src/data/app.sqlite");
}

TEST_CASE("What is found is described, and nothing is changed or left behind") {
  FakeEnv world;
  const fs::path global = world / "home/.claude/orchestrator/global.db";
  make_database(global, 7);
  make_database(world / "src/old.sqlite");
  test::run_sql(world / "src/old.sqlite", "PRAGMA journal_mode = DELETE");
  const std::string before = tree_of(world.folder.path());
  const Discovery found = discover(world, {.folders = {world / "src"}, .patterns = {"*.sqlite"}});
  REQUIRE(found.databases.size() == 2);
  const FoundDatabase& database = found.databases[0];
  CHECK(database.journal_mode == "wal");
  CHECK(database.rows == 7 * 4 + 1);
  CHECK(database.bytes == fs::file_size(global));
  CHECK(database.warnings.empty());
  CHECK(std::chrono::system_clock::now() - database.last_write < std::chrono::hours{1});
  CHECK(found.databases[1].journal_mode == "delete");
  CHECK(tree_of(world.folder.path()) == before);
}

TEST_CASE("A database that others write to is read with the rows of its WAL") {
  FakeEnv world;
  const fs::path global = world / "home/.claude/orchestrator/global.db";
  make_database(global, 0);
  test::WriterProcess writer(global, {.checkpoints = false});
  const Discovery found = discover(world);
  REQUIRE(found.databases.size() == 1);
  CHECK(found.databases[0].rows >= 5);
  CHECK(found.databases[0].bytes > fs::file_size(global));
  CHECK(writer.stop().failures == 0);
}

TEST_CASE("A database that cannot be read is still found, with the reason") {
  FakeEnv world;
  fs::create_directories(world / "home/.claude/orchestrator");
  test::write_file(world / "home/.claude/orchestrator/global.db", std::string(5000, 'x'));
  const Discovery found = discover(world);
  REQUIRE(found.databases.size() == 1);
  CHECK(found.databases[0].journal_mode.empty());
  CHECK_FALSE(found.databases[0].rows);
  REQUIRE(found.databases[0].warnings.size() == 1);
  CHECK(found.databases[0].warnings[0].find("not an SQLite database") != std::string::npos);
  const Discovery unread = discover(world, {.read_contents = false});
  CHECK(unread.databases[0].warnings.empty());
}

TEST_CASE("Loops of links end, and files with two names are found once") {
  FakeEnv world;
  make_database(world / "src/a/.orchestrator/project.db");
  fs::create_directory_symlink(world / "src", world / "src/a/up");
  fs::create_directory_symlink(world / "src/a", world / "src/b");
  fs::create_symlink("nowhere", world / "src/dangling");
  fs::create_symlink(world / "src/a/.orchestrator/project.db", world / "src/same.sqlite");
  const Discovery found =
      discover(world, {.folders = {world / "src", world / "src/b"}, .patterns = {"*.sqlite"}});
  CHECK(found.databases.size() == 1);
  CHECK(found.complete);
  REQUIRE(found.warnings.size() == 1);
  CHECK(found.warnings[0].find("leads back") != std::string::npos);
}

TEST_CASE("The search ends at its depth and its time, and says so") {
  FakeEnv world;
  fs::path deep = world / "src";
  for (int i = 0; i < 12; ++i) deep /= "d";
  make_database(deep / ".orchestrator/project.db");
  Discovery found = discover(world, {.folders = {world / "src"}});
  CHECK(found.databases.empty());
  CHECK_FALSE(found.complete);
  CHECK(found.warnings.size() == 1);
  found = discover(world, {.folders = {deep}, .timeout = std::chrono::milliseconds{0}});
  CHECK_FALSE(found.complete);
  REQUIRE(found.warnings.size() == 1);
  CHECK(found.warnings[0].find("time") != std::string::npos);
  CHECK(discover(world, {.folders = {deep}}).databases.size() == 1);
}

TEST_CASE("Arguments that cannot work are refused, and a stop ends the search") {
  FakeEnv world;
  const auto code_of = [&](const DiscoverRequest& request) {
    const auto found = core::discover_databases(request, world.env(), {});
    return found ? "none" : std::string(core::to_string(found.error().code));
  };
  CHECK(code_of({.patterns = {"a/*.db"}}) == "invalid_argument");
  CHECK(code_of({.patterns = {""}}) == "invalid_argument");
  CHECK(code_of({.folders = {world / "absent"}}) == "not_found");
  test::write_file(world / "file", "");
  CHECK(code_of({.folders = {world / "file"}}) == "invalid_argument");
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = core::discover_databases({}, world.env(), stop.get_token());
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == core::ErrorCode::cancelled);
}

TEST_CASE("A live database in a synced folder, on a Windows drive or on a network is warned of") {
  FakeEnv world;
  world.places.variables["WSL_DISTRO_NAME"] = "Debian";
  make_database(world / "src/Dropbox/app/.orchestrator/project.db");
  make_database(world / "src/c/app/.orchestrator/project.db");
  make_database(world / "src/nas/app/.orchestrator/project.db");
  make_database(world / "src/local/app/.orchestrator/project.db");
  class Mounts final : public test::ForwardingFiles {
   public:
    std::string mounts;
    core::Expected<std::string> read(const fs::path& path, std::uint64_t max) const override {
      if (path == "/proc/mounts") return mounts;
      return ForwardingFiles::read(path, max);
    }
  } files;
  files.mounts = "/dev/sda / ext4 rw 0 0\nC: " + (world / "src/c").string() +
                 " 9p rw 0 0\nnas:/x " + (world / "src/nas").string() + " nfs4 rw 0 0\n";
  const core::Env env{world.clock, files, world.commands, world.places};
  const auto found = core::discover_databases({.folders = {world / "src"}}, env, {});
  REQUIRE(found);
  REQUIRE(found->databases.size() == 4);
  const auto warned = [&](std::size_t i, const std::string& words) {
    const auto& warnings = found->databases[i].warnings;
    return warnings.size() == 1 && warnings[0].find(words) != std::string::npos;
  };
  CHECK(warned(0, "Dropbox syncs"));
  CHECK(warned(1, "Windows drive"));
  CHECK(found->databases[2].warnings.empty());
  CHECK(warned(3, "network file system (nfs4)"));
}

TEST_CASE("A database that only the cloud holds is found and not read") {
  struct CloudFiles : test::ForwardingFiles {
    Expected<core::FileInfo> info(const Path& path) const override {
      auto found = ForwardingFiles::info(path);
      if (found && path.extension() == ".db") found->elsewhere = true;
      return found;
    }
  } files;
  FakeEnv world;
  make_database(world.places.home / ".claude/orchestrator/global.db");
  const core::Env env{world.clock, files, world.commands, world.places};
  const auto found = core::discover_databases({}, env, {});
  REQUIRE(found);
  REQUIRE(found->databases.size() == 1);
  const FoundDatabase& database = found->databases[0];
  CHECK(database.bytes > 0);
  CHECK(database.journal_mode.empty());
  CHECK_FALSE(database.rows);
  REQUIRE(database.warnings.size() == 1);
  CHECK(database.warnings[0].find("in the cloud alone") != std::string::npos);
}

TEST_CASE("Folders of cloud services are known by their names") {
  CHECK(core::cloud_service_of("/home/u/Dropbox/x/global.db") == "Dropbox");
  CHECK(core::cloud_service_of("/Users/u/Library/Mobile Documents/com~apple/x.db") ==
        "iCloud Drive");
  CHECK(core::cloud_service_of("/Users/u/Library/CloudStorage/OneDrive-Personal/x.db") ==
        "OneDrive");
  CHECK(core::cloud_service_of("/mnt/c/Users/u/OneDrive - Firm/x.db") == "OneDrive");
  CHECK(core::cloud_service_of("/home/u/.claude/orchestrator/global.db").empty());
  CHECK(core::cloud_service_of("/home/u/work/Dropbox").empty());  // a file of that name
}

TEST_CASE("The mount that holds a path is the innermost and latest") {
  constexpr const char* kMounts =
      "/dev/sda1 / ext4 rw 0 0\nC:\\134 /mnt/c 9p rw 0 0\n//nas/x /mnt/my\\040share cifs rw 0 0\n"
      "tmpfs /mnt/c tmpfs rw 0 0\n/dev/sdb /mnt/c/data ext4 rw 0 0\n";
  CHECK(core::mount_type_of("/home/u/x.db", kMounts) == "ext4");
  CHECK(core::mount_type_of("/mnt/c/x.db", kMounts) == "tmpfs");
  CHECK(core::mount_type_of("/mnt/cd/x.db", kMounts) == "ext4");
  CHECK(core::mount_type_of("/mnt/my share/x.db", kMounts) == "cifs");
  CHECK(core::mount_type_of("/mnt/c/data/x.db", kMounts) == "ext4");
  CHECK(core::mount_type_of("/x.db", "").empty());
}

TEST_CASE("Patterns fit file names as a shell's do") {
  CHECK(core::fits_pattern("app.sqlite", "*.sqlite"));
  CHECK(core::fits_pattern("app.sqlite", "a??.s*e"));
  CHECK(core::fits_pattern("", "*"));
  CHECK(core::fits_pattern("a*b", "a*b"));
  CHECK_FALSE(core::fits_pattern("app.sqlite3", "*.sqlite"));
  CHECK_FALSE(core::fits_pattern("app", "app?"));
  CHECK_FALSE(core::fits_pattern("App", "app"));
  CHECK_FALSE(core::fits_pattern(std::string(200, 'a'), "*a*a*a*a*a*a*a*a*b"));
}
