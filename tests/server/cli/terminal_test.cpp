#include "server/cli/terminal.h"

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
}

TEST_CASE("Bytes that are no UTF-8 and characters that turn or break a line are spelled out") {
  CHECK(printable("\xc2") == "\\xc2");
  CHECK(printable("a\x9b"
                  "2J") == "a\\x9b2J");
  CHECK(printable("\xc0\xaf \xed\xa0\x80 \xf5") == "\\xc0\\xaf \\xed\\xa0\\x80 \\xf5");
  CHECK(printable("gpj.\xe2\x80\xae"
                  "exe") == "gpj.\\u{202e}exe");
  CHECK(printable("\xe2\x81\xa6 \xe2\x80\xa8 \xd8\x9c") == "\\u{2066} \\u{2028} \\u{061c}");
  CHECK(printable("\xf0\x9f\x98\x80 \xd7\xa9 \xe2\x80\x94") ==
        "\xf0\x9f\x98\x80 \xd7\xa9 \xe2\x80\x94");
}

TEST_CASE("A name with lines in it stays on its line") {
  CHECK(server::printable_line("a\nRemoved b\tc") == "a\\x0aRemoved b\\x09c");
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
