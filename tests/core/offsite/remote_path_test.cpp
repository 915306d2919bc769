#include "core/offsite/remote_path.h"

#include "support/catch.h"

using namespace core;

namespace {

std::string refusal_of(std::string_view text) {
  const auto parsed = parse_remote_folder(text);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == ErrorCode::invalid_argument);
  return parsed.error().message;
}

}  // namespace

TEST_CASE("A remote and a folder on it are told apart") {
  const auto remote = parse_remote_folder("backup:claude/laptop/");
  REQUIRE(remote);
  CHECK(remote->name == "backup");
  CHECK(remote->path == "claude/laptop");
  CHECK(below(*remote, "vm/x.db") == "backup:claude/laptop/vm/x.db");
  CHECK(below({"backup", ""}, "x.db") == "backup:x.db");
  CHECK(below({"nas", "/srv"}, "x.db") == "nas:/srv/x.db");
}

TEST_CASE("What rclone would take for a folder here, a flag or a secret is refused") {
  CHECK_THAT(refusal_of("mydrive/backups"), Catch::Contains("without a colon"));
  CHECK_THAT(refusal_of("./a:b"), Catch::Contains("names no remote"));
  CHECK_THAT(refusal_of("--config:x"), Catch::Contains("dash"));
  CHECK_THAT(refusal_of(":s3,secret_access_key=hunter2:bucket"), !Catch::Contains("hunter2"));
  CHECK_THAT(refusal_of("dav,pass=hunter2:x"), !Catch::Contains("hunter2"));
  CHECK_THAT(refusal_of("backup:../x"), Catch::Contains(".."));
  CHECK_THAT(refusal_of("backup:"), Catch::Contains("no folder"));
  CHECK_THAT(refusal_of("C:\\Backups"), Catch::Contains("two characters"));
  CHECK_THAT(refusal_of("a\nb:c"), Catch::Contains("control"));
}

TEST_CASE("A text with a colon before any slash is meant as a remote") {
  CHECK(looks_remote("backup:claude"));
  CHECK(looks_remote("my drive:x"));
  CHECK_FALSE(looks_remote("/x/backup:claude"));
  CHECK_FALSE(looks_remote("./backup:claude"));
  CHECK_FALSE(looks_remote("C:/Backups"));
  CHECK_FALSE(looks_remote("-x:y"));
  CHECK_FALSE(looks_remote("~/Backups"));
}
