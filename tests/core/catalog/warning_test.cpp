#include "core/catalog/warning.h"

#include "support/catch.h"

using core::decode_warnings;
using core::encode_warnings;
using core::Warning;
using core::WarningKind;

TEST_CASE("Warnings come back as they were stored, whatever their texts look like") {
  const std::string mark(1, core::kKindMark);
  std::vector<std::string> texts{"x",
                                 "The database has lost most of its content: 3 rows now.",
                                 "The database is very small now.",
                                 "ping_url was not reached.",
                                 "The monitor was not reached.",
                                 "on_failure ended with exit code 1.",
                                 "/backups/ping_url is on the same disk.",
                                 "a" + mark + "b",
                                 mark,
                                 "other"};
  for (const std::string name : {"shrunk", "ping", "on_failure", "other", "of tomorrow", ""}) {
    texts.push_back("a table named " + mark + name);
  }
  std::vector<Warning> warnings;
  for (const auto kind :
       {WarningKind::other, WarningKind::shrunk, WarningKind::ping, WarningKind::on_failure}) {
    for (const std::string& text : texts) warnings.emplace_back(text, kind);
  }
  for (const Warning& warning : warnings) {
    INFO(warning.text << " " << static_cast<int>(warning.kind));
    CHECK(decode_warnings(encode_warnings({warning})) == std::vector{warning});
  }
  CHECK(decode_warnings(encode_warnings(warnings)) == warnings);
  CHECK(encode_warnings({}).empty());
  CHECK(decode_warnings("").empty());
}

TEST_CASE("A text cannot raise an alarm that is none, by its beginning or by a line break") {
  const std::string lost = "The database has lost most of its content";
  const auto kinds_of = [](const Warning& warning) {
    std::vector<WarningKind> kinds;
    for (const Warning& one : decode_warnings(encode_warnings({warning}))) {
      kinds.push_back(one.kind);
    }
    return kinds;
  };
  CHECK(kinds_of(Warning(lost + ", it says.")) == std::vector{WarningKind::other});
  CHECK(kinds_of(Warning("The table notes\n" + lost)) == std::vector{WarningKind::other});
  CHECK(kinds_of(Warning("The table notes" + std::string(1, core::kKindMark) + "shrunk")) ==
        std::vector{WarningKind::other});
}

TEST_CASE("A kind of a later version is a warning of no special kind") {
  const std::string stored = std::string("The moon is full.") + core::kKindMark + "moon\nx";
  CHECK(decode_warnings(stored) == std::vector{Warning("The moon is full."), Warning("x")});
}
