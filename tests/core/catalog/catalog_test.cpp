#include "core/catalog/catalog.h"

#include <set>

#include "core/catalog/names.h"
#include "core/restore/choose_snapshot.h"
#include "core/support/dates.h"
#include "core/verify/verify.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/temp_folder.h"

namespace fs = std::filesystem;
using core::Date;
using core::ErrorCode;
using core::ListFilter;
using core::Manifest;
using core::parse_snapshot_name;
using test::day;
using test::TempFolder;

namespace {

// A file that bears a snapshot's name; with a source, also a manifest.
void put(const fs::path& path, const std::string& source = "", const std::string& host = "",
         const std::string& label = "", const char* taken = "2026-01-01") {
  fs::create_directories(path.parent_path());
  test::write_file(path, "0123456789");
  if (source.empty()) return;
  Manifest manifest;
  manifest.source = source;
  manifest.host = host;
  manifest.label = label;
  manifest.bytes = 10;
  manifest.page_size = 4096;
  manifest.taken_at = core::Instant{std::chrono::sys_days{day(taken)}};
  manifest.verified = core::VerifyLevel::quick;
  REQUIRE(core::write_manifest(path, manifest, core::system_files()));
}

core::ListPage list(const fs::path& destination, const ListFilter& filter = {},
                    std::size_t limit = 100, const std::string& cursor = "") {
  auto page = core::list_snapshots(destination, filter, limit, cursor, core::system_files());
  if (!page) FAIL(page.error().message);
  return *page;
}

std::string paths_of(const core::ListPage& page, const fs::path& destination) {
  std::string paths;
  for (const auto& snapshot : page.snapshots) {
    paths +=
        (paths.empty() ? "" : " ") + snapshot.path.lexically_relative(destination).generic_string();
  }
  return paths;
}

}  // namespace

TEST_CASE("A snapshot's name is its stem and a day") {
  CHECK(core::format_snapshot_name({"global", day("2026-11-23")}) == "global-2026-11-23.db");
  const auto name = parse_snapshot_name("my-project.x-2026-11-23.db");
  REQUIRE(name);
  CHECK(name->stem == "my-project.x");
  CHECK(name->date == day("2026-11-23"));
}

TEST_CASE("Other files are not snapshots by their name") {
  for (const char* name :
       {"global-2026-11-23.db.manifest.json", ".~global-2026-11-23.db.0123.tmp",
        "global-2026-11-23.db-wal", "global-2026-11-23.db-journal", "-2026-11-23.db",
        "2026-11-23.db", ".global-2026-11-23.db", "global-2026-13-23.db", "global-2026-11-23.DB",
        "global2026-11-23.db", "global-2026-11-23.sqlite", "global.db", ""}) {
    CAPTURE(name);
    CHECK_FALSE(parse_snapshot_name(name));
  }
}

TEST_CASE("Snapshots of all hosts and labels are listed, newest first") {
  const TempFolder folder;
  put(folder / "flat-2026-01-01.db");
  put(folder / "host/global-2026-01-03.db", "/g.db", "host");
  put(folder / "host/global-2026-01-02.db");
  put(folder / "host/project-a/project-2026-01-03.db");
  put(folder / "host/project-a/deeper/global-2026-01-09.db");
  put(folder / "label/flat-2026-01-04.db", "/f.db", "machine", "label");
  put(folder / ".hidden/global-2026-01-08.db");
  test::write_file(folder / "host/readme.txt", "x");
  fs::create_directories(folder / "host/global-2026-01-07.db");  // a folder of that name
  fs::create_symlink("global-2026-01-03.db", folder / "host/global-2026-01-06.db");
  fs::create_directory_symlink(folder / "host", folder / "linked");

  const auto page = list(folder.path());
  CHECK(paths_of(page, folder.path()) ==
        "label/flat-2026-01-04.db host/global-2026-01-03.db host/project-a/project-2026-01-03.db "
        "host/global-2026-01-02.db flat-2026-01-01.db");
  CHECK(page.total == 5);
  CHECK(page.total_bytes == 50);
  CHECK(page.next_cursor.empty());
  CHECK(page.warnings.empty());
  CHECK(page.snapshots[0].label == "label");
  CHECK(page.snapshots[0].host.empty());
  CHECK(page.snapshots[1].host == "host");
  CHECK(page.snapshots[1].verified());
  CHECK(page.snapshots[2].label == "project-a");
  CHECK_FALSE(page.snapshots[3].manifest);
  CHECK_FALSE(page.snapshots[3].verified());
  CHECK(page.snapshots[4].host.empty());
}

