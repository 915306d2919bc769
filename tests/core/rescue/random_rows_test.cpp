// Random schemas, losses and writes since: all comes back that can, and the undo is exact.
#include <cstdlib>
#include <random>

#include "core/support/rescue_scene.h"

namespace {

using Scene = test::RescueScene;

// BPD_RESCUE_ROUNDS=500 is the real thing.
constexpr int kRounds = 8;
constexpr unsigned kSeed = 20261128;

class Chance {
 public:
  explicit Chance(unsigned seed) : engine_(seed) {}
  int below(int end) { return static_cast<int>(engine_() % static_cast<unsigned>(end)); }
  bool one_in(int times) { return below(times) == 0; }

 private:
  std::mt19937 engine_;
};

std::string key_of(int kind, int number) {
  switch (kind) {
    case 0:
      return std::to_string(number);
    case 1:
      return "'k" + std::to_string(number) + "'";
    case 2:
      return "x'00" + std::to_string(1000 + number) + "'";
    default:
      return std::to_string(number) + ".5";
  }
}

// Each table: a key of some kind, a parent among the earlier ones or itself, a unique value.
class World {
 public:
  World(Chance& chance, int tables) : chance_(chance) {
    for (int i = 0; i < tables; ++i) kinds_.push_back(chance.below(4));
    for (int i = 0; i < tables; ++i) parents_.push_back(chance.below(i + 1));
  }

  std::string schema() {
    const std::vector<std::string> types{"INTEGER", "TEXT", "BLOB", "REAL"};
    std::string sql;
    for (int i = 0; i < count(); ++i) {
      const std::string name = "t" + std::to_string(i);
      const bool without = kinds_[at(i)] != 0 && chance_.one_in(3);
      sql += "CREATE TABLE " + name + "(k " + types[at(kinds_[at(i)])] +
             " NOT NULL PRIMARY KEY, up REFERENCES t" + std::to_string(parents_[at(i)]) +
             " ON DELETE " + (chance_.one_in(3) ? "SET NULL" : "CASCADE") + ", u, v)" +
             (without ? " WITHOUT ROWID" : "") + ";";
      if (chance_.one_in(2)) sql += "CREATE UNIQUE INDEX u" + name + " ON " + name + "(u);";
      if (chance_.one_in(3)) {
        sql += "CREATE TRIGGER g" + name + " AFTER INSERT ON " + name +
               " BEGIN UPDATE counted SET n = n + 1 WHERE t = '" + name + "'; END;";
      }
    }
    sql += "CREATE TABLE counted(t TEXT PRIMARY KEY, n INT);";
    for (int i = 0; i < count(); ++i) {
      sql += "INSERT INTO counted VALUES('t" + std::to_string(i) + "', 0);";
    }
    return sql;
  }

  std::string inserts(int from, int to) {
    std::string sql;
    for (int i = 0; i < count(); ++i) {
      const int parent = parents_[at(i)];
      for (int row = from; row < to; ++row) {
        const std::string up = chance_.one_in(4) ? "NULL"
                                                 : "(SELECT k FROM t" + std::to_string(parent) +
                                                       " ORDER BY random() LIMIT 1)";
        sql += "INSERT OR IGNORE INTO t" + std::to_string(i) + " VALUES(" +
               key_of(kinds_[at(i)], row) + ", " + up + ", " + std::to_string(chance_.below(60)) +
               ", 'v" + std::to_string(row) + "');";
      }
    }
    return sql;
  }

  std::string losses() {
    std::string sql;
    for (int i = 0; i < count(); ++i) {
      const std::string name = "t" + std::to_string(i);
      if (chance_.one_in(3)) continue;
      sql += "DELETE FROM " + name + " WHERE abs(random()) % " +
             std::to_string(1 + chance_.below(4)) + " = 0;";
      sql += "UPDATE " + name + " SET v = 'since' WHERE abs(random()) % 5 = 0;";
    }
    return sql;
  }

  std::vector<std::string> tables() const {
    std::vector<std::string> names;
    for (int i = 0; i < count(); ++i) names.push_back("t" + std::to_string(i));
    return names;
  }

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  int count() const { return static_cast<int>(kinds_.size()); }

  Chance& chance_;
  std::vector<int> kinds_, parents_;
};

std::int64_t missing(const Scene& scene, const std::string& table) {
  test::OpenDatabase database(scene.live);
  database.run("ATTACH '" + scene.snapshot.string() + "' AS s");
  return std::stoll(database.text("SELECT count(*) FROM s." + table +
                                  " AS a WHERE NOT EXISTS (SELECT 1 FROM main." + table +
                                  " AS b WHERE b.k = a.k)"));
}

}  // namespace

TEST_CASE("Whatever was lost and written since, all comes back that can, and the undo is exact") {
  const char* given = std::getenv("BPD_RESCUE_ROUNDS");
  const int rounds = given != nullptr ? std::atoi(given) : kRounds;
  for (int round = 0; round < rounds; ++round) {
    INFO("round " << round);
    Chance chance(kSeed + static_cast<unsigned>(round));
    World world(chance, 1 + chance.below(5));
    Scene scene(world.schema() + "BEGIN;" + world.inserts(0, 40) + "COMMIT;",
                chance.one_in(3) ? "delete" : "wal");
    scene.run("BEGIN;" + world.losses() + world.inserts(40, 50) + "COMMIT;");
    const std::string before = scene.content();
    std::int64_t lost = 0;
    for (const auto& table : world.tables()) lost += missing(scene, table);
    const auto result = scene.put_back(world.tables());
    scene.check_whole(false);
    std::int64_t still = 0;
    for (const auto& table : world.tables()) still += missing(scene, table);
    CHECK(static_cast<std::uint64_t>(lost) == result.rows + result.left_total);
    CHECK(static_cast<std::uint64_t>(still) == result.left_total);
    if (result.undo.empty()) {
      CHECK(scene.content() == before);
      continue;
    }
    const auto undone = scene.undo(result.undo);
    CHECK(undone.left_total == 0);
    CHECK(scene.content() == before);
    scene.check_whole(false);
  }
}
