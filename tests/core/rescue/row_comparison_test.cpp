#include "core/rescue/row_comparison.h"

#include "core/support/rescue_scene.h"

using Scene = test::RescueScene;

namespace {

core::TableComparison of(const core::RowComparison& compared, const std::string& name) {
  for (const auto& table : compared.tables) {
    if (table.name == name) return table;
  }
  FAIL("no table " << name);
  return {};
}

core::RowComparison compare(Scene& scene) {
  auto compared =
      core::compare_rows(scene.live, scene.snapshot, std::chrono::seconds(1), scene.env(), {});
  if (!compared) FAIL(compared.error().message);
  return *compared;
}

}  // namespace

TEST_CASE(
    "A comparison counts by keys what only the snapshot has, only the database, and changed") {
  Scene scene;
  scene.run("DELETE FROM notes WHERE id IN ('n1','n2','n3','n4','n5')");
  scene.run(
      "INSERT INTO notes(id, content) VALUES('new1','x'),('new2','x'),('new3','x'),('new4','x'),"
      "('new5','x'),('new6','x'),('new7','x')");
  scene.run("UPDATE notes SET content = 'other' WHERE id IN ('n8', 'n9')");
  const auto compared = compare(scene);
  CHECK(compared.ended.empty());
  CHECK(compared.refused.empty());
  const auto notes = of(compared, "notes");
  CHECK(notes.only_then == 5);
  CHECK(notes.only_now == 7);
  CHECK(notes.changed == 2);
  CHECK(notes.same == 33);
  CHECK(of(compared, "links").only_then == 6);
  CHECK(of(compared, "note_chunks").only_then == 10);
  CHECK(of(compared, "note_chunks").same == 70);
}

TEST_CASE("A comparison of the same rows finds none that differ, and names what it leaves out") {
  Scene scene(
      "CREATE TABLE keyless(a); INSERT INTO keyless VALUES(1),(1);"
      "CREATE VIRTUAL TABLE alone USING fts4(x);"
      "CREATE TABLE only_key(a, b, PRIMARY KEY(a, b)) WITHOUT ROWID;"
      "INSERT INTO only_key VALUES(1,2),(1,3);"
      "CREATE TABLE loose(k TEXT PRIMARY KEY, v); INSERT INTO loose VALUES(NULL,1),('a',2);");
  const auto compared = compare(scene);
  REQUIRE(compared.tables.size() == 3);
  for (const auto& table : compared.tables) CHECK_FALSE(table.differs());
  CHECK(of(compared, "keyless").same == 2);
  CHECK(of(compared, "only_key").same == 2);
  CHECK(of(compared, "loose").same == 1);
  REQUIRE(compared.refused.size() == 1);
  CHECK(compared.refused[0].name == "alone");
}

TEST_CASE("Files of more than 2 GiB together are not compared, however little is in them") {
  Scene scene;
  std::filesystem::resize_file(scene.snapshot, (2ULL << 30) + 1);  // sparse: takes no room
  const auto compared = compare(scene);
  CHECK(compared.tables.empty());
  CHECK(compared.ended == "database and snapshot are larger than 2 GiB together");
}

TEST_CASE("A comparison that takes too long ends, and says from where on nothing was compared") {
  Scene scene;
  scene.run("DELETE FROM notes");
  core::ComparisonBounds bounds;
  bounds.time = std::chrono::milliseconds(0);
  const auto compared = core::compare_rows(scene.live, scene.snapshot, std::chrono::seconds(1),
                                           scene.env(), {}, bounds);
  REQUIRE(compared);
  CHECK(compared->tables.empty());
  CHECK(compared->ended == "it took more than 0 s");
}
