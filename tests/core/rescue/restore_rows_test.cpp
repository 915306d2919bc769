#include "core/rescue/put_back.h"
#include "core/support/rescue_scene.h"
#include "support/writer_process.h"

namespace fs = std::filesystem;
using core::ErrorCode;
using Scene = test::RescueScene;

namespace {

constexpr const char* kLoseFive = "DELETE FROM notes WHERE id IN ('n1','n2','n3','n4','n5')";

}  // namespace

TEST_CASE("Five notes come back with all that hung on them, and the undo takes out just these") {
  Scene scene;
  const std::string before = scene.content();
  scene.run(kLoseFive);
  scene.run("INSERT INTO notes(id, content) VALUES('new1','fresh'), ('new2','fresh')");
  const std::string lost = scene.content();
  const auto result = scene.put_back({"notes"});
  CHECK(result.rows == 5 + 6 + 5 + 10);
  CHECK(result.tables.at("notes").put_back == 5);
  CHECK(result.tables.at("notes").keys.size() == 5);
  CHECK(result.tables.at("links").hanging == 6);
  CHECK(result.tables.at("embeddings").put_back == 5);
  CHECK(result.tables.at("note_chunks").put_back == 10);
  CHECK(result.left_total == 0);
  CHECK(result.warnings.empty());
  CHECK(fs::exists(result.before));
  CHECK(result.before != scene.snapshot);
  CHECK(scene.integer("SELECT count(*) FROM notes") == 42);
  CHECK(scene.integer("SELECT count(*) FROM notes_fts WHERE notes_fts MATCH 'word3'") == 1);
  CHECK(scene.integer("SELECT count(*) FROM notes_fts WHERE notes_fts MATCH 'fresh'") == 2);
  scene.check_whole();
  CHECK(scene.put_back({"notes"}).rows == 0);

  const auto undone = scene.undo(result.undo);
  CHECK(undone.rows == result.rows);
  CHECK(undone.left_total == 0);
  CHECK(scene.content() == lost);
  scene.check_whole();
  CHECK(scene.integer("SELECT count(*) FROM notes_fts WHERE notes_fts MATCH 'word3'") == 0);
  scene.run("DELETE FROM notes WHERE id LIKE 'new%'");
  scene.put_back({"notes"});
  CHECK(scene.content() == before);
}

TEST_CASE("The snapshot of today stays, though the present state is kept on the same day") {
  Scene scene;
  const std::string bytes = test::read_file(scene.snapshot);
  scene.run(kLoseFive);
  const auto first = scene.put_back({"notes"});
  scene.run(kLoseFive);
  const auto second = scene.put_back({"notes"});
  CHECK(first.before != second.before);
  CHECK(test::read_file(scene.snapshot) == bytes);
  CHECK(test::query_integer(first.before, "SELECT count(*) FROM notes") == 35);
}

TEST_CASE("A preview tells what would be put back and writes nothing") {
  Scene scene;
  scene.run(kLoseFive);
  const std::string bytes = test::read_file(scene.live);
  const auto names = test::names_in(scene.live.parent_path());
  auto request = scene.request({"notes"});
  request.dry_run = true;
  request.confirmed = false;
  const auto preview = scene.restore(request);
  CHECK(preview.rows == 26);
  CHECK(preview.tables.at("links").put_back == 6);
  CHECK(preview.undo.empty());
  CHECK(preview.before.empty());
  CHECK(test::read_file(scene.live) == bytes);
  CHECK(test::names_in(scene.live.parent_path()) == names);
  CHECK_FALSE(fs::exists(scene.places.state / "undo-rows"));
}

TEST_CASE("A preview has room for more than fits into memory") {
  Scene scene(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
      "INSERT INTO t SELECT i, randomblob(500000) FROM n;");
  scene.run("DELETE FROM t");
  auto request = scene.request({"t"});
  request.dry_run = true;
  CHECK(scene.restore(request).rows == 60);
  CHECK(test::names_in(scene.live.parent_path()) == "live.db");
}

TEST_CASE("Nothing is written without a choice and a yes") {
  Scene scene;
  scene.run(kLoseFive);
  auto request = scene.request({"notes"});
  request.confirmed = false;
  CHECK(scene.error_of(request).code == ErrorCode::needs_confirmation);
  CHECK(scene.error_of(scene.request({})).code == ErrorCode::invalid_argument);
  CHECK(scene.error_of(scene.request({"absent"})).code == ErrorCode::invalid_argument);
  request = scene.request({"notes"});
  request.snapshots = {scene.live};
  CHECK(scene.error_of(request).code == ErrorCode::invalid_argument);
  CHECK(scene.integer("SELECT count(*) FROM notes") == 35);
}

