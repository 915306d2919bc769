// What makes putting rows back go wrong when it is done by hand.
#include "core/support/rescue_scene.h"

namespace fs = std::filesystem;
using core::ErrorCode;
using Scene = test::RescueScene;

namespace {

std::string reason_of(const core::RestoreRowsResult& result, const std::string& table) {
  for (const auto& refused : result.refused) {
    if (refused.name == table) return refused.reason;
  }
  return {};
}

}  // namespace

TEST_CASE("Columns that were added or dropped since do not keep rows away") {
  Scene scene("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES(1,'x','y')");
  scene.run(
      "DELETE FROM t; ALTER TABLE t DROP COLUMN b; "
      "ALTER TABLE t ADD COLUMN c TEXT NOT NULL DEFAULT 'z'");
  const auto result = scene.put_back({"t"});
  CHECK(result.rows == 1);
  CHECK_THAT(result.warnings.at(0), Catch::Contains("no column b"));
  CHECK(scene.text("SELECT a || c FROM t") == "xz");
}

TEST_CASE("A new column that must be filled makes its table refused by name, not the others") {
  Scene scene(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a); CREATE TABLE u(id INTEGER PRIMARY KEY);"
      "INSERT INTO t VALUES(1,'x'); INSERT INTO u VALUES(1)");
  scene.run(
      "DROP TABLE t; CREATE TABLE t(id INTEGER PRIMARY KEY, a, must NOT NULL); DELETE FROM u");
  const auto result = scene.put_back({"t", "u"});
  CHECK(result.tables.count("t") == 0);
  CHECK(result.tables.at("u").put_back == 1);
  CHECK_THAT(reason_of(result, "t"), Catch::Contains("must"));
}

TEST_CASE("Rows of every kind of key come back as they were, and the undo is exact") {
  Scene scene(R"sql(
    CREATE TABLE without(a TEXT, b INTEGER, v, PRIMARY KEY(b, a)) WITHOUT ROWID;
    CREATE TABLE composite(a TEXT, b INTEGER, v, PRIMARY KEY(b, a));
    CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, v);
    CREATE TABLE strict_one(id INT PRIMARY KEY, v ANY) STRICT;
    CREATE TABLE blobs(k BLOB PRIMARY KEY, v);
    CREATE TABLE reals(k REAL PRIMARY KEY, v);
    CREATE TABLE folded(k TEXT COLLATE NOCASE PRIMARY KEY, v);
    CREATE TABLE anything(k PRIMARY KEY, v);
    INSERT INTO without VALUES('x',1,'v'),('y',1,NULL);
    INSERT INTO composite VALUES('x',1,'v'),('y',1,x'00'),(NULL,1,'no key');
    INSERT INTO counted VALUES(7,'a'),(9,'b');
    INSERT INTO strict_one VALUES(1,'1'),(2,1),(3,1.5),(4,x'31');
    INSERT INTO blobs VALUES(x'00ff','a'),(x'00','b');
    INSERT INTO reals VALUES(1.5,'a'),(-0.0,'b'),(1e300,'c');
    INSERT INTO folded VALUES('Key','a'),('other','b');
    INSERT INTO anything VALUES(1,'number'),('1','text'),(x'31','blob'),(1.25,'real');
  )sql");
  const std::string whole = scene.content();
  const std::vector<std::string> tables{"without", "composite", "counted", "strict_one",
                                        "blobs",   "reals",     "folded",  "anything"};
  for (const auto& table : tables) {
    scene.run("DELETE FROM " + table + (table == "composite" ? " WHERE a IS NOT NULL" : ""));
  }
  const std::string empty = scene.content();
  const auto result = scene.put_back(tables);
  CHECK(result.left_total == 0);
  CHECK(scene.content() == whole);
  CHECK(scene.integer("SELECT seq FROM sqlite_sequence WHERE name = 'counted'") == 9);
  scene.check_whole(false);
  scene.undo(result.undo);
  CHECK(scene.content() == empty);
  CHECK(scene.integer("SELECT seq FROM sqlite_sequence WHERE name = 'counted'") == 9);
}

TEST_CASE("A key in another case is the same key where the column says so") {
  Scene scene(
      "CREATE TABLE t(k TEXT COLLATE NOCASE PRIMARY KEY, v); INSERT INTO t VALUES('Key',1)");
  scene.run("UPDATE t SET k = 'KEY'");
  CHECK(scene.find().tables.empty());
  CHECK(scene.put_back({"t"}).rows == 0);
}

