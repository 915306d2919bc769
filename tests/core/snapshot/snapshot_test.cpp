// take_snapshot: what it publishes, what it refuses, and what it leaves alone.
#include "core/snapshot/snapshot.h"

#include <fstream>
#include <thread>

#include "core/base/call.h"
#include "core/catalog/history.h"
#include "core/catalog/names.h"
#include "core/platform/run_lock.h"
#include "core/platform/sha256.h"
#include "core/snapshot/snapshot_plan.h"
#include "support/catch.h"
#include "support/paths.h"
#include "support/snapshots.h"
#include "support/test_database.h"
#include "support/writer_process.h"

namespace {

namespace fs = std::filesystem;
using core::Date;
using core::ErrorCode;
using core::VerifyLevel;
using test::files_below;
using test::read_file;
using test::SnapshotWorld;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

bool any_contains(const std::vector<std::string>& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

bool any_contains(const std::vector<core::Warning>& warnings, const std::string& part) {
  return any_contains(core::texts_of(warnings), part);
}

TEST_CASE("A snapshot is published with its manifest under host and date") {
  const std::string mode = GENERATE("wal", "delete");
  SnapshotWorld world;
  test::make_notes_database(world.source, {mode, 4096, 30});
  test::run_sql(world.source, "PRAGMA user_version = 42");
  const std::string before = read_file(world.source);
  const auto result = world.take();
  INFO((result ? "" : result.error().message));
  REQUIRE(result);
  CHECK(result->snapshot == world.host_folder() / "global-2026-11-23.db");
  CHECK(files_below(world.destination) ==
        Names{"testhost/global-2026-11-23.db", "testhost/global-2026-11-23.db.manifest.json"});
  CHECK(files_below(world.live) == Names{"global.db"});
  CHECK(read_file(world.source) == before);
  const std::string bytes = read_file(result->snapshot);
  CHECK(bytes.substr(18, 2) == "\1\1");
  CHECK(core::system_files().info(result->snapshot)->mode == 0600);

  const auto manifest = core::read_manifest(result->snapshot, core::system_files());
  REQUIRE(manifest);
  CHECK(manifest->source == fs::canonical(world.source).string());
  CHECK(manifest->host == "testhost");
  CHECK(manifest->label.empty());
  CHECK(core::format_instant(manifest->taken_at) == "2026-11-23T12:00:00Z");
  CHECK(manifest->sha256 == core::sha256_of(bytes));
  CHECK(manifest->bytes == bytes.size());
  CHECK(manifest->page_size == 4096);
  CHECK(manifest->page_count == bytes.size() / 4096);
  CHECK(manifest->user_version == 42);
  CHECK(manifest->journal_mode == mode);
  CHECK(manifest->rows.at("notes") == 30);
  CHECK(manifest->rows.at("ledger_in") == 30);
  CHECK(manifest->verified == VerifyLevel::full);  // the first of its series
  CHECK(manifest->verified_at.has_value());
  CHECK(manifest->full_check_at == manifest->verified_at);
  CHECK_FALSE(result->replaced);
  CHECK(result->warnings.empty());
  CHECK(test::invariant_holds(result->snapshot));
  CHECK(test::query_text(result->snapshot, "PRAGMA integrity_check") == "ok");
}

TEST_CASE("A snapshot opens and closes without leaving anything beside it") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  const auto result = world.take();
  REQUIRE(result);
  const auto before = files_below(world.destination);
  CHECK(test::query_text(result->snapshot, "PRAGMA journal_mode") == "delete");
  CHECK(test::query_integer(result->snapshot, "SELECT count(*) FROM notes") == 20);
  CHECK(files_below(world.destination) == before);
}

TEST_CASE("Full-text search finds the same in the snapshot as in the source") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"wal", 4096, 100});
  const auto result = world.take();
  REQUIRE(result);
  const std::string query = "SELECT group_concat(rowid) FROM notes_fts WHERE notes_fts MATCH '1*'";
  CHECK(test::query_text(result->snapshot, query) == test::query_text(world.source, query));
}

