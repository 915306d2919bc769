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

TEST_CASE(
    "The counter of AUTOINCREMENT never falls, and numbers given since stay with their rows") {
  Scene scene(
      "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, v); INSERT INTO t "
      "VALUES(7,'a'),(9,'b')");
  const auto rows = [&] {
    return scene.text("SELECT group_concat(id || v) FROM (SELECT * FROM t ORDER BY id)");
  };
  scene.run("DELETE FROM t; INSERT INTO t(v) VALUES('since')");
  const auto result = scene.put_back({"t"});
  CHECK(result.rows == 2);
  CHECK(rows() == "7a,9b,10since");
  scene.run("INSERT INTO t(v) VALUES('next')");
  scene.undo(result.undo);
  scene.run("INSERT INTO t(v) VALUES('last')");
  CHECK(rows() == "10since,11next,12last");
}

TEST_CASE("A row whose key holds nothing is never taken for another, and stays where it is") {
  Scene scene(
      "CREATE TABLE t(a TEXT, b INT, v, PRIMARY KEY(a, b));"
      "INSERT INTO t VALUES(NULL,1,'x'),(NULL,1,'x'),('k',1,'y');");
  scene.run("DELETE FROM t WHERE v = 'y' OR rowid = 1");
  CHECK(scene.put_back({"t"}).rows == 1);
  CHECK(scene.text("SELECT group_concat(v) FROM (SELECT v FROM t ORDER BY v)") == "x,y");
}

TEST_CASE("Keys that differ only in their type, or beyond what a REAL holds, are different rows") {
  Scene scene(
      "CREATE TABLE t(k PRIMARY KEY, v) WITHOUT ROWID;"
      "INSERT INTO t VALUES(1,'int'),('1','text'),(x'31','blob'),(9007199254740992,'even'),"
      "(9007199254740993,'odd'),('a','plain'),('a ','space');");
  const std::string whole = scene.content();
  scene.run("DELETE FROM t WHERE v IN ('text', 'blob', 'odd', 'space')");
  CHECK(scene.put_back({"t"}).rows == 4);
  CHECK(scene.content() == whole);
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
      "CREATE TABLE crowded(a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i <= 50000) INSERT INTO crowded SELECT i FROM n;"
      "CREATE VIRTUAL TABLE alone USING fts4(x); INSERT INTO alone VALUES('word');"
      "CREATE TABLE dropped(id INTEGER PRIMARY KEY); INSERT INTO dropped VALUES(1);"
      "CREATE TABLE rekeyed(id INTEGER PRIMARY KEY, a); INSERT INTO rekeyed VALUES(1, 2);");
  scene.run(
      "DELETE FROM crowded WHERE a = 1; DELETE FROM alone; DROP TABLE dropped;"
      "DROP TABLE rekeyed; CREATE TABLE rekeyed(id, a INTEGER PRIMARY KEY)");
  const auto result = scene.restore(scene.request({"crowded", "alone", "dropped", "rekeyed"}));
  CHECK(result.rows == 0);
  CHECK(result.refused.size() == 4);
  CHECK_THAT(reason_of(result, "crowded"), Catch::Contains("primary key"));
  CHECK_THAT(reason_of(result, "alone"), Catch::Contains("full-text"));
  CHECK_THAT(reason_of(result, "rekeyed"), Catch::Contains("declared otherwise"));
  CHECK(scene.find().tables.empty());
}

TEST_CASE("Rows without a primary key are told apart by all that is in them, and counted") {
  Scene scene(
      "CREATE TABLE t(a, b TEXT COLLATE NOCASE); INSERT INTO t VALUES(1,'x'),(1,'x'),(1,'x'),"
      "(1,'X'),('1','x'),(NULL,NULL),(NULL,NULL),(2,'gone'),(3,'stays');"
      "CREATE TABLE p(id INTEGER PRIMARY KEY);"
      "CREATE TABLE c(p REFERENCES p ON DELETE CASCADE, rowid TEXT);"
      "INSERT INTO p VALUES(1),(2); INSERT INTO c VALUES(1,'one'),(1,'one'),(2,'two');");
  const std::string whole = scene.content();
  scene.run(
      "DELETE FROM t WHERE rowid IN (1, 3, 4, 5, 7, 8); DELETE FROM p WHERE id = 1; VACUUM;"
      "INSERT INTO t VALUES(4, 'since')");
  const std::string lost = scene.content();
  const auto found = scene.find();
  REQUIRE(found.tables.size() == 3);
  CHECK(found.tables[2].name == "t");
  CHECK(found.tables[2].lost == 6);
  auto request = scene.request({"t"});
  request.choice.keys = {found.tables[2].rows.front().key};
  request.dry_run = true;
  CHECK(scene.restore(request).rows == 1);
  const auto result = scene.put_back({"t", "p"});
  CHECK(result.rows == 9);
  CHECK(result.left_total == 0);
  REQUIRE(result.warnings.size() == 1);  // c's come back as they hang on p's
  CHECK_THAT(result.warnings[0], Catch::Contains("Table t has no primary key"));
  CHECK(scene.put_back({"t", "p"}).rows == 0);
  const auto undone = scene.undo(result.undo);
  CHECK(undone.rows == 9);
  CHECK(scene.content() == lost);
  scene.put_back({"t", "p"});
  scene.run("DELETE FROM t WHERE b = 'since'");
  CHECK(scene.content() == whole);
  scene.check_whole(false);
}