TEST_CASE("Tables that cannot be handled exactly are refused by name") {
  Scene scene(
      "CREATE TABLE keyless(a); INSERT INTO keyless VALUES(1);"
      "CREATE TABLE computed(id INTEGER PRIMARY KEY, a, b AS (a + 1));"
      "INSERT INTO computed(id, a) VALUES(1, 1);"
      "CREATE VIRTUAL TABLE alone USING fts5(x); INSERT INTO alone VALUES('word');"
      "CREATE TABLE dropped(id INTEGER PRIMARY KEY); INSERT INTO dropped VALUES(1);"
      "CREATE TABLE rekeyed(id INTEGER PRIMARY KEY, a); INSERT INTO rekeyed VALUES(1, 2);");
  scene.run(
      "DELETE FROM keyless; DELETE FROM computed; DELETE FROM alone; DROP TABLE dropped;"
      "DROP TABLE rekeyed; CREATE TABLE rekeyed(id, a INTEGER PRIMARY KEY)");
  auto request = scene.request({"keyless", "computed", "alone", "dropped", "rekeyed"});
  const auto result = scene.restore(request);
  CHECK(result.rows == 0);
  CHECK(result.refused.size() == 5);
  CHECK_THAT(reason_of(result, "keyless"), Catch::Contains("primary key"));
  CHECK_THAT(reason_of(result, "computed"), Catch::Contains("generated"));
  CHECK_THAT(reason_of(result, "alone"), Catch::Contains("full-text"));
  CHECK_THAT(reason_of(result, "rekeyed"), Catch::Contains("declared otherwise"));
  const auto found = scene.find();
  REQUIRE(found.tables.size() == 1);  // it can be compared all the same
  CHECK(found.tables[0].name == "computed");
  CHECK_FALSE(found.tables[0].not_writable.empty());
}

TEST_CASE("Functions, collations and modules of the application make its tables refused") {
  Scene scene(
      "CREATE TABLE f(id INTEGER PRIMARY KEY, a); INSERT INTO f VALUES(1, 2);"
      "CREATE TABLE m(id INTEGER PRIMARY KEY, a); INSERT INTO m VALUES(1, 2);"
      "CREATE TABLE c(k TEXT PRIMARY KEY); INSERT INTO c VALUES('x');"
      "CREATE TABLE plain(id INTEGER PRIMARY KEY); INSERT INTO plain VALUES(1)");
  scene.run(
      "DELETE FROM f; DELETE FROM m; DELETE FROM plain;"
      "CREATE TRIGGER ft AFTER INSERT ON f BEGIN SELECT own_function(new.a); END;"
      "CREATE TRIGGER mt AFTER INSERT ON m BEGIN INSERT INTO vec VALUES(new.a); END;"
      "PRAGMA writable_schema = ON;"
      "INSERT INTO sqlite_schema VALUES('table','vec','vec',0,"
      "'CREATE VIRTUAL TABLE vec USING own_module(a)');"
      "UPDATE sqlite_schema SET sql = 'CREATE TABLE c(k TEXT COLLATE OWN PRIMARY KEY)' "
      "WHERE name = 'c';");
  const auto result = scene.put_back({"f", "m", "c", "plain"});
  CHECK(result.tables.at("plain").put_back == 1);
  CHECK(result.rows == 1);
  CHECK_THAT(reason_of(result, "f"), Catch::Contains("own_function"));
  CHECK_THAT(reason_of(result, "m"), Catch::Contains("own_module"));
  CHECK_THAT(reason_of(result, "c"), Catch::Contains("OWN"));
}

TEST_CASE("Triggers run, and the result says what they wrote") {
  Scene scene(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a, seen INT DEFAULT 0);"
      "CREATE TABLE audit(id INTEGER PRIMARY KEY, what);"
      "CREATE TABLE log(what);"
      "INSERT INTO t VALUES(1,'x',0),(2,'y',0);");
  scene.run(
      "DELETE FROM t;"
      "CREATE TRIGGER tt AFTER INSERT ON t BEGIN INSERT INTO audit(what) VALUES(new.a); "
      "INSERT INTO log VALUES(new.a); UPDATE t SET seen = 1 WHERE id = new.id; END;");
  const auto result = scene.put_back({"t"});
  CHECK(result.triggered.at("audit") == 2);
  CHECK(scene.integer("SELECT sum(seen) FROM t") == 2);
  REQUIRE(result.warnings.size() == 1);
  CHECK_THAT(result.warnings[0], Catch::Contains("table log"));
  scene.undo(result.undo);
  CHECK(scene.integer("SELECT count(*) FROM t") == 0);
  CHECK(scene.integer("SELECT count(*) FROM audit") == 0);
}

TEST_CASE("A trigger that raises leaves nothing of all, and its words are told") {
  Scene scene("CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(1,'x'),(2,'y')");
  scene.run(
      "DELETE FROM t; CREATE TRIGGER tt BEFORE INSERT ON t WHEN new.id = 2 BEGIN "
      "SELECT RAISE(ABORT, 'not on a Saturday'); END;");
  const auto error = scene.error_of(scene.request({"t"}));
  CHECK(error.code == ErrorCode::conflict);
  CHECK_THAT(error.message, Catch::Contains("not on a Saturday"));
  CHECK(scene.integer("SELECT count(*) FROM t") == 0);
  CHECK_FALSE(fs::exists(scene.places.state / "undo-rows"));
  scene.run(
      "DROP TRIGGER tt; CREATE TRIGGER tt BEFORE INSERT ON t WHEN new.id = 2 BEGIN "
      "SELECT RAISE(IGNORE); END;");
  const auto result = scene.put_back({"t"});
  CHECK(result.rows == 1);
  CHECK(result.left_total == 1);
}