TEST_CASE("Label, flat layout, host name and date decide the place") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  auto request = world.request();
  request.label = "shop";
  request.hostname = "laptop";
  request.date = Date{std::chrono::year{2025}, std::chrono::March, std::chrono::day{9}};
  auto result = world.take(request);
  REQUIRE(result);
  CHECK(result->snapshot == world.destination / "laptop" / "shop" / "global-2025-03-09.db");
  CHECK(result->manifest.host == "laptop");
  CHECK(result->manifest.label == "shop");
  request.flat = true;
  result = world.take(request);
  REQUIRE(result);
  CHECK(result->snapshot == world.destination / "shop" / "global-2025-03-09.db");
  request.label.clear();
  result = world.take(request);
  REQUIRE(result);
  CHECK(result->snapshot == world.destination / "global-2025-03-09.db");
}

TEST_CASE("Names with spaces, quotes, percent signs and other scripts are only names") {
  SnapshotWorld world;
  const fs::path folder =
      world.live / core::path_of(test::allowed_name("a 'b' \"c\" %41?x=1#y $HOME ключ"));
  fs::create_directory(folder);
  world.source = folder / test::allowed_name("my 'data'%20?mode=ro&x#y.db");
  test::make_notes_database(world.source);
  auto request = world.request();
  request.label = "l'été $(id) %s";
  const auto result = world.take(request);
  INFO((result ? "" : result.error().message));
  REQUIRE(result);
  CHECK(result->snapshot.filename() ==
        test::allowed_name("my 'data'%20?mode=ro&x#y-2026-11-23.db"));
  CHECK(result->manifest.rows.at("notes") == 20);
  CHECK(files_below(folder).size() == 1);
}

struct Refusal {
  ErrorCode code;
  std::string message;
};

Refusal refusal(SnapshotWorld& world, const core::SnapshotRequest& request) {
  const auto before = files_below(world.folder.path() / "live");
  const auto result = world.take(request);
  REQUIRE_FALSE(result);
  INFO(result.error().message);
  CHECK_FALSE(result.error().hint.empty());
  CHECK(fs::is_empty(world.destination));
  CHECK(files_below(world.folder.path() / "live") == before);
  return {result.error().code, result.error().message};
}

TEST_CASE("What cannot be a source is refused and nothing is created") {
  SnapshotWorld world;
  auto request = world.request();
  CHECK(refusal(world, request).code == ErrorCode::not_found);
  test::write_file(world.source, "");
  CHECK(refusal(world, request).code == ErrorCode::not_a_database);
  test::write_file(world.source, std::string(4096, 'x'));
  CHECK(refusal(world, request).code == ErrorCode::not_a_database);
  request.source = world.live;
  CHECK(refusal(world, request).code == ErrorCode::not_a_database);
  request.source.clear();
  CHECK(refusal(world, request).code == ErrorCode::invalid_argument);
}

TEST_CASE("What cannot be a destination is refused and nothing is created") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  auto request = world.request();
  request.destination.clear();
  CHECK(refusal(world, request).code == ErrorCode::invalid_argument);
  request.destination = world / "nowhere";
  CHECK(refusal(world, request).code == ErrorCode::not_found);
  CHECK_FALSE(fs::exists(world / "nowhere"));
  request.destination = world.source;
  CHECK(refusal(world, request).code == ErrorCode::invalid_argument);
  request.destination = world.live;
  CHECK(refusal(world, request).code == ErrorCode::invalid_argument);
  fs::create_directory(world.live / "backups");
  request.destination = world.live / "backups";
  CHECK(refusal(world, request).code == ErrorCode::invalid_argument);
  // The host's folder would be the source's.
  request.destination = world.folder.path();
  request.hostname = "live";
  CHECK(refusal(world, request).code == ErrorCode::invalid_argument);
}

TEST_CASE("A destination by which a link leads to the source's folder is refused") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  auto request = world.request();
  fs::create_directory(world.live / "backups");
  fs::create_directory_symlink(world.live / "backups", world / "link");
  request.destination = world / "link";
  CHECK(refusal(world, request).code == ErrorCode::invalid_argument);
}

TEST_CASE("Labels and host names that are no folder names are refused") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  const std::string name = GENERATE("..", ".", "../x", "a/b", "/", "a\\b", ".hidden", "a\nb");
  auto request = world.request();
  request.label = name;
  CHECK(refusal(world, request).code == ErrorCode::invalid_argument);
  request.label.clear();
  request.hostname = name;
  CHECK(refusal(world, request).code == ErrorCode::invalid_argument);
}

TEST_CASE("A source locked past the deadline is called busy and nothing is created") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"delete", 4096, 20});
  test::WriterProcess writer(world.source, {test::WriterOptions::Mode::hold_exclusive});
  auto request = world.request();
  request.busy_timeout = 100ms;
  const auto result = world.take(request);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::busy);
  CHECK(fs::is_empty(world.destination));
}

