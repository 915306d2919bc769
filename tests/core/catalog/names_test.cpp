// Names of snapshots by the day and by the hour, side by side.
#include "core/catalog/names.h"

#include "core/catalog/catalog.h"
#include "core/catalog/name_rules.h"
#include "core/support/dates.h"
#include "support/catch.h"
#include "support/temp_folder.h"

using namespace core;
using std::chrono::minutes;
using test::day;

namespace {

// Its day and hour, or nothing.
std::string read(std::string_view file_name) {
  const auto name = parse_snapshot_name(file_name);
  return name ? name->stem + " " + format_snapshot_day(name->day()) : "";
}

}  // namespace

TEST_CASE("A name carries the day, and by the hour the time, and both forms are read") {
  CHECK(format_snapshot_name({"global", day("2026-11-28")}) == "global-2026-11-28.db");
  CHECK(format_snapshot_name({"global", day("2026-11-28"), minutes{14 * 60}}) ==
        "global-2026-11-28T1400.db");
  CHECK(format_snapshot_name({"global", day("2026-11-28"), minutes{7}}) ==
        "global-2026-11-28T0007.db");
  CHECK(read("global-2026-11-28.db") == "global 2026-11-28");
  CHECK(read("global-2026-11-28T1407.db") == "global 2026-11-28T1407");
  CHECK(read("a-2026-11-28-2026-11-29T0000.db") == "a-2026-11-28 2026-11-29T0000");
  CHECK(read("a-2026-11-28T1407-2026-11-29.db") == "a-2026-11-28T1407 2026-11-29");
}

TEST_CASE("What only looks like a time is no snapshot's name") {
  for (const char* name :
       {"global-2026-11-28T2400.db", "global-2026-11-28T1460.db", "global-2026-11-28T14:07.db",
        "global-2026-11-28t1407.db", "global-2026-11-28T140.db", "global-2026-11-28T14070.db",
        "-2026-11-28T1407.db", "global2026-11-28T1407.db", "global-2026-02-30T1407.db",
        ".global-2026-11-28T1407.db", "global-2026-11-28T1407.db.manifest.json",
        "global-2026-11-28T 407.db", "global-2026-11-28T1407"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_snapshot_name(name));
  }
  CHECK_FALSE(parse_snapshot_day("2026-11-28T"));
  CHECK_FALSE(parse_snapshot_day(""));
}

TEST_CASE("A long name leaves room for the hour, and keeps its stem where it is taken daily") {
  const NameRules rules;
  for (std::size_t length = 150; length <= 255; ++length) {
    const std::string stem(length, 's');
    for (const bool by_hour : {false, true}) {
      SnapshotName name{fitting_stem(stem, rules, by_hour) + "-before-loss-100", day("2026-11-28")};
      if (by_hour) name.time = minutes{0};
      const auto manifest = manifest_path_of(format_snapshot_name(name)).string();
      REQUIRE(manifest.size() + std::string(".~.0123456789abcdef.tmp").size() <= rules.max_bytes);
    }
    if (fitting_stem(stem, rules, true) == stem) CHECK(fitting_stem(stem, rules) == stem);
  }
}

TEST_CASE(
    "A listing has both forms, newest first, goes on behind any of them, and asks for an hour") {
  const test::TempFolder folder;
  const std::vector<std::string> names{"global-2026-11-29T0007.db", "global-2026-11-28T1507.db",
                                       "global-2026-11-28T1407.db", "global-2026-11-28.db",
                                       "global-2026-11-27T2307.db", "global-2026-11-26.db"};
  fs::create_directories(folder / "host");
  for (const auto& name : names) test::write_file(folder / "host" / name, "x");
  FileSystem& files = system_files();
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const auto page = list_snapshots(folder.path(), {}, 1, cursor, files);
    REQUIRE(page);
    REQUIRE(page->total == names.size());
    for (const auto& snapshot : page->snapshots) seen.push_back(snapshot.path.filename().string());
    cursor = page->next_cursor;
  } while (!cursor.empty());
  CHECK(seen == names);

  ListFilter filter;
  filter.from = filter.to = day("2026-11-28");
  CHECK(list_snapshots(folder.path(), filter, 10, "", files)->total == 3);
  filter.time = minutes{14 * 60 + 7};
  const auto page = list_snapshots(folder.path(), filter, 10, "", files);
  REQUIRE(page->snapshots.size() == 1);
  CHECK(page->snapshots[0].path.filename() == "global-2026-11-28T1407.db");
}