TEST_CASE("A full-text index without triggers is told to need its program's rebuild") {
  Scene scene(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(1,'word');"
      "CREATE VIRTUAL TABLE x USING fts5(a, content='t', content_rowid='id');"
      "INSERT INTO x(x) VALUES('rebuild');");
  scene.run("INSERT INTO x(x, rowid, a) VALUES('delete', 1, 'word'); DELETE FROM t");
  const auto result = scene.put_back({"t"});
  REQUIRE(result.warnings.size() == 1);
  CHECK_THAT(result.warnings[0], Catch::Contains("full-text index x"));
}

TEST_CASE("Self-references, circles of foreign keys and parents that changed are no obstacle") {
  Scene scene(
      "CREATE TABLE tree(id INTEGER PRIMARY KEY, up INT REFERENCES tree ON DELETE CASCADE);"
      "CREATE TABLE a(id INTEGER PRIMARY KEY, b INT REFERENCES b ON DELETE CASCADE);"
      "CREATE TABLE b(id INTEGER PRIMARY KEY, a INT REFERENCES a ON DELETE CASCADE, v);"
      "INSERT INTO tree VALUES(1,NULL),(2,1),(3,2),(4,3);"
      "INSERT INTO a VALUES(1,NULL); INSERT INTO b VALUES(1,1,'x'); UPDATE a SET b = 1;");
  const std::string whole = scene.content();
  scene.run("DELETE FROM tree WHERE id = 1; DELETE FROM a");
  CHECK(scene.integer("SELECT count(*) FROM tree") == 0);
  auto request = scene.request({"tree", "a"});
  request.choice.keys = {"1"};
  const auto result = scene.restore(request);
  CHECK(result.rows == 6);
  CHECK(scene.content() == whole);
  scene.check_whole(false);
}

TEST_CASE("An application without foreign keys has broken references of its own, which stay") {
  Scene scene(
      "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, "
      "p INT REFERENCES p); INSERT INTO p VALUES(1); INSERT INTO c VALUES(1,1),(2,77);");
  test::run_sql(scene.live, "DELETE FROM p; DELETE FROM c WHERE id = 1");
  const auto result = scene.put_back({"p"});
  CHECK(result.rows == 2);
  CHECK(scene.integer("SELECT p FROM c WHERE id = 2") == 77);
  scene.undo(result.undo);
  CHECK(scene.integer("SELECT count(*) FROM c") == 1);
  CHECK(scene.integer("SELECT count(*) FROM p") == 0);
}

TEST_CASE(
    "Strange names and values of megabytes come back whole, and are shown short and as text") {
  Scene scene(R"sql(
    CREATE TABLE "se""lect %s Ünï"("or'der" TEXT PRIMARY KEY, "a b" TEXT, "where" BLOB,
      "rowid" INT);
    INSERT INTO "se""lect %s Ünï" VALUES('k', CAST(x'80ff41' AS TEXT), zeroblob(3000000), 5),
      ('long', replace(hex(zeroblob(600000)), '0', 'x'), NULL, 6);
  )sql");
  const std::string whole = scene.content();
  scene.run("DELETE FROM \"se\"\"lect %s Ünï\"");
  const auto found = scene.find();
  REQUIRE(found.tables.size() == 1);
  CHECK(found.tables[0].rows.size() == 2);
  CHECK_THAT(found.tables[0].rows[0].line, Catch::Contains("\\x80\\xffA"));
  CHECK_THAT(found.tables[0].rows[0].line, Catch::Contains("3000000 bytes"));
  CHECK(found.tables[0].rows[1].line.size() < 300);
  scene.put_back({"se\"lect %s Ünï"});
  CHECK(scene.content() == whole);
}

TEST_CASE("A database with a second name is refused: who uses that one would not see the rows") {
  Scene scene;
  scene.run("DELETE FROM notes");
  fs::create_hard_link(scene.live, scene / "home/second.db");
  CHECK(scene.error_of(scene.request({"notes"})).code == ErrorCode::conflict);
}

TEST_CASE("A table of another shape in the way of an undo is left alone") {
  Scene scene("CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(1,'x')");
  scene.run("DELETE FROM t");
  const auto result = scene.put_back({"t"});
  scene.run(
      "DROP TABLE t; CREATE TABLE t(a, id INTEGER PRIMARY KEY); INSERT INTO t VALUES('x', 1)");
  const auto undone = scene.undo(result.undo);
  CHECK(undone.left_total == 1);
  CHECK(scene.integer("SELECT count(*) FROM t") == 1);
}