TEST_CASE("A second run on the same day replaces the first and names it") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  const auto first = world.take();
  REQUIRE(first);
  test::run_sql(world.source, test::commit_sql(20));
  world.clock.advance(1h);
  const auto second = world.take();
  REQUIRE(second);
  CHECK(second->replaced);
  CHECK(second->snapshot == first->snapshot);
  CHECK(test::query_integer(second->snapshot, "SELECT commits FROM counter") == 21);
  REQUIRE(second->manifest.replaces.has_value());
  CHECK(second->manifest.replaces->sha256 == first->manifest.sha256);
  CHECK(files_below(world.destination).size() == 2);
  const auto third = world.take();
  REQUIRE(third);
  CHECK(third->manifest.replaces->sha256 == second->manifest.sha256);
}

TEST_CASE("A run that takes the place of one with more rows says so, however few they are") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  test::run_sql(world.source, "CREATE TABLE log(line); INSERT INTO log VALUES (1), (2), (3)");
  REQUIRE(world.take());
  REQUIRE(world.take()->warnings.empty());
  test::run_sql(world.source, "DELETE FROM log WHERE line = 2");
  const auto third = world.take();
  REQUIRE(third);
  REQUIRE(third->warnings.size() == 1);
  CHECK(third->warnings[0].text ==
        "It took the place of the day's earlier snapshot, which had more rows in log: 3, now 2.");
}

TEST_CASE("A file that an earlier tool made the same day is replaced, and its digest is kept") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  fs::create_directory(world.host_folder());
  fs::copy_file(world.source, world.host_folder() / "global-2026-11-23.db");
  const std::string digest = core::sha256_of(read_file(world.source));
  const auto result = world.take();
  REQUIRE(result);
  CHECK(result->replaced);
  CHECK(result->manifest.replaces->sha256 == digest);
}

TEST_CASE("Two sources that would share a name are told apart by a label") {
  SnapshotWorld world;
  const fs::path shop = world.live / "shop" / ".claude" / "orchestrator";
  const fs::path blog = world.live / "blog" / ".claude" / "orchestrator";
  fs::create_directories(shop);
  fs::create_directories(blog);
  test::make_notes_database(shop / "project.db");
  test::make_notes_database(blog / "project.db");
  auto request = world.request();
  request.source = shop / "project.db";
  REQUIRE(world.take(request));
  const auto before = read_file(world.host_folder() / "project-2026-11-23.db");
  request.source = blog / "project.db";
  const auto refused = world.take(request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK(refused.error().hint.find("\"blog\"") != std::string::npos);
  CHECK(read_file(world.host_folder() / "project-2026-11-23.db") == before);
  // Nor on another day: the two would be one series.
  world.clock.advance(24h);
  CHECK_FALSE(world.take(request));
  request.label = "blog";
  CHECK(world.take(request));
}

TEST_CASE("The same file by a link is the same source") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  REQUIRE(world.take());
  world.clock.advance(24h);
  auto request = world.request();
  fs::create_symlink(world.source, world.live / "link.db");
  request.source = world.live / "link.db";
  const auto same = world.take(request);
  REQUIRE(same);
  CHECK(same->snapshot == world.host_folder() / "global-2026-11-24.db");
}

TEST_CASE("Side files and folders in the snapshot's place are refused") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  const std::string suffix = GENERATE("-wal", "-journal", "-shm");
  fs::create_directory(world.host_folder());
  const fs::path stale = world.host_folder() / ("global-2026-11-23.db" + suffix);
  test::write_file(stale, "stale");
  auto result = world.take();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::conflict);
  CHECK(result.error().message.find(stale.string()) != std::string::npos);
  CHECK(files_below(world.destination).size() == 1);
  fs::remove(stale);
  fs::create_directory(world.host_folder() / "global-2026-11-23.db");
  result = world.take();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::conflict);
}

