// Which names a destination can hold.
#include "core/catalog/name_rules.h"

#include "support/catch.h"
#include "support/temp_folder.h"

namespace {

using core::check_folder_fits;
using core::fitting_stem;
using core::NameRules;

constexpr NameRules kUnix{255, false};
constexpr NameRules kWindows{255, true};

TEST_CASE("A stem that fits stays as it is") {
  CHECK(fitting_stem("global", kWindows) == "global");
  CHECK(fitting_stem("what? a:b*", kUnix) == "what? a:b*");
  CHECK(fitting_stem(std::string(180, 'a'), kUnix) == std::string(180, 'a'));
}

TEST_CASE("Characters that Windows' file systems do not know are replaced, and names stay apart") {
  const std::string one = fitting_stem("a?b", kWindows), other = fitting_stem("a:b", kWindows);
  CHECK(one.starts_with("a_b-"));
  CHECK(one != other);
  CHECK(one == fitting_stem("a?b", kWindows));
  for (const char c : std::string("?*:\"<>|\\\n")) {
    CHECK(fitting_stem(std::string("x") + c, kWindows).starts_with("x_-"));
  }
}

TEST_CASE("A stem that is too long is cut between characters, so that every name made of it fits") {
  const std::string longest = fitting_stem(std::string(240, 'a'), kUnix);
  CHECK(longest.size() + 66 <= 255);
  CHECK(longest != fitting_stem(std::string(241, 'a'), kUnix));
  std::string umlauts;
  for (int i = 0; i < 120; ++i) umlauts += "\xc3\xa4";
  const std::string cut = fitting_stem(umlauts, kUnix);
  const std::size_t mark = cut.find('-');
  CHECK(mark % 2 == 0);
  CHECK(cut.size() <= longest.size());
  CHECK(fitting_stem(std::string(100, 'a'), NameRules{143, false}).size() + 66 <= 143);
}

TEST_CASE("A label that cannot name a folder on Windows' file systems is refused by its name") {
  for (const char* name : {"a:b", "what?", "ends.", "ends ", "AUX", "con.old", "com1", "Lpt9",
                           "COM\u00b9", "lpt\u00b3.x"}) {
    CAPTURE(name);
    const auto refused = check_folder_fits(name, "label", kWindows);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == core::ErrorCode::invalid_argument);
    CHECK(refused.error().message.find(std::string("label \"") + name + "\"") != std::string::npos);
    CHECK(check_folder_fits(name, "label", kUnix));
  }
  for (const char* name : {"", "work", "com", "com10", "com\u2074", "auxiliary", "a.b c"}) {
    CAPTURE(name);
    CHECK(check_folder_fits(name, "label", kWindows));
  }
}

TEST_CASE("The rules of an ordinary folder are the usual ones") {
  const test::TempFolder folder;
  const auto rules = core::name_rules_of(folder.path(), core::system_files());
  CHECK(rules.max_bytes <= 255);
  CHECK(rules.max_bytes >= 100);
}

}  // namespace
