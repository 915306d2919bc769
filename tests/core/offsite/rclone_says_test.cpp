#include "core/offsite/rclone_says.h"

#include "core/offsite/keep_text.h"
#include "core/offsite/rclone.h"
#include "support/catch.h"

using namespace core;

TEST_CASE("Words of rclone's become kinds of our own, and none of them goes on") {
  struct Case {
    const char* said;
    RcloneFault fault;
    ErrorCode code;
  };
  // As rclone 1.60 prints them.
  const Case cases[] = {
      {R"({"level":"error","msg":"error listing: couldn't list files: Propfind \"http://u:hunter2@h/\": dial tcp 127.0.0.1:28099: connect: connection refused"})",
       RcloneFault::unreachable, ErrorCode::io},
      {"Failed to lsjson: lookup nohost.invalid on 10.0.0.1:53: no such host",
       RcloneFault::unreachable, ErrorCode::io},
      {"Failed to create file system for \"sft:\": NewFs: couldn't connect SSH: ssh: handshake "
       "failed: ssh: unable to authenticate, attempted methods [none password]",
       RcloneFault::login, ErrorCode::permission_denied},
      {"couldn't list files: Unauthorized: 401 Unauthorized", RcloneFault::login,
       ErrorCode::permission_denied},
      {"Failed to cat: failed to authenticate decrypted block - bad password?",
       RcloneFault::unreadable, ErrorCode::damaged},
      {"Failed to create file system for \"nosuch:\": didn't find section in config file",
       RcloneFault::unknown_remote, ErrorCode::not_found},
      {"error in ListJSON: directory not found", RcloneFault::missing, ErrorCode::not_found},
      {"Failed to copyto: write /x: no space left on device", RcloneFault::full,
       ErrorCode::no_space},
      {"Failed to copyto: Put: read tcp: i/o timeout", RcloneFault::slow, ErrorCode::timed_out},
      {"Error: unknown flag: --download", RcloneFault::usage, ErrorCode::unsupported},
      {"Failed to deletefile: Forbidden: 403 Forbidden", RcloneFault::refused,
       ErrorCode::permission_denied},
      {"something new: hunter2", RcloneFault::other, ErrorCode::io},
  };
  for (const auto& [said, fault, code] : cases) {
    INFO(said);
    CHECK(fault_of(said) == fault);
    const Error error = error_of(fault, "cannot list backup:x");
    CHECK(error.code == code);
    CHECK_THAT(error.message, Catch::StartsWith("cannot list backup:x: "));
    CHECK_THAT(error.message + error.hint, !Catch::Contains("hunter2"));
    CHECK_FALSE(error.hint.empty());
  }
}

TEST_CASE("Only what the network may mend is waited for") {
  for (const auto fault :
       {RcloneFault::unreachable, RcloneFault::slow, RcloneFault::full, RcloneFault::other}) {
    CHECK(may_pass(error_of(fault, "x")));
  }
  for (const auto fault : {RcloneFault::login, RcloneFault::unreadable, RcloneFault::unknown_remote,
                           RcloneFault::encrypted_config, RcloneFault::refused}) {
    CHECK_FALSE(may_pass(error_of(fault, "x")));
  }
}

TEST_CASE("A list that is cut off is none") {
  const auto whole = read_listing(
      R"([{"Path":"vm/x.db","Name":"x.db","Size":7,"ModTime":"2026-11-29T01:02:03.5+01:00","IsDir":false},
          {"Path":"y","Size":-1,"ModTime":"","IsDir":false},{"Path":"z","IsDir":true}])");
  REQUIRE(whole);
  REQUIRE(whole->size() == 2);
  CHECK((*whole)[0].path == "vm/x.db");
  CHECK((*whole)[0].bytes == 7);
  CHECK(format_instant((*whole)[0].modified) == "2026-11-29T00:02:03Z");
  CHECK_FALSE((*whole)[1].has_size);
  for (const char* cut : {"", "[", R"([{"Path":"x","Size":7},)", R"([{"Size":7}])", "{}", "[7]"}) {
    INFO(cut);
    CHECK_FALSE(read_listing(cut));
  }
}

TEST_CASE("Keep rules on one line are read, and written back") {
  const auto policy = parse_keep_text("last=3,daily=7,weekly=4,monthly=12");
  REQUIRE(policy);
  CHECK(policy->keep_last == 3);
  CHECK(policy->keep_monthly == 12);
  CHECK_FALSE(policy->retain_days);
  CHECK(format_keep_text(*policy) == "last=3,daily=7,weekly=4,monthly=12");
  CHECK(parse_keep_text("all")->empty());
  for (const char* wrong : {"", "last", "last=0", "last=-1", "last=3,", "weeks=2", "last=3 days=2",
                            "last=99999999999"}) {
    INFO(wrong);
    CHECK_FALSE(parse_keep_text(wrong));
  }
}