TEST_CASE("A damaged source is never published, and the older snapshot stays") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"delete", 4096, 400});
  const auto good = world.take();
  REQUIRE(good);
  const auto before = read_file(good->snapshot);
  const auto manifest = read_file(good->manifest_path);
  const auto root = test::query_integer(
      world.source, "SELECT rootpage FROM sqlite_master WHERE name = 'idx_notes_type'");
  test::patch_file(world.source, static_cast<std::uint64_t>(root - 1) * 4096,
                   std::string(512, '\x7f'));
  const auto result = world.take();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::damaged);
  const std::string& message = result.error().message;
  CHECK_THAT(message, Catch::StartsWith("The copy of " + world.source.string() +
                                        " failed its check (quick_check: "));
  CHECK_THAT(message,
             Catch::Contains("). No snapshot was published; older snapshots are as they were. "));
  CHECK(message.find(".)") == std::string::npos);
  CHECK(message.find(".;") == std::string::npos);
  // Only the copy was read: it may be the destination's disk, and no reason to replace the source.
  CHECK_THAT(result.error().hint, Catch::StartsWith("Check the source with PRAGMA quick_check, ") &&
                                      Catch::Contains("destination's disk is at fault") &&
                                      Catch::Contains(say(core::Action::restore)));
  CHECK(read_file(good->snapshot) == before);
  CHECK(read_file(good->manifest_path) == manifest);
  CHECK(files_below(world.destination).size() == 4);  // with the copy of the damaged one
}

TEST_CASE("After a failure the folders that the run made are gone, and no others") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"delete", 4096, 400});
  world.stop.request_stop();
  auto request = world.request();
  request.label = "app";
  REQUIRE_FALSE(world.take(request));
  CHECK(fs::is_empty(world.destination));
}

TEST_CASE("A link in the place of the host's or the label's folder is refused") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  const fs::path elsewhere = world.folder / "disk/snapshots";
  fs::create_directories(elsewhere);
  auto request = world.request();
  request.label = "app";
  const auto refused = [&](const fs::path& link) {
    const auto taken = world.take(request);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == ErrorCode::conflict);
    CHECK(taken.error().message.find(link.string()) != std::string::npos);
    CHECK(fs::is_empty(elsewhere));
  };
  fs::create_directory_symlink(elsewhere, world.host_folder());
  refused(world.host_folder());
  fs::remove(world.host_folder());
  fs::create_directory(world.host_folder());
  fs::create_directory_symlink(elsewhere, world.host_folder() / "app");
  refused(world.host_folder() / "app");
  // The destination itself may be one: it is followed once.
  fs::remove(world.host_folder() / "app");
  fs::create_directory_symlink(world.destination, world.folder / "link");
  request.destination = world.folder / "link";
  const auto taken = world.take(request);
  REQUIRE(taken);
  CHECK(taken->snapshot.parent_path() == world.host_folder() / "app");
}

TEST_CASE("A place that is taken by a file which is not of the series is refused") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  REQUIRE(world.take());
  const auto plan = core::plan_snapshot(world.request(), world.env());
  REQUIRE(plan);
  // As where the file system does not tell global from Global.
  const auto place = core::check_place(*plan, {}, core::system_files());
  REQUIRE_FALSE(place);
  CHECK(place.error().code == ErrorCode::conflict);
}

TEST_CASE(
    "A database whose header counts no pages, as old versions of SQLite wrote it, is copied") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"delete", 4096, 20});
  test::patch_file(world.source, 28, std::string(4, '\0'));
  test::patch_file(world.source, 92, std::string(4, '\0'));
  const std::string before = read_file(world.source);
  const auto result = world.take();
  INFO((result ? "" : result.error().message));
  REQUIRE(result);
  CHECK(read_file(result->snapshot) == before);
  CHECK(result->manifest.page_count == before.size() / 4096);
  CHECK(result->manifest.verified == VerifyLevel::full);
}

TEST_CASE("A dry run says what would happen and writes nothing at all") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  auto request = world.request();
  request.dry_run = true;
  request.retention.keep_last = 1;
  auto result = world.take(request);
  REQUIRE(result);
  CHECK(result->dry_run);
  CHECK(result->snapshot == world.host_folder() / "global-2026-11-23.db");
  CHECK(result->manifest.page_size == 4096);
  CHECK(result->manifest.bytes == fs::file_size(world.source));
  CHECK(fs::is_empty(world.destination));
  CHECK(files_below(world.places.state).empty());

  request.dry_run = false;
  REQUIRE(world.take(request));
  world.clock.advance(24h);
  const auto before = files_below(world.destination);
  request.dry_run = true;
  result = world.take(request);
  REQUIRE(result);
  REQUIRE(result->retention.size() == 2);
  CHECK_FALSE(result->retention[0].expired);
  CHECK(result->retention[1].expired);
  CHECK(files_below(world.destination) == before);
  request.dry_run = false;
  const auto real = world.take(request);
  REQUIRE(real);
  REQUIRE(real->retention.size() == 2);
  CHECK(real->retention[1].snapshot.path == result->retention[1].snapshot.path);
  CHECK(real->retention[1].reason == result->retention[1].reason);
  CHECK(real->removed == std::vector<fs::path>{result->retention[1].snapshot.path});
  CHECK(files_below(world.destination) ==
        Names{"testhost/global-2026-11-24.db", "testhost/global-2026-11-24.db.manifest.json"});
}

