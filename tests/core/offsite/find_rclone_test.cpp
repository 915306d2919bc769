// What rclone's settings say of a remote, and what a recovery sheet makes of them; rclone is
// played.
#include "core/base/paths.h"
#include "core/offsite/offsite_history.h"
#include "core/offsite/recovery_sheet.h"
#include "core/offsite/remote_files.h"
#include "support/catch.h"
#include "support/fake_env.h"

using namespace core;

namespace {

struct PlayedRclone : test::FakeEnv {
  PlayedRclone() {
    test::write_file(config, "[raw]\n");
    places.variables["BPD_RCLONE"] = text_of(program);
    places.variables["RCLONE_CONFIG"] = text_of(config);
    commands.answer = [](const Command& command) -> Expected<CommandResult> {
      CommandResult result;
      result.exit_code = 0;
      const std::string last = command.argv.back();
      if (last == "--long") {
        result.output = "near:   local\nover:   alias\nraw:    webdav\nsecret: crypt\n";
      } else if (last == "dump") {
        result.output =
            R"({"raw":{"type":"webdav","pass":"obscured"},"secret":{"type":"crypt","remote":"raw:enc","password":"hunter2"}})";
      } else if (last == "secret") {
        result.output = "[secret]\ntype = crypt\nremote = raw:enc\npassword = *** ENCRYPTED ***\n";
      } else if (last == "over") {
        result.output = "[over]\ntype = alias\nremote = secret:sub\n";
      } else if (last == "near") {
        result.output = "[near]\ntype = alias\nremote = /media/disk\n";
      } else {
        result.output = "[raw]\ntype = webdav\nurl = https://u:hunter2@dav.example\n";
      }
      return result;
    };
  }
  Expected<RemoteFacts> facts(const RemotePath& remote) {
    return facts_of_remote({program, config}, remote, env(), {});
  }

  fs::path program = folder / "rclone", config = folder / "rclone.conf";
};

}  // namespace

TEST_CASE("A remote is encrypted where a crypt remote stands anywhere below it") {
  PlayedRclone world;
  CHECK(world.facts({"secret", "x"})->encrypted);
  const auto over = world.facts({"over", "x"});
  REQUIRE(over);
  CHECK(over->encrypted);
  CHECK(over->chain == std::vector<std::string>{"over", "secret", "raw"});
  CHECK_FALSE(over->local);
  CHECK_FALSE(world.facts({"raw", "x"})->encrypted);
}

TEST_CASE(
    "A remote that ends in a folder here is told as such, and one that is not there by name") {
  PlayedRclone world;
  const auto near = world.facts({"near", "claude"});
  REQUIRE(near);
  CHECK(near->local == fs::path("/media/disk/claude"));
  const auto none = world.facts({"nosuch", "x"});
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::not_found);
  CHECK_THAT(none.error().message, Catch::Contains("nosuch:"));
}

TEST_CASE(
    "Variables that change rclone do not reach it, and settings under a password are refused") {
  PlayedRclone world;
  REQUIRE(world.facts({"raw", "x"}));
  for (const Command& command : world.commands.commands) {
    CHECK(command.dropped_variables == "RCLONE_");
    CHECK(command.argv[1] == "--ask-password=false");
  }
  CHECK(find_rclone(world.env(), {})->config == world.config);
  test::write_file(world.config, "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nx");
  const auto locked = find_rclone(world.env(), {});
  REQUIRE_FALSE(locked);
  CHECK(locked.error().code == ErrorCode::unsupported);
  fs::remove(world.config);
  CHECK(find_rclone(world.env(), {}).error().code == ErrorCode::not_found);
}

TEST_CASE("A recovery sheet has the settings of the remotes involved, and is for its user alone") {
  PlayedRclone world;
  const auto write = [&](const fs::path& path) {
    return write_recovery_sheet(path, {world.program, world.config},
                                {{{"secret", "claude"}, "bring it home"}}, {world / "home"},
                                world.env(), {});
  };
  const fs::path sheet = world.folder / "sheet.txt";
  REQUIRE(write(sheet));
  const std::string text = test::read_file(sheet);
  CHECK_THAT(text, Catch::Contains("[secret]") && Catch::Contains("password = hunter2") &&
                       Catch::Contains("[raw]") && Catch::Contains("\nbring it home\n"));
  CHECK_THAT(text, !Catch::Contains("[near]"));
#ifndef _WIN32
  CHECK((fs::status(sheet).permissions() & fs::perms::all) ==
        (fs::perms::owner_read | fs::perms::owner_write));
#endif
  CHECK(sheet_written_at({"secret", "claude"}, world.env()));
  REQUIRE(write(sheet));  // an earlier sheet goes
  test::write_file(world.folder / "mine.txt", "mine");
  CHECK(write(world.folder / "mine.txt").error().code == ErrorCode::conflict);
  CHECK(test::read_file(world.folder / "mine.txt") == "mine");
  CHECK(write(world / "home/sheet.txt").error().code == ErrorCode::invalid_argument);
}

TEST_CASE("What lies off this machine is listed as files here are, and cannot be changed") {
  test::FakeEnv world;
  const RemotePath root{"backup", "claude"};
  RemoteFiles files(root, {{"vm/x.db", 7, true, world.clock.now()}, {"vm/app/y.db", 8, true, {}}},
                    world / "state", system_files());
  CHECK(files.info(path_of("backup:claude/vm/x.db"))->bytes == 7);
  CHECK(files.info(path_of("backup:claude/vm/x.db"))->elsewhere);
  CHECK(files.info(path_of("backup:claude/vm/app"))->kind == FileInfo::Kind::folder);
  CHECK(files.link_kind(path_of("backup:claude/vm/app")) == FileInfo::Kind::folder);
  CHECK(files.list(path_of("backup:claude/vm"), 10)->size() == 2);
  CHECK(files.list(path_of("backup:claude"), 10)->size() == 1);
  CHECK(files.info(path_of("backup:claude/no")).error().code == ErrorCode::not_found);
  CHECK(files.remove(path_of("backup:claude/vm/x.db")).error().code == ErrorCode::unsupported);
  REQUIRE(files.write_atomically(world / "here.txt", "as ever", 0600));
  CHECK(*files.read(world / "here.txt", 100) == "as ever");
  CHECK(files.link_kind(world / "here.txt") == FileInfo::Kind::file);
}
