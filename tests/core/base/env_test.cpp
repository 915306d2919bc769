#include "core/base/env.h"

#include <thread>

#include "support/catch.h"
#include "support/temp_folder.h"

using core::Command;
using core::ErrorCode;
using core::FileInfo;
using std::chrono::milliseconds;
using test::TempFolder;
namespace fs = std::filesystem;

TEST_CASE("A stop ends a sleep") {
  std::stop_source stop;
  const std::jthread stopper([&] { stop.request_stop(); });
  CHECK_FALSE(core::system_clock().sleep_for(std::chrono::minutes{5}, stop.get_token()));
  CHECK(core::system_clock().sleep_for(milliseconds{1}, std::stop_token()));
}

TEST_CASE("A file is told from a folder and nothing") {
  const TempFolder folder;
  core::FileSystem& files = core::system_files();
  test::write_file(folder / "file", "12345");
  CHECK(files.info(folder / "file")->kind == FileInfo::Kind::file);
  CHECK(files.info(folder / "file")->bytes == 5);
  CHECK(*files.cached_id(folder / "file") == files.info(folder / "file")->id);
  CHECK(files.cached_id(folder / "absent").error().code == ErrorCode::not_found);
  CHECK(files.link_info(folder / "file")->kind == FileInfo::Kind::file);
  CHECK(files.link_kind(folder / "file") == FileInfo::Kind::file);
  CHECK(files.link_kind(folder.path()) == FileInfo::Kind::folder);
  CHECK(files.link_kind(folder / "absent").error().code == ErrorCode::not_found);
  CHECK(files.link_kind(folder / "absent").error().message.find("absent") != std::string::npos);
  CHECK(files.info(folder.path())->kind == FileInfo::Kind::folder);
  CHECK(files.info(folder / "absent").error().code == ErrorCode::not_found);
  CHECK(files.info(folder / "absent").error().message.find("absent") != std::string::npos);
}

TEST_CASE("A link is told from what it leads to") {
  const TempFolder folder;
  core::FileSystem& files = core::system_files();
  test::write_file(folder / "file", "12345");
  fs::create_symlink("file", folder / "link");
  CHECK(files.info(folder / "link")->id == files.info(folder / "file")->id);
  CHECK(*files.cached_id(folder / "link") == files.info(folder / "file")->id);
  CHECK(files.link_info(folder / "link")->kind == FileInfo::Kind::symlink);
  CHECK(files.link_kind(folder / "link") == FileInfo::Kind::symlink);
}

TEST_CASE("Reading and listing stop at their bounds") {
  const TempFolder folder;
  core::FileSystem& files = core::system_files();
  test::write_file(folder / "a", std::string(100'000, 'a'));
  test::write_file(folder / "b", "");
  CHECK(files.read(folder / "a", 100'000)->size() == 100'000);
  CHECK(files.read(folder / "a", 99'999).error().code == ErrorCode::invalid_argument);
  CHECK(files.read(folder / "b", 0) == "");
  CHECK_FALSE(files.read(folder.path(), 10));
  CHECK(files.list(folder.path(), 2)->size() == 2);
  CHECK_FALSE(files.list(folder.path(), 1));
}

TEST_CASE("An atomic write replaces the file, sets its mode and leaves nothing beside it") {
  const TempFolder folder;
  core::FileSystem& files = core::system_files();
  REQUIRE(files.write_atomically(folder / "file", "one", 0600));
  REQUIRE(files.write_atomically(folder / "file", "two", 0640));
  CHECK(test::read_file(folder / "file") == "two");
#ifndef _WIN32  // where there are no modes
  CHECK(files.info(folder / "file")->mode == 0640);
#endif
  CHECK(test::names_in(folder.path()) == "file");
}

TEST_CASE("An atomic write that cannot replace its target leaves nothing beside it") {
  const TempFolder folder;
  fs::create_directories(folder / "target/inside");
  CHECK_FALSE(core::system_files().write_atomically(folder / "target", "text", 0600));
  CHECK_FALSE(core::system_files().write_atomically(folder / "absent/file", "text", 0600));
  CHECK(test::names_in(folder.path()) == "target");
}

TEST_CASE("Folders are made with their parents and may be there already") {
  const TempFolder folder;
  core::FileSystem& files = core::system_files();
  REQUIRE(files.make_folders(folder / "a/b/c", 0700));
  REQUIRE(files.make_folders(folder / "a/b/c", 0700));
  CHECK(files.info(folder / "a/b/c")->mode == 0700);
  test::write_file(folder / "file", "");
  CHECK(files.make_folders(folder / "file", 0700).error().code == ErrorCode::conflict);
  CHECK_FALSE(files.make_folders(folder / "file/below", 0700));
}

TEST_CASE("A folder is not removed as a file, nor one with content at all") {
  const TempFolder folder;
  core::FileSystem& files = core::system_files();
  fs::create_directories(folder / "a/b");
  CHECK_FALSE(files.remove(folder / "a"));
  CHECK_FALSE(files.remove_empty_folder(folder / "a"));
  CHECK(files.remove_empty_folder(folder / "a/b"));
  CHECK(files.remove(folder / "absent").error().code == ErrorCode::not_found);
  CHECK(files.sync_folder(folder.path()));
  CHECK(files.free_bytes(folder.path()).value() > 0);
}

TEST_CASE("A command that is not there is an error that names it") {
  Command command;
  command.argv = {"no-such-program-of-ours"};
  const auto result = core::system_commands().run(command, {});
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::not_found);
  CHECK(result.error().message.find("no-such-program-of-ours") != std::string::npos);
  CHECK_FALSE(core::system_commands().run(Command{}, {}));
}

TEST_CASE("The places of the user are absolute") {
  const auto places = core::system_places();
  REQUIRE(places);
  for (const auto& place : {places->home, places->state, places->config, places->data,
                            places->program, places->current_folder}) {
    CHECK(place.is_absolute());
  }
#ifdef _WIN32
  CHECK(places->state.parent_path().filename() == "backup-plugin-db");
#else
  CHECK(places->state.filename() == "backup-plugin-db");
#endif
  CHECK_FALSE(places->host.empty());
  CHECK_FALSE(places->user.empty());
}