TEST_CASE("Thirty failing nights remove nothing") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  auto request = world.request();
  request.retention.retain_days = 3;
  const auto good = world.take(request);
  REQUIRE(good);
  fs::rename(world.source, world.live / "moved.db");
  for (int night = 0; night < 30; ++night) {
    world.clock.advance(24h);
    CHECK_FALSE(world.take(request));
  }
  CHECK(fs::exists(good->snapshot));
  CHECK(fs::exists(good->manifest_path));
}

TEST_CASE("An emptied database raises the alarm, and no older snapshot is removed") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"wal", 4096, 100});
  auto request = world.request();
  request.retention.keep_last = 1;
  const auto full = world.take(request);
  REQUIRE(full);
  CHECK_FALSE(full->shrink_alarm);
  world.clock.advance(24h);
  test::run_sql(world.source,
                "DELETE FROM links; DELETE FROM notes; DELETE FROM ledger_in;"
                "DELETE FROM ledger_out");
  request.dry_run = true;
  const auto preview = world.take(request);
  REQUIRE(preview);
  CHECK(preview->shrink_alarm);
  CHECK(preview->retention.empty());
  request.dry_run = false;
  const auto empty = world.take(request);
  REQUIRE(empty);
  CHECK(empty->shrink_alarm);
  REQUIRE_FALSE(empty->warnings.empty());
  CHECK(empty->warnings[0].text.starts_with(preview->warnings.at(0).text));
  CHECK(empty->warnings[0].text.find("lost most") != std::string::npos);
  CHECK(empty->removed.empty());
  CHECK(empty->retention.empty());
  CHECK(fs::exists(full->snapshot));
  CHECK(fs::exists(empty->snapshot));
}

TEST_CASE("One emptied table raises the alarm, however many rows others have") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"wal", 4096, 100});
  test::run_sql(world.source,
                "DELETE FROM links; CREATE TABLE log(x); INSERT INTO log WITH RECURSIVE n(i) AS "
                "(VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n");
  auto request = world.request();
  request.retention.keep_last = 1;
  const auto full = world.take(request);
  REQUIRE(full);
  test::run_sql(world.source, "DELETE FROM notes");
  for (int night = 0; night < 3; ++night) {
    world.clock.advance(24h);
    const auto empty = world.take(request);
    REQUIRE(empty);
    CHECK(empty->shrink_alarm == (night == 0));
    if (night == 0) {
      INFO(empty->warnings.at(0).text);
      CHECK(empty->warnings[0].text.find("content in notes: 0 rows now, 100 in") !=
            std::string::npos);
      CHECK(empty->warnings[0].text.find("Both snapshots are kept") != std::string::npos);
    }
  }
  CHECK(fs::exists(full->snapshot));
}

TEST_CASE("Where the newest does not tell what it held, the alarm asks the one before") {
  const std::string how = GENERATE("control", "truncated", "missing", "folder", "no rows", "two");
  CAPTURE(how);
  SnapshotWorld world;
  test::make_notes_database(world.source, {"wal", 4096, 100});
  auto request = world.request();
  fs::path last;
  for (int night = 0; night < 3; ++night) {
    const auto full = world.take(request);
    REQUIRE(full);
    if (how == "two" && night == 1) test::write_file(full->manifest_path, "{");
    last = full->manifest_path;
    // Without a manifest its place in time is that of the file.
    const auto age = std::chrono::hours{24 * (3 - night)};
    fs::last_write_time(full->snapshot, fs::file_time_type::clock::now() - age);
    world.clock.advance(24h);
  }
  world.clock.instant = std::chrono::system_clock::now();
  if (how == "truncated" || how == "two") test::write_file(last, "{");
  if (how == "missing" || how == "folder") fs::remove(last);
  if (how == "folder") fs::create_directory(last);
  if (how == "no rows") {
    const fs::path snapshot =
        last.parent_path() / core::without_manifest_ending(last.filename().string());
    auto manifest = core::read_manifest(snapshot, core::system_files());
    REQUIRE(manifest);
    manifest->rows.clear();
    REQUIRE(core::write_manifest(snapshot, *manifest, core::system_files()));
  }
  test::run_sql(world.source, "DELETE FROM links; DELETE FROM notes; DELETE FROM ledger_in;");
  request.retention.keep_last = 1;
  const auto emptied = world.take(request);
  REQUIRE(emptied);
  CHECK(emptied->shrink_alarm);
  CHECK(emptied->removed.empty());
  CHECK(any_contains(emptied->warnings, "could not be compared") == (how != "control"));
}

