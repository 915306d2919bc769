#include "server/terminal.h"

#include "support/catch.h"

namespace {

using server::printable;

TEST_CASE("Names that would steer the terminal are spelled out, all others printed as they are") {
  CHECK(printable("a\tb\nL\xc3\xb6we \xe2\x9c\x93") == "a\tb\nL\xc3\xb6we \xe2\x9c\x93");
  CHECK(printable("\x1b[2Jx\r\x7f") == "\\x1b[2Jx\\x0d\\x7f");
  CHECK(printable("\xc2\x9b"
                  "31m \xc2\xa0") ==
        "\\x9b"
        "31m \xc2\xa0");
  CHECK(printable("\xc2").size() == 1);
}

TEST_CASE("Yes is yes in capitals, too, and everything else is no") {
  for (const char* yes : {"y", "Y", "yes", "YES", "Yes", "true", "True", " y ", "yes\r"}) {
    INFO(yes);
    CHECK(server::means_yes(yes));
  }
  for (const char* no : {"n", "N", "no", "NO", "", " ", "yep", "yes no", "ye", "false", "1"}) {
    INFO(no);
    CHECK_FALSE(server::means_yes(no));
  }
}

}  // namespace
