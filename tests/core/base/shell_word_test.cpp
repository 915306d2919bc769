// What people paste into their shells.
#include "core/base/shell_word.h"

#include "support/catch.h"

using core::shell_word;
using core::windows_shell_word;

TEST_CASE(
    "A word for a shell of Windows is quoted where cmd or PowerShell would read it otherwise") {
  CHECK(windows_shell_word("C:\\Users\\ann\\x-y_1.db") == "C:\\Users\\ann\\x-y_1.db");
  CHECK(windows_shell_word("--in-place") == "--in-place");
  CHECK(windows_shell_word("C:\\Ann L\\x.db") == "\"C:\\Ann L\\x.db\"");
  CHECK(windows_shell_word("C:\\a b\\") == "\"C:\\a b\\\\\"");
  CHECK(windows_shell_word("a\\\"b") == "\"a\\\\\\\"b\"");
  CHECK(windows_shell_word("it's") == "\"it's\"");
  CHECK(windows_shell_word("a,b") == "\"a,b\"");
  CHECK(windows_shell_word("日本.db") == "\"日本.db\"");
  CHECK(windows_shell_word("").size() == 2);
}

TEST_CASE("A word for a POSIX shell is quoted where that would read it otherwise") {
  CHECK(shell_word("/home/me/x_1.db") == "/home/me/x_1.db");
  CHECK(shell_word("my project") == "'my project'");
  CHECK(shell_word("it's") == "'it'\\''s'");
  CHECK(shell_word("").size() == 2);
}