TEST_CASE("While the newest cannot be compared, retention stands still for that run") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"wal", 4096, 100});
  auto request = world.request();
  for (int night = 0; night < 3; ++night) {
    const auto taken = world.take(request);
    REQUIRE(taken);
    if (night == 2) test::write_file(taken->manifest_path, "{");
    world.clock.advance(24h);
  }
  world.clock.instant = std::chrono::system_clock::now() + 1h;
  request.retention.keep_last = 1;
  const auto first = world.take(request);
  REQUIRE(first);
  CHECK_FALSE(first->shrink_alarm);
  CHECK(first->removed.empty());
  REQUIRE_FALSE(first->warnings.empty());
  CHECK(first->warnings[0].text.ends_with("No older snapshot was removed in this run."));
  world.clock.advance(24h);
  const auto second = world.take(request);
  REQUIRE(second);
  CHECK(second->removed.size() == 3);  // all but this one and the one whose manifest is unreadable
}

TEST_CASE("The manifest of a run that was killed before its snapshot had its name is swept") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  const auto good = world.take();
  REQUIRE(good);
  const auto put = [&](const std::string& name, const core::Manifest& manifest) {
    REQUIRE(core::write_manifest(world.host_folder() / name, manifest, core::system_files()));
  };
  core::Manifest foreign = good->manifest;
  foreign.source = "/somebody/else.db";
  put("global-2026-11-20.db", good->manifest);  // killed: its copy is there
  test::write_file(world.host_folder() / ".~global-2026-11-20.db.0123456789abcdef.tmp", "x");
  put("global-2026-11-21.db", good->manifest);  // alone: its snapshot may be on its way
  put("global-2026-11-22.db", foreign);
  test::write_file(world.host_folder() / ".~global-2026-11-22.db.0123456789abcdef.tmp", "x");
  const auto next = world.take();
  REQUIRE(next);
  CHECK(next->swept.size() == 3);
  CHECK_FALSE(fs::exists(world.host_folder() / "global-2026-11-20.db.manifest.json"));
  CHECK(fs::exists(world.host_folder() / "global-2026-11-21.db.manifest.json"));
  CHECK(fs::exists(world.host_folder() / "global-2026-11-22.db.manifest.json"));
  CHECK(fs::exists(good->manifest_path));
}

TEST_CASE("An emptied database does not displace the same day's full snapshot") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"wal", 4096, 100});
  const auto full = world.take();
  REQUIRE(full);
  const std::string bytes = read_file(full->snapshot);
  for (int run = 0; run < 2; ++run) {
    test::run_sql(world.source,
                  "DELETE FROM links; DELETE FROM notes; DELETE FROM ledger_in;"
                  "DELETE FROM ledger_out; DROP TABLE IF EXISTS t" +
                      std::to_string(run));
    world.clock.advance(1h);
    const auto empty = world.take();
    REQUIRE(empty);
    CHECK(empty->shrink_alarm == (run == 0));
    CHECK(any_contains(empty->warnings, "before-loss") == (run == 0));
    // The alarm names the place where the lost rows now are.
    if (run == 0)
      CHECK(empty->warnings[0].text.find("before-loss-2026-11-23.db") != std::string::npos);
  }
  const fs::path aside = world.host_folder() / "global-before-loss-2026-11-23.db";
  CHECK(read_file(aside) == bytes);
  CHECK(core::read_manifest(aside, core::system_files())->sha256 == core::sha256_of(bytes));
}

TEST_CASE("A snapshot with a date of the past outlives the retention of its own run") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  REQUIRE(world.take());
  auto request = world.request();
  request.date = core::parse_date("2020-02-29");
  request.retention.keep_last = 1;
  const auto result = world.take(request);
  REQUIRE(result);
  CHECK(result->removed.empty());
  CHECK(fs::exists(result->snapshot));
  CHECK(result->retention.back().reason == "taken in this run");
}

