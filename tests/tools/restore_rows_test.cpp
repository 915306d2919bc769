#include "tests/tools/tool_house.h"

namespace fs = core::fs;
using server::Json;
using test::ToolHouse;

namespace {

constexpr const char* kLose = "PRAGMA foreign_keys = ON; DELETE FROM kept WHERE id IN ('a', 'b')";

// Two rows gone since the snapshot, with what hung on them, and one written since.
void take_and_lose_rows(ToolHouse& house) {
  house.furnish();
  test::run_sql(house.global,
                "CREATE TABLE kept(id TEXT PRIMARY KEY, word TEXT);"
                "CREATE TABLE hung(id INTEGER PRIMARY KEY, kept REFERENCES kept ON DELETE CASCADE);"
                "INSERT INTO kept VALUES('a','apple'),('b','pear'),('c','plum');"
                "INSERT INTO hung VALUES(1,'a'),(2,'b'),(3,'c')");
  house.good("snapshot_db", {{"destination", "~/Backups"}});
  test::run_sql(house.global, kLose);
  test::run_sql(house.global, "INSERT INTO kept VALUES('new', 'since')");
}

std::string kept(const ToolHouse& house) {
  return test::query_text(house.global,
                          "SELECT group_concat(id) FROM (SELECT id FROM kept ORDER BY 1)");
}

}  // namespace

TEST_CASE("find_lost_rows finds the destination by itself and says what is gone") {
  ToolHouse house;
  take_and_lose_rows(house);
  const Json found = house.good("find_lost_rows", Json::object());
  CHECK(found.at("lost") == 4);
  CHECK(found.at("tables").at(1).at("table") == "kept");
  CHECK(found.at("tables").at(1).at("rows").at(0).at("row") == "word: apple");
  CHECK_THAT(house.last_text, Catch::Contains("kept: 2 rows gone"));
  const Json page = house.good("find_lost_rows", {{"limit", 1}, {"tables", Json::array({"kept"})}});
  CHECK(page.at("next_cursor") == "1");
  CHECK(house.good("find_lost_rows", {{"limit", 1}, {"cursor", "1"}})
            .at("tables")
            .at(1)
            .at("rows")
            .at(0)
            .at("key") == "b");
  CHECK_THAT(house.refused("find_lost_rows", {{"cursor", "x"}}),
             Catch::StartsWith("invalid_argument: "));
}

TEST_CASE("find_lost_rows names the whole call that puts back what it found") {
  ToolHouse house;
  take_and_lose_rows(house);
  const std::string of_all = house.good("find_lost_rows", Json::object()).at("put_back");
  CHECK(of_all.starts_with("restore_rows {"));
  const Json call = Json::parse(of_all.substr(of_all.find('{')));
  CHECK(call == Json{{"source", core::text_of(house.global)},
                     {"destination", core::text_of(house.backups)},
                     {"tables", {"hung", "kept"}}});
  CHECK_THAT(house.last_text, Catch::Contains(of_all + ", with --dry-run first"));
  Json preview = call;
  preview["dry_run"] = true;
  CHECK(house.good("restore_rows", preview).at("rows") == 4);

  house.speech = server::speech_for_shell(house.definition_, "backup-plugin-db");
  const std::string narrow =
      house.good("find_lost_rows", {{"text", "apple"}, {"changed", true}}).at("put_back");
  CHECK_THAT(narrow, Catch::StartsWith("`backup-plugin-db restore-rows --source ") &&
                         Catch::EndsWith(" --text apple --changed`"));
  CHECK_FALSE(narrow.find("--tables") != std::string::npos);
  test::run_sql(house.global,
                "INSERT INTO kept VALUES('a','apple'),('b','pear');"
                "INSERT INTO hung VALUES(1,'a'),(2,'b')");
  CHECK_FALSE(house.good("find_lost_rows", Json::object()).contains("put_back"));
}

TEST_CASE("restore_rows shows what it would do and waits for a yes") {
  ToolHouse house;
  take_and_lose_rows(house);
  const Json choice{{"tables", Json::array({"kept"})}};
  const std::string refused = house.refused("restore_rows", choice);
  CHECK_THAT(refused, Catch::StartsWith("needs_confirmation: "));
  CHECK_THAT(refused, Catch::Contains("kept: 2 rows would be put back"));
  CHECK_THAT(refused, Catch::Contains(R"(restore_rows {"tables": ["kept"], "confirm": true})"));
  CHECK(kept(house) == "c,new");
  const auto question = house.asked("restore_rows", choice);
  house.answer("confirm", {{"confirm", false}});
  CHECK_THAT(house.refused("restore_rows", choice), Catch::StartsWith("cancelled: "));
  house.answer("confirm", {{"confirm", true}});
  const Json done = house.good("restore_rows", choice);
  CHECK(done.at("rows") == 4);
  CHECK(kept(house) == "a,b,c,new");
  CHECK(test::query_integer(house.global, "SELECT count(*) FROM hung") == 3);
  CHECK_THAT(house.last_text, Catch::Contains("restore-rows --undo "));
  CHECK(house.good("restore_rows", {{"tables", Json::array({"kept"})}, {"dry_run", true}})
            .at("rows") == 0);
  CHECK_THAT(house.last_text, Catch::Contains("Nothing is missing."));

  const Json undone = house.good("restore_rows", {{"undo", done.at("undo")}, {"confirm", true}});
  CHECK(undone.at("rows") == 4);
  CHECK(kept(house) == "c,new");
}

TEST_CASE("restore_rows takes each row from the snapshot that was the last to have it") {
  ToolHouse house;
  take_and_lose_rows(house);
  test::run_sql(house.global, "UPDATE kept SET word = 'newer' WHERE id = 'c'");
  house.clock.advance(std::chrono::hours(24));
  house.good("snapshot_db", {{"destination", "~/Backups"}});
  test::run_sql(house.global, "DELETE FROM kept WHERE id = 'c'");
  const Json done =
      house.good("restore_rows", {{"tables", Json::array({"kept"})}, {"confirm", true}});
  CHECK(kept(house) == "a,b,c,new");
  CHECK(test::query_text(house.global, "SELECT word FROM kept WHERE id = 'c'") == "newer");
}

TEST_CASE("Rows are refused where nothing was chosen, or the database may not be touched") {
  ToolHouse house;
  take_and_lose_rows(house);
  CHECK_THAT(house.refused("restore_rows", {{"confirm", true}}),
             Catch::StartsWith("invalid_argument: "));
  CHECK_THAT(house.refused("restore_rows", {{"undo", "../x.undo"}, {"confirm", true}}),
             Catch::StartsWith("not_found: "));
  ToolHouse limited({"elsewhere"});
  CHECK_THAT(
      limited.refused("restore_rows", {{"tables", Json::array({"kept"})}, {"confirm", true}}),
      Catch::StartsWith("permission_denied: "));
}