TEST_CASE("Snapshots are chosen by host, label, stem, day and source") {
  const TempFolder folder;
  put(folder / "a/global-2026-01-01.db", "/one.db", "a");
  put(folder / "a/global-2026-01-02.db", "/two.db", "a");
  put(folder / "a/work/global-2026-01-03.db", "/one.db", "a", "work");
  put(folder / "b/other-2026-01-04.db", "/one.db", "b");
  const auto count = [&](const ListFilter& filter) { return list(folder.path(), filter).total; };
  CHECK(count({.host = "a"}) == 3);
  CHECK(count({.label = "work"}) == 1);
  CHECK(count({.host = "a", .label = ""}) == 2);
  CHECK(count({.stem = "other"}) == 1);
  CHECK(count({.source = "/one.db"}) == 3);
  CHECK(count({.source = "/one.db", .from = day("2026-01-02")}) == 2);
  CHECK(count({.from = day("2026-01-02"), .to = day("2026-01-03")}) == 2);
  CHECK(count({.host = "absent"}) == 0);
}

TEST_CASE("Pages hold every snapshot once, also when some go in between") {
  const TempFolder folder;
  for (int i = 0; i < 25; ++i) {
    const auto date = std::chrono::sys_days{day("2026-01-01")} + std::chrono::days{i / 2};
    put(folder / ("h" + std::to_string(i % 3)) /
        core::format_snapshot_name({"s" + std::to_string(i), Date{date}}));
  }
  std::set<fs::path> seen;
  std::string cursor;
  int pages = 0;
  do {
    const auto page = list(folder.path(), {}, 4, cursor);
    CHECK(page.total == 25);
    for (const auto& snapshot : page.snapshots) {
      CHECK(seen.insert(snapshot.path).second);
    }
    cursor = page.next_cursor;
    ++pages;
  } while (!cursor.empty() && pages < 20);
  CHECK(pages == 7);
  CHECK(seen.size() == 25);

  const auto first = list(folder.path(), {}, 4);
  fs::remove(first.snapshots.back().path);
  const auto second = list(folder.path(), {}, 4, first.next_cursor);
  CHECK(second.snapshots.size() == 4);
  for (const auto& snapshot : second.snapshots) {
    for (const auto& earlier : first.snapshots) {
      CHECK(snapshot.path != earlier.path);
    }
  }
}

