// What people see of times, paths and problems.
#include "server/cli/view.h"

#include <cstdlib>
#include <ctime>

#include "support/catch.h"

namespace {

#ifndef _WIN32
// The machine's time zone for the life of this.
class Zone {
 public:
  explicit Zone(const char* name) {
    if (const char* set = std::getenv("TZ")) before_ = set;
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  ~Zone() {
    if (before_.empty()) {
      ::unsetenv("TZ");
    } else {
      ::setenv("TZ", before_.c_str(), 1);
    }
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

 private:
  std::string before_;
};

constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";
#endif
const core::Instant kWinter = *core::parse_instant("2026-11-28T12:00:00Z");

}  // namespace

#ifndef _WIN32
TEST_CASE("Times are those of the clock on the wall, with the offset where it was another one") {
  const Zone zone(kBerlin);
  const auto seen = [](const std::string& text) { return server::with_local_times(text, kWinter); };
  CHECK(seen("taken 2026-11-28T03:07:01Z.") == "taken 2026-11-28 04:07.");
  CHECK(seen("2026-11-27T23:30:00Z") == "2026-11-28 00:30");
  CHECK(seen("2026-07-01T03:07:00Z, 2026-11-28T03:07:00Z") ==
        "2026-07-01 05:07 (+02:00), 2026-11-28 04:07");
  // Both half past twos of the night in which the clock goes back.
  CHECK(seen("2026-10-25T00:30:00Z") == "2026-10-25 02:30 (+02:00)");
  CHECK(seen("2026-10-25T01:30:00Z") == "2026-10-25 02:30");
}

TEST_CASE("What is somebody's data is no time of ours") {
  const Zone zone(kBerlin);
  for (const char* text :
       {"'2026-11-28T03:07:01Z'", "/a/2026-11-28T03:07:01Z", "2026-13-28T03:07:01Z", "2026-11-28",
        "x2026-11-28T03:07:01Z", "T", ""}) {
    CHECK(server::with_local_times(text, kWinter) == text);
  }
}
#endif

TEST_CASE("The home is ~ where a path begins a word, and stays in quotes and longer names") {
  server::View view;
  view.now = kWinter;
  view.home = "/home/me";
  const auto seen = [&view](const std::string& text) { return server::as_seen(text, view); };
  CHECK(seen("/home/me/a.db: see /home/me (/home/me/b)") == "~/a.db: see ~ (~/b)");
  for (const char* text :
       {"'/home/me/a b'", "--target=/home/me/x", "/home/mead/x", "/mnt/home/me/x"}) {
    CHECK(seen(text) == text);
  }
  view.home.clear();
  CHECK(seen("/home/me/a.db") == "/home/me/a.db");
}

TEST_CASE("Problems and heads of tables stand out in a terminal that has colour") {
  server::View view;
  const std::vector<server::Paint> paints = {{"failing", server::Colour::bad},
                                             {"ok", server::Colour::good}};
  const std::string text = "STATUS   PATH\nfailing  /a\nok       /b\nokay\n";
  CHECK(server::laid_out(text, view, paints) == text);
  view.width = 80;
  CHECK(server::laid_out(text, view, paints) == text);
  view.colour = true;
  CHECK(server::laid_out(text, view, paints) ==
        "\x1b[1mSTATUS   PATH\x1b[0m\n\x1b[1;31mfailing\x1b[0m  /a\n\x1b[32mok\x1b[0m       "
        "/b\nokay\n");
}

TEST_CASE("Sentences are folded to the terminal, and tables and commands left whole") {
  server::View view;
  view.width = 20;
  CHECK(server::laid_out("A sentence that is longer than this\n", view, {}) ==
        "A sentence that is\n  longer than this\n");
  const std::string table = "/a long path/of a.db  3 h  12.3 kB\n    below it stands more of it\n";
  CHECK(server::laid_out(table, view, {}) == table);
}