TEST_CASE("Rows without a key come back once, whichever snapshots have them") {
  Scene scene("CREATE TABLE t(a); INSERT INTO t VALUES('x'),('x'),('y')");
  const auto first = scene.snapshot;
  scene.run("INSERT INTO t VALUES('z')");
  scene.snapshot = scene.take_next_day();
  scene.run("DELETE FROM t");
  CHECK(scene.find().tables.at(0).lost == 4);
  auto request = scene.request({"t"});
  request.snapshots = {scene.snapshot, first};
  CHECK(scene.restore(request).rows == 4);
  CHECK(scene.text("SELECT group_concat(a) FROM (SELECT a FROM t ORDER BY a)") == "x,x,y,z");
}

TEST_CASE("What triggers wrote beside rows without a key is told to stay") {
  Scene scene(
      "CREATE TABLE t(id INTEGER PRIMARY KEY); CREATE TABLE log(what);"
      "INSERT INTO t VALUES(1); INSERT INTO log VALUES('old');");
  scene.run(
      "DELETE FROM t; DELETE FROM log;"
      "CREATE TRIGGER tt AFTER INSERT ON t BEGIN INSERT INTO log VALUES('by trigger'); END;");
  const auto result = scene.put_back({"t", "log"});
  CHECK(result.rows == 2);
  CHECK(std::any_of(result.warnings.begin(), result.warnings.end(), [](const auto& warning) {
    return warning.find("Triggers wrote to table log") != std::string::npos;
  }));
  scene.undo(result.undo);
  CHECK(scene.text("SELECT group_concat(what) FROM log") == "by trigger");
}

TEST_CASE("A full-text table with content of its own gets its rows back, and finds them") {
  Scene scene(
      "CREATE VIRTUAL TABLE alone USING fts5(title, \"the body\", extra UNINDEXED);"
      "INSERT INTO alone(rowid, title, \"the body\", extra) VALUES(5, 'one', 'apple tree', 1.5),"
      "(7, 'two', 'pear', NULL), (9, 'three', 'plum', x'00');");
  const auto hits = [&](const std::string& word) {
    return scene.integer("SELECT count(*) FROM alone WHERE alone MATCH '" + word + "'");
  };
  const auto rows = [&] {
    return scene.text(
        "SELECT group_concat(rowid || title || \"the body\" || quote(extra)) FROM alone");
  };
  const std::string whole = rows();
  scene.run(
      "DELETE FROM alone WHERE rowid <> 7; INSERT INTO alone(rowid, title) VALUES(8, 'since')");
  const std::string lost = rows();
  const auto found = scene.find();
  REQUIRE(found.tables.size() == 1);
  CHECK(found.tables[0].rows.at(0).key == "5");
  CHECK(found.tables[0].rows.at(0).line == "title: one, the body: apple tree, extra: 1.5");
  const auto result = scene.put_back({"alone"});
  CHECK(result.rows == 2);
  CHECK(result.warnings.empty());
  CHECK(hits("apple") == 1);
  CHECK_NOTHROW(scene.run("INSERT INTO alone(alone) VALUES('integrity-check')"));
  CHECK(scene.put_back({"alone"}).rows == 0);
  CHECK(scene.undo(result.undo).rows == 2);
  CHECK(rows() == lost);
  CHECK(hits("apple") == 0);
  CHECK_NOTHROW(scene.run("INSERT INTO alone(alone) VALUES('integrity-check')"));
  scene.put_back({"alone"});
  scene.run("DELETE FROM alone WHERE rowid = 8");
  CHECK(rows() == whole);
  scene.check_whole(false);
}