TEST_CASE("A text that is no cursor is refused") {
  const TempFolder folder;
  for (const char* cursor : {"x", "v1:", "v1:../../etc/passwd", "v2:h/s-2026-01-01.db"}) {
    const auto page = core::list_snapshots(folder.path(), {}, 5, cursor, core::system_files());
    CAPTURE(cursor);
    REQUIRE_FALSE(page);
    CHECK(page.error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("A destination that is not there is an error, an unreadable manifest a warning") {
  const TempFolder folder;
  CHECK(core::list_snapshots(folder / "absent", {}, 5, "", core::system_files()).error().code ==
        ErrorCode::not_found);
  put(folder / "h/s-2026-01-01.db");
  test::write_file(folder / "h/s-2026-01-01.db.manifest.json", "broken");
  const auto page = list(folder.path());
  REQUIRE(page.snapshots.size() == 1);
  CHECK_FALSE(page.snapshots[0].manifest_problem.empty());
  CHECK(page.warnings.size() == 1);
}

TEST_CASE("Listing writes nothing") {
  const TempFolder folder;
  put(folder / "h/s-2026-01-01.db", "/s.db", "h");
  const std::string before = test::names_in(folder / "h");
  list(folder.path());
  CHECK(test::names_in(folder / "h") == before);
  CHECK(test::names_in(folder.path()) == "h");
}

TEST_CASE("The series of one stem has all its snapshots with their manifests") {
  const TempFolder folder;
  put(folder / "s-2026-01-01.db", "/s.db", "h", "l");
  put(folder / "s-2026-01-03.db", "/s.db");
  put(folder / "s-t-2026-01-02.db", "/s.db");
  put(folder / "below/s-2026-01-02.db", "/s.db");
  const auto series = core::list_series(folder.path(), "s", core::system_files());
  REQUIRE(series);
  REQUIRE(series->size() == 2);
  CHECK(series->at(0).date == day("2026-01-03"));
  CHECK(series->at(1).manifest->source == "/s.db");
  CHECK(series->at(1).label == "l");
}

TEST_CASE("Row counts by table are kept of the newest of a wide series, and totals of all") {
  const TempFolder folder;
  Manifest wide;
  wide.source = "/s.db";
  wide.page_size = 4096;
  for (int i = 0; i < 40'000; ++i) wide.rows["t" + std::to_string(i)] = 2;
  for (const char* date : {"1", "2", "3", "4", "5"}) {
    const fs::path path = folder / ("s-2026-01-0" + std::string(date) + ".db");
    test::write_file(path, "x");
    REQUIRE(core::write_manifest(path, wide, core::system_files()));
  }
  const auto series = core::list_series(folder.path(), "s", core::system_files());
  REQUIRE(series);
  REQUIRE(series->size() == 5);
  CHECK(series->at(2).manifest->rows.size() == 40'000);
  CHECK(series->at(3).manifest->rows.empty());
  for (const auto& snapshot : *series) {
    CHECK(core::holdings_of(*snapshot.manifest).total == 80'000);
  }
  const auto page = list(folder.path());
  CHECK(page.snapshots.front().manifest->rows.empty());
  CHECK(page.snapshots.front().manifest->omitted.tables == 40'000);
}

TEST_CASE(
    "The newest snapshot of a source is found by its manifest, also when the source is gone") {
  const TempFolder folder;
  put(folder / "real/live.db");
  fs::create_directory_symlink("real", folder / "link");
  std::vector<fs::path> ways{folder / "real/live.db"};
  if (fs::exists(folder / "link")) ways.push_back(folder / "link/live.db");  // Wine follows none
  put(folder / "b/h/live-2026-01-01.db", (folder / "real/live.db").string());
  put(folder / "b/h/live-2026-01-02.db", (folder / "real/live.db").string());
  put(folder / "b/h/live-2026-01-03.db", "/another/live.db");
  test::FakeEnv world;
  const core::Env env = world.env();
  const auto newest = folder / "b/h/live-2026-01-02.db";
  const auto latest = [&](const fs::path& source) {
    return core::latest_snapshot_of(source, folder / "b", core::Damaged::is_passed_over, env)->path;
  };
  for (const fs::path& way : ways) CHECK(latest(way) == newest);
  fs::remove(folder / "real/live.db");
  for (const fs::path& way : ways) CHECK(latest(way) == newest);
  const auto none = core::latest_snapshot_of(folder / "other.db", folder / "b",
                                             core::Damaged::is_passed_over, env);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::not_found);
}

TEST_CASE("The latest snapshot is the one taken last, whatever day its name and the clock told") {
  const TempFolder folder;
  test::FakeEnv world;  // on 2026-11-23
  put(folder / "live.db");
  const std::string source = (folder / "live.db").string();
  const auto latest = [&] {
    return core::latest_snapshot_of(folder / "live.db", folder / "b", core::Damaged::counts,
                                    world.env())
        ->path;
  };
  put(folder / "b/h/live-2030-01-01.db", source, "h", "", "2030-01-01");
  CHECK(latest() == folder / "b/h/live-2030-01-01.db");
  put(folder / "b/h/live-2026-11-22.db", source, "h", "", "2026-11-22");
  CHECK(latest() == folder / "b/h/live-2026-11-22.db");
  put(folder / "b/h/hourly/live-2026-11-20.db", source, "h", "hourly", "2026-11-23");
  CHECK(latest() == folder / "b/h/hourly/live-2026-11-20.db");
}

TEST_CASE("A snapshot that was cut short since it was checked does not count as verified") {
  const TempFolder folder;
  put(folder / "b/h/live-2026-01-02.db", "/x/live.db");
  CHECK(list(folder / "b").snapshots.at(0).verified());
  fs::resize_file(folder / "b/h/live-2026-01-02.db", 5);
  CHECK_FALSE(list(folder / "b").snapshots.at(0).verified());
}