TEST_CASE("Temporaries of dead runs are swept, and nothing else") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  fs::create_directory(world.host_folder());
  const Names dead = {".~global-2026-11-20.db.0123456789abcdef.tmp",
                      ".~global-2026-11-20.db.manifest.json.0123456789abcdef.tmp"};
  const Names foreign = {".~global-2026-11-20.db.tmp",
                         ".~other-2026-11-20.db.0123456789abcdef.tmp",
                         "global-2026-11-20.db.0123456789abcdef.tmp",
                         ".~lock.global.odt#",
                         ".~global-2026-11-20.db.FEDCBA9876543210.tmp",
                         "notes.txt"};
  for (const Names& names : {dead, foreign}) {
    for (const std::string& name : names) test::write_file(world.host_folder() / name, "x");
  }
  const auto result = world.take();
  REQUIRE(result);
  CHECK(result->swept.size() == dead.size());
  for (const auto& name : dead) CHECK_FALSE(fs::exists(world.host_folder() / name));
  for (const auto& name : foreign) CHECK(fs::exists(world.host_folder() / name));
}

TEST_CASE("Every run is recorded in the history, good or bad, and a dry one is not") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  auto request = world.request();
  request.schedule = "nightly";
  REQUIRE(world.take(request));
  request.source = world.live / "absent.db";
  REQUIRE_FALSE(world.take(request));
  request.dry_run = true;
  REQUIRE_FALSE(world.take(request));
  const auto runs = core::list_runs({}, world.env());
  REQUIRE(runs);
  REQUIRE(runs->size() == 2);
  CHECK((*runs)[0].ok == false);
  CHECK((*runs)[0].error_code == "not_found");
  CHECK((*runs)[0].source == (world.live / "absent.db").string());
  CHECK((*runs)[1].ok);
  CHECK((*runs)[1].kind == "snapshot");
  CHECK((*runs)[1].schedule == "nightly");
  CHECK((*runs)[1].bytes == fs::file_size((*runs)[1].snapshot));
}

TEST_CASE("A history that cannot be written is a warning, not a failure") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  fs::create_directory(world.places.state / "history.db");
  const auto result = world.take();
  REQUIRE(result);
  CHECK(any_contains(result->warnings, "could not be recorded"));
  CHECK(fs::exists(result->snapshot));
}