TEST_CASE("Single rows are chosen by key or by a text in them") {
  Scene scene;
  scene.run(kLoseFive);
  auto request = scene.request();
  request.choice.keys = {"n2"};
  request.choice.tables = {"NOTES"};
  CHECK(scene.restore(request).tables.at("notes").keys == std::vector<std::string>{"n2"});
  request = scene.request();
  request.choice.text = "Content of note 4";
  const auto by_text = scene.restore(request);
  CHECK(by_text.tables.at("notes").keys == std::vector<std::string>{"n4"});
  CHECK(by_text.tables.at("embeddings").put_back == 1);
  CHECK(scene.integer("SELECT count(*) FROM notes") == 37);
  scene.check_whole();
}

TEST_CASE("A child whose other parent is still missing is left, and told") {
  Scene scene;
  scene.run(kLoseFive);
  auto request = scene.request({"notes"});
  request.choice.keys = {"n3"};
  const auto result = scene.restore(request);
  // The links n2-n3 and n3-n4 hang on it, and on notes that stay away.
  CHECK(result.tables.count("links") == 0);
  REQUIRE(result.left_total == 2);
  CHECK(result.left.front().table == "links");
  CHECK_THAT(result.left.front().reason, Catch::Contains("notes"));
  scene.check_whole();
}

TEST_CASE("Rows whose unique values are taken by now are left, the others come back") {
  Scene scene;
  scene.run("DELETE FROM links");
  scene.run("INSERT INTO links VALUES('other', 'n7', 'n8', 'next')");
  const auto result = scene.put_back({"links"});
  CHECK(result.tables.at("links").put_back == 39);
  REQUIRE(result.left_total == 1);
  CHECK(result.left.front().key == "l7");
  CHECK_THAT(result.left.front().reason, Catch::Contains("from_note_id"));
  CHECK(scene.text("SELECT id FROM links WHERE from_note_id = 'n7'") == "other");
  scene.check_whole();
}

TEST_CASE("What a partial or computed unique index keeps away is left, with what hangs on it") {
  Scene scene(
      "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT, live INT);"
      "CREATE UNIQUE INDEX u ON p(lower(name)) WHERE live = 1;"
      "CREATE TABLE c(id INTEGER PRIMARY KEY, p INT REFERENCES p ON DELETE CASCADE);"
      "INSERT INTO p VALUES(1,'A',1),(2,'B',1),(3,'C',0); INSERT INTO c VALUES(1,1),(2,2),(3,3);");
  scene.run("DELETE FROM p; INSERT INTO p VALUES(9,'a',1)");
  const auto result = scene.put_back({"p"});
  CHECK(result.tables.at("p").put_back == 2);
  CHECK(result.tables.at("c").put_back == 2);
  CHECK(result.left_total == 2);
  CHECK(scene.integer("SELECT count(*) FROM c WHERE id = 1") == 0);
  scene.check_whole(false);
}

TEST_CASE("An undo leaves what the application wrote since, and what that needs") {
  Scene scene;
  scene.run(kLoseFive);
  const auto result = scene.put_back({"notes"});
  scene.run("UPDATE notes SET context = 'touched' WHERE id = 'n1'");
  scene.run("INSERT INTO links VALUES('later', 'n2', 'n30', 'since')");
  const auto undone = scene.undo(result.undo);
  CHECK(undone.left_total == 2);
  CHECK(scene.text("SELECT context FROM notes WHERE id = 'n1'") == "touched");
  CHECK(scene.integer("SELECT count(*) FROM notes WHERE id IN ('n1','n2','n3','n4','n5')") == 2);
  CHECK(scene.integer("SELECT count(*) FROM links WHERE id = 'later'") == 1);
  scene.check_whole();
  CHECK(core::undo_rows({.undo = result.undo, .confirmed = true}, scene.env(), {}).error().code ==
        ErrorCode::not_found);
}

TEST_CASE("An undo that is damaged, of another database or not confirmed changes nothing") {
  Scene scene;
  scene.run(kLoseFive);
  const auto result = scene.put_back({"notes"});
  const auto code = [&](const core::UndoRowsRequest& request) {
    const auto undone = core::undo_rows(request, scene.env(), {});
    REQUIRE_FALSE(undone);
    return undone.error().code;
  };
  CHECK(code({.undo = result.undo}) == ErrorCode::needs_confirmation);
  CHECK(code({.undo = "../" + result.undo, .confirmed = true}) == ErrorCode::not_found);
  test::run_sql(scene / "home/other.db", "CREATE TABLE notes(id TEXT PRIMARY KEY)");
  CHECK(code({.undo = result.undo, .source = scene / "home/other.db", .confirmed = true}) ==
        ErrorCode::conflict);
  const auto dry = core::undo_rows({.undo = result.undo, .dry_run = true}, scene.env(), {});
  REQUIRE(dry);
  CHECK(dry->rows == result.rows);
  CHECK(scene.integer("SELECT count(*) FROM notes") == 40);
  const auto file = scene.places.state / "undo-rows" / result.undo;
  test::patch_file(file, fs::file_size(file) - 1, "?");
  CHECK(code({.undo = result.undo, .confirmed = true}) == ErrorCode::damaged);
  CHECK(scene.integer("SELECT count(*) FROM notes") == 40);
}