TEST_CASE("Generated columns are computed anew, and the undo is exact all the same") {
  Scene scene(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b AS (a + 1), c AS (a * 2) STORED, d REAL);"
      "CREATE INDEX tb ON t(b); INSERT INTO t(id, a, d) VALUES(1, 1, 0.5),(2, 5, NULL),(3, 7, 1);");
  scene.run("DELETE FROM t WHERE id < 3; UPDATE t SET a = 8 WHERE id = 3");
  const std::string lost = scene.content();
  auto request = scene.request({"t"});
  request.changed = true;
  const auto result = scene.restore(request);
  CHECK(result.rows == 2);
  REQUIRE(result.warnings.size() == 1);
  CHECK_THAT(result.warnings[0], Catch::Contains("Changed rows of table t stay"));
  CHECK(scene.text("SELECT group_concat(b || ':' || c) FROM (SELECT * FROM t ORDER BY id)") ==
        "2:2,6:10,9:16");
  scene.check_whole(false);
  const auto undone = scene.undo(result.undo);
  CHECK(undone.rows == 2);
  CHECK(scene.content() == lost);
  scene.check_whole(false);
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

TEST_CASE("An index without content follows by its triggers, and so does its undo") {
  Scene scene(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a);"
      "CREATE VIRTUAL TABLE x USING fts5(a, content='');"
      "CREATE TRIGGER ti AFTER INSERT ON t BEGIN INSERT INTO x(rowid, a) VALUES(new.id, new.a); "
      "END;"
      "CREATE TRIGGER td AFTER DELETE ON t BEGIN "
      "INSERT INTO x(x, rowid, a) VALUES('delete', old.id, old.a); END;"
      "INSERT INTO t VALUES(1,'apple'),(2,'pear');");
  const auto hits = [&] { return scene.integer("SELECT count(*) FROM x WHERE x MATCH 'apple'"); };
  scene.run("DELETE FROM t WHERE id = 1");
  CHECK(hits() == 0);
  const auto result = scene.put_back({"t"});
  CHECK(result.rows == 1);
  CHECK(result.warnings.empty());
  CHECK(hits() == 1);
  scene.undo(result.undo);
  CHECK(hits() == 0);
  scene.check_whole(false);
}

TEST_CASE("What came back or was written between the search and the writing is left as it is") {
  // Writes as the snapshot of the present state is taken, the last thing before the transaction.
  class Meddler final : public core::ProgressSink {
   public:
    explicit Meddler(const fs::path& live) : live_(live) {}
    void report(std::uint64_t, std::uint64_t, const std::string&) override {
      if (done_) return;
      done_ = true;
      test::run_sql(live_,
                    "INSERT INTO p VALUES(1,'anew'); INSERT INTO p VALUES(9,'b'); DELETE FROM q");
    }

   private:
    const fs::path live_;
    bool done_ = false;
  };
  Scene scene(
      "CREATE TABLE p(id INTEGER PRIMARY KEY, u UNIQUE); CREATE TABLE q(id INTEGER PRIMARY KEY);"
      "CREATE TABLE c(id INTEGER PRIMARY KEY, q REFERENCES q);"
      "INSERT INTO p VALUES(1,'a'),(2,'b'),(3,'c'); INSERT INTO q VALUES(1);"
      "INSERT INTO c VALUES(1,1),(2,NULL);");
  scene.run("DELETE FROM p; DELETE FROM c");
  Meddler meddler(scene.live);
  const auto result = core::restore_rows(scene.request({"p", "c"}), scene.env(), meddler, {});
  REQUIRE(result);
  CHECK(scene.text("SELECT group_concat(id || u) FROM (SELECT * FROM p ORDER BY id)") ==
        "1anew,3c,9b");
  CHECK(scene.text("SELECT group_concat(id) FROM c") == "2");
  CHECK(result->rows == 2);
  CHECK(result->left_total == 2);  // p 2: its value is taken; c 1: its parent is gone
  scene.check_whole(false);
}

TEST_CASE("A child comes back to the parent that its key names, whatever that has become") {
  Scene scene(
      "CREATE TABLE p(id INTEGER PRIMARY KEY, code TEXT UNIQUE, v);"
      "CREATE TABLE c(id INTEGER PRIMARY KEY, code REFERENCES p(code) ON DELETE CASCADE "
      "ON UPDATE CASCADE);"
      "INSERT INTO p VALUES(1,'a','x'),(2,'b','y'); INSERT INTO c VALUES(1,'a'),(2,'b');");
  scene.run(
      "DELETE FROM c; UPDATE p SET v = 'other' WHERE id = 1; UPDATE p SET code = 'z' WHERE id = 2");
  const auto result = scene.put_back({"c"});
  CHECK(result.rows == 1);
  REQUIRE(result.left_total == 1);
  CHECK(result.left.front().key == "2");
  CHECK(scene.text("SELECT code FROM c") == "a");
  scene.check_whole(false);
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