TEST_CASE("Retention goes on where the history is damaged or of a newer version, with a warning") {
  const bool newer = GENERATE(false, true);
  SnapshotWorld world;
  test::make_notes_database(world.source);
  auto request = world.request();
  for (int day = 0; day < 3; ++day) {
    world.clock.advance(std::chrono::hours{24});
    REQUIRE(world.take(request));
  }
  const fs::path history = world / "state/history.db";
  if (newer) {
    test::run_sql(history, "PRAGMA user_version = 99");
  } else {
    fs::remove(history.string() + "-wal");
    test::write_file(history, std::string(20'000, 'x'));
  }
  request.retention.keep_last = 2;
  const auto result = world.take(request);
  REQUIRE(result);
  CHECK(any_contains(result->warnings, newer ? "newer backup-plugin-db" : "begun anew"));
  CHECK(test::files_below(world.host_folder()).size() == 4);
}

TEST_CASE("A loss of rows in a full-text table of its own is told, and nothing is removed") {
  SnapshotWorld world;
  test::run_sql(world.source,
                "CREATE TABLE log(a); WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 "
                "FROM n WHERE i < 100) INSERT INTO log SELECT i FROM n;"
                "CREATE VIRTUAL TABLE memory USING fts5(text);"
                "INSERT INTO memory SELECT 'note ' || a FROM log");
  const auto first = world.take();
  REQUIRE(first);
  CHECK(first->manifest.rows.size() == 1);
  CHECK(first->manifest.virtual_rows->at("memory") == 100);
  test::run_sql(world.source, "DELETE FROM memory WHERE rowid > 3");
  world.clock.advance(std::chrono::hours{24});
  const auto second = world.take();
  REQUIRE(second);
  CHECK(second->shrink_alarm);
  CHECK(any_contains(second->warnings, "in memory: 3 rows now, 100 in"));
}

TEST_CASE(
    "A manifest of an earlier version, without virtual tables, fits its snapshot and raises "
    "no alarm") {
  SnapshotWorld world;
  test::run_sql(world.source,
                "CREATE TABLE t(a); CREATE VIRTUAL TABLE memory USING fts5(text);"
                "INSERT INTO memory VALUES ('x')");
  const auto first = world.take();
  REQUIRE(first);
  auto manifest = first->manifest;
  manifest.virtual_rows.reset();
  manifest.machine.clear();
  REQUIRE(core::write_manifest(first->snapshot, manifest, core::system_files()));
  core::VerifyRequest request;
  request.snapshot = first->snapshot;
  core::NoProgress progress;
  const auto report = core::verify_snapshot(request, world.env(), progress, {});
  REQUIRE(report);
  CHECK(report->verdict == core::VerifyReport::Verdict::verified);
  CHECK(report->virtual_rows.at("memory") == 1);
  world.clock.advance(std::chrono::hours{24});
  const auto second = world.take();
  REQUIRE(second);
  CHECK(second->warnings.empty());
}

TEST_CASE("A count of a virtual table that is not the manifest's is found") {
  SnapshotWorld world;
  test::run_sql(world.source,
                "CREATE VIRTUAL TABLE memory USING fts5(text); INSERT INTO memory VALUES ('x')");
  const auto taken = world.take();
  REQUIRE(taken);
  auto manifest = taken->manifest;
  manifest.virtual_rows->at("memory") = 5;
  (*manifest.virtual_rows)["of another module"] = 7;
  REQUIRE(core::write_manifest(taken->snapshot, manifest, core::system_files()));
  core::VerifyRequest request;
  request.snapshot = taken->snapshot;
  core::NoProgress progress;
  const auto report = core::verify_snapshot(request, world.env(), progress, {});
  REQUIRE(report);
  CHECK(report->verdict == core::VerifyReport::Verdict::damaged);
  CHECK(core::describe_failures(*report) ==
        "row_counts: Table memory has 1 rows; the manifest says 5");
}

TEST_CASE("Without a check the manifest says so and still counts the rows") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  auto request = world.request();
  request.verify = VerifyLevel::none;
  const auto result = world.take(request);
  REQUIRE(result);
  CHECK_FALSE(result->verification.has_value());
  CHECK(result->manifest.verified == VerifyLevel::none);
  CHECK_FALSE(result->manifest.verified_at.has_value());
  CHECK(result->manifest.rows.at("notes") == 20);
}

class Recorder final : public core::ProgressSink {
 public:
  std::function<void(std::uint64_t)> on_copy;
  void report(std::uint64_t done, std::uint64_t total, const std::string& phase) override {
    phases.push_back(phase);
    if (phase == "copy") {
      CHECK(done <= total);
      if (on_copy) on_copy(done);
    }
  }
  std::vector<std::string> phases;
};

TEST_CASE("Progress tells of the copy, then of the check") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  Recorder progress;
  REQUIRE(core::take_snapshot(world.request(), world.env(), progress, {}));
  REQUIRE_FALSE(progress.phases.empty());
  CHECK(progress.phases.front() == "copy");
  CHECK(std::find(progress.phases.begin(), progress.phases.end(), "verify") !=
        progress.phases.end());
}

TEST_CASE("A cancelled run leaves nothing behind, not even its folder") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  test::run_sql(world.source, "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(20000000))");
  Recorder progress;
  progress.on_copy = [&](std::uint64_t) { world.stop.request_stop(); };
  const auto result =
      core::take_snapshot(world.request(), world.env(), progress, world.stop.get_token());
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::cancelled);
  CHECK(fs::is_empty(world.destination));
  CHECK(files_below(world.live) == Names{"global.db"});
}

TEST_CASE("Two runs at once take their turns") {
  SnapshotWorld world;
  test::make_notes_database(world.source, {"wal", 4096, 200});
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] { good += world.take().has_value() ? 1 : 0; });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 6);
  CHECK(files_below(world.destination).size() == 2);
}

TEST_CASE("A run that waits too long for another one says which") {
  SnapshotWorld world;
  test::make_notes_database(world.source);
  REQUIRE(world.take());
  const auto lock =
      core::RunLock::acquire("run\n" + world.source.string() + "\n" + world.destination.string(),
                             "x", 0ms, world.env(), {});
  REQUIRE(lock);
  auto request = world.request();
  request.lock_timeout = 50ms;
  const auto result = world.take(request);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::busy);
  CHECK(result.error().message.find("Process ") != std::string::npos);
}

}  // namespace