TEST_CASE(
    "Changed rows become as they were where that is asked for, and the undo brings them back") {
  Scene scene;
  scene.run("UPDATE notes SET content = 'spoiled', signal = 99 WHERE id = 'n9'");
  scene.run("DELETE FROM notes WHERE id = 'n10'");
  const std::string spoiled = scene.content();
  auto request = scene.request({"notes"});
  request.missing = false;
  request.changed = true;
  const auto result = scene.restore(request);
  CHECK(result.rows == 1);
  CHECK(result.tables.at("notes").changed == 1);
  CHECK(scene.text("SELECT content FROM notes WHERE id = 'n9'") == "the content of note 9");
  CHECK(scene.integer("SELECT count(*) FROM notes_fts WHERE notes_fts MATCH 'spoiled'") == 0);
  scene.check_whole();
  scene.undo(result.undo);
  CHECK(scene.content() == spoiled);
  scene.check_whole();
}

TEST_CASE("All notes come back at once beside a program that goes on writing") {
  for (const char* mode : {"wal", "delete"}) {
    Scene scene("CREATE TABLE unused(x)");
    fs::remove(scene.live);
    test::make_notes_database(scene.live, {.journal_mode = mode, .notes = 300});
    scene.run("CREATE TABLE kept(id TEXT PRIMARY KEY, v); INSERT INTO kept VALUES('a', 1)");
    scene.snapshot = scene.take_next_day();
    scene.run("DELETE FROM kept");
    test::WriterProcess writer(scene.live, {.interval = std::chrono::milliseconds(1)});
    const auto result = scene.put_back({"kept"});
    CHECK(result.rows == 1);
    CHECK(scene.undo(result.undo).rows == 1);
    const auto ended = writer.stop();
    CHECK(ended.failures == 0);
    CHECK(ended.commits > 0);
    CHECK(test::invariant_holds(scene.live));
    CHECK(scene.text("PRAGMA integrity_check") == "ok");
  }
}

TEST_CASE("A writer that never lets go makes the call end busy, with nothing changed") {
  for (const char* mode : {"wal", "delete"}) {
    Scene scene("CREATE TABLE unused(x)");
    fs::remove(scene.live);
    test::make_notes_database(scene.live, {.journal_mode = mode});
    scene.run("CREATE TABLE kept(id TEXT PRIMARY KEY, v); INSERT INTO kept VALUES('a', 1)");
    scene.snapshot = scene.take_next_day();
    scene.run("DELETE FROM kept");
    test::WriterProcess writer(scene.live, {.mode = test::WriterOptions::Mode::hold_write});
    auto request = scene.request({"kept"});
    request.busy_timeout = std::chrono::milliseconds(200);
    CHECK(scene.error_of(request).code == ErrorCode::busy);
    writer.kill();
    CHECK(scene.integer("SELECT count(*) FROM kept") == 0);
    CHECK(scene.put_back({"kept"}).rows == 1);
    CHECK(scene.text("PRAGMA integrity_check") == "ok");
  }
}

TEST_CASE("The snapshot stays as it is, and only SQLite's own files appear beside the database") {
  Scene scene;
  scene.run(kLoseFive);
  test::OpenDatabase application(scene.live);
  application.text("SELECT count(*) FROM notes");
  const std::string bytes = test::read_file(scene.snapshot);
  const auto beside = test::names_in(scene.snapshot.parent_path());
  scene.find();
  scene.put_back({"notes"});
  CHECK(test::read_file(scene.snapshot) == bytes);
  CHECK(test::names_in(scene.live.parent_path()) == "live.db live.db-shm live.db-wal");
  CHECK(test::names_in(scene.snapshot.parent_path()).starts_with("before-rows-"));
  CHECK(test::names_in(scene.snapshot.parent_path()).ends_with(beside));
  CHECK(application.text("SELECT count(*) FROM notes") == "40");
}

TEST_CASE("A damaged snapshot gives no rows") {
  Scene scene;
  scene.run(kLoseFive);
  test::patch_file(scene.snapshot, 5000, "this is not what was here");
  CHECK(scene.error_of(scene.request({"notes"})).code == ErrorCode::damaged);
  CHECK(scene.integer("SELECT count(*) FROM notes") == 35);
}
