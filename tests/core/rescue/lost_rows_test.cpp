#include "core/rescue/lost_rows.h"

#include "core/support/rescue_scene.h"

namespace fs = std::filesystem;
using core::ErrorCode;
using Scene = test::RescueScene;

TEST_CASE("Lost rows are found in the newest snapshot that has each, with the span of their loss") {
  Scene scene;
  scene.run("INSERT INTO notes(id, content) VALUES('brief', 'there for a day')");
  const auto second = scene.take_next_day();
  scene.run("DELETE FROM notes WHERE id IN ('brief', 'n1')");
  const auto third = scene.take_next_day();
  scene.run("DELETE FROM notes WHERE id = 'n2'");
  const auto found = scene.find();
  REQUIRE(found.searched.size() == 3);
  CHECK(found.searched[0].path == third);
  CHECK_FALSE(found.searched[0].next);
  CHECK(found.searched[1].path == second);
  CHECK(found.searched[1].next == found.searched[0].taken_at);
  const auto notes = std::find_if(found.tables.begin(), found.tables.end(),
                                  [](const auto& table) { return table.name == "notes"; });
  REQUIRE(notes != found.tables.end());
  CHECK(notes->lost == 3);
  REQUIRE(notes->rows.size() == 3);
  CHECK(notes->rows[0].key == "n2");
  CHECK(notes->rows[0].snapshot == 0);
  CHECK(notes->rows[0].line == "content: the content of note 2, keywords: word2, signal: 1");
  CHECK(notes->rows[1].snapshot == 1);
  CHECK_FALSE(found.more);
  CHECK(found.warnings.empty());
}

TEST_CASE("A search is narrowed by table, text, key, time and snapshot") {
  Scene scene;
  scene.run("DELETE FROM notes WHERE id IN ('n1', 'n2')");
  scene.take_next_day();
  scene.run("DELETE FROM notes WHERE id = 'n3'");
  const auto lost = [&](core::LostRowsRequest request) {
    std::uint64_t sum = 0;
    for (const auto& table : scene.find(std::move(request)).tables) sum += table.lost;
    return sum;
  };
  CHECK(lost({.source = {}, .choice = {.tables = {"notes"}}}) == 3);
  CHECK(lost({.source = {}, .choice = {.text = "WORD2"}}) == 1);
  CHECK(lost({.source = {}, .choice = {.tables = {"note_chunks"}, .keys = {"[\"n1\",1]"}}}) == 1);
  CHECK(lost({.source = {}, .choice = {.tables = {"notes"}}, .since = scene.clock.now()}) == 1);
  CHECK(lost({.source = {}, .snapshot = scene.snapshot, .choice = {.tables = {"notes"}}}) == 3);
}

TEST_CASE("Counts are whole where rows are shown in pages") {
  Scene scene;
  scene.run("DELETE FROM notes");
  core::LostRowsRequest request{.source = {}, .choice = {.tables = {"notes"}}};
  request.limit = 15;
  const auto first = scene.find(request);
  CHECK(first.tables.at(0).lost == 40);
  CHECK(first.tables.at(0).rows.size() == 15);
  CHECK(first.more);
  request.skip = 30;
  const auto last = scene.find(request);
  CHECK(last.tables.at(0).lost == 40);
  CHECK(last.tables.at(0).rows.size() == 10);
  CHECK_FALSE(last.more);
}

TEST_CASE("Changed rows are shown old beside new where that is asked for") {
  Scene scene;
  scene.run("UPDATE notes SET content = 'other', context = 'why' WHERE id = 'n4'");
  CHECK(scene.find().tables.empty());
  const auto found = scene.find({.source = {}, .changed = true});
  REQUIRE(found.tables.size() == 1);
  CHECK(found.tables[0].changed == 1);
  CHECK(found.tables[0].changed_rows.at(0).key == "n4");
  CHECK(found.tables[0].changed_rows.at(0).then ==
        "content: the content of note 4, context: nothing");
  CHECK(found.tables[0].changed_rows.at(0).now == "content: other, context: why");
}

TEST_CASE("Nothing is written by a search, and nothing is lost where all is there") {
  Scene scene("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES(1)", "delete");
  const auto before = test::names_in(scene.live.parent_path());
  CHECK(scene.find().tables.empty());
  CHECK(test::names_in(scene.live.parent_path()) == before);
  core::NoProgress progress;
  fs::create_directory(scene / "empty");
  CHECK(core::find_lost_rows({.source = scene.live, .destination = scene / "empty"}, scene.env(),
                             progress, {})
            .error()
            .code == ErrorCode::not_found);
  CHECK(core::find_lost_rows(
            {.source = scene.live, .destination = scene.backups, .choice = {.tables = {"absent"}}},
            scene.env(), progress, {})
            .error()
            .code == ErrorCode::invalid_argument);
}
