#include "tools/base/paging.h"

#include "tests/tools/schedule_house.h"
#include "tools/encode.h"

using server::Json;

namespace {

// Entries as large as a schedule's with long paths.
Json entries(int count) {
  Json all = Json::array();
  for (int i = 0; i < count; ++i) {
    all.push_back({{"name", "entry " + std::to_string(i)}, {"path", std::string(300, 'x')}});
  }
  return all;
}

}  // namespace

TEST_CASE("A page holds what a model can take in, and the pages together everything once") {
  const test::ToolHouse house;
  const tools::Setting setting(house.world);
  Json seen = Json::array();
  Json given = Json::object();
  int pages = 0;
  do {
    const auto page = tools::page_of(entries(200), tools::Arguments(given, setting));
    REQUIRE(page);
    CHECK(page->entries.dump().size() <= tools::kMaxPageBytes + 1);
    for (const Json& entry : page->entries) seen.push_back(entry);
    given = Json{{"cursor", page->next_cursor}};
    ++pages;
  } while (!given.at("cursor").get<std::string>().empty());
  CHECK(seen == entries(200));
  CHECK(pages == 3);
}

TEST_CASE("A page holds at least one entry, however large, and no more than were asked for") {
  const test::ToolHouse house;
  const tools::Setting setting(house.world);
  const auto page_of = [&](const Json& all, const Json& given) {
    return tools::page_of(all, tools::Arguments(given, setting));
  };
  const Json large{std::string(tools::kMaxPageBytes * 2, 'x'), "small"};
  CHECK(page_of(large, Json::object())->entries.size() == 1);
  CHECK(page_of(large, Json::object())->next_cursor == "1");
  CHECK(page_of(entries(9), {{"limit", 4}})->entries.size() == 4);
  CHECK(page_of(entries(200), {{"limit", 150}})->entries.size() == 150);
  CHECK(page_of(entries(4), {{"limit", 4}})->next_cursor.empty());
  CHECK(page_of(Json::array(), Json::object())->next_cursor.empty());
  CHECK(page_of(entries(4), {{"cursor", "9"}})->entries.empty());
  for (const char* cursor : {"", "0", "-1", "two", "1 ", "99999999999999999999999"}) {
    CAPTURE(cursor);
    CHECK_FALSE(page_of(entries(4), {{"cursor", cursor}}));
  }
}

namespace {

// Structured and as a text, each: a client shows its model one of them.
void check_page(const test::ToolHouse& house, const Json& structured) {
  constexpr std::size_t kMaxTokens = 8'000;
  constexpr std::size_t kBytesPerToken = 3;
  REQUIRE(structured.contains("next_cursor"));
  CHECK(structured.dump().size() / kBytesPerToken <= kMaxTokens);
  CHECK(house.last_text.size() / kBytesPerToken <= kMaxTokens);
}

}  // namespace

TEST_CASE("What lists return by default costs a model no more than 8,000 tokens") {
  test::ScheduleHouse house;
  const std::string deep = std::string(200, 'd') + "/" + std::string(200, 'e') + "/";
  constexpr int kMany = 120;
  const auto folder = house / "home/code" / deep;
  house.make_database(folder / "0.db");
  for (int i = 1; i < kMany; ++i) {
    test::fs::copy_file(folder / "0.db", folder / (std::to_string(i) + ".db"));
  }
  const auto host = house.backups / "testhost" / deep.substr(0, 200);
  test::fs::create_directories(host);
  for (int i = 0; i < kMany; ++i) {
    test::fs::copy_file(folder / "0.db",
                        host / (std::string(200, 's') + std::to_string(i) + "-2026-11-21.db"));
  }
  check_page(house, house.good("list_snapshots", {{"destination", "~/Backups"}}));
  check_page(house,
             house.good("discover_databases", {{"folder", {"~/code"}}, {"pattern", {"*.db"}}}));
}

TEST_CASE("One long path in a table does not widen the other rows") {
  const std::string text =
      tools::format_table({{std::string(4000, 'x'), "1", "end"}, {"short", "2", "end"}});
  CHECK(text.size() < 4300);
  CHECK_THAT(text, Catch::Contains("short" + std::string(97, ' ') + "2  end"));
}

TEST_CASE("list_schedules pages by cursor, and counts all") {
  test::ScheduleHouse house;
  for (const char* name : {"a", "b", "c"}) house.install({{"name", name}});
  const Json first = house.good("list_schedules", {{"limit", 2}});
  CHECK(first.at("schedules").size() == 2);
  CHECK(first.at("total") == 3);
  CHECK_THAT(house.last_text,
             Catch::Contains("cursor " + first.at("next_cursor").get<std::string>()));
  const Json second =
      house.good("list_schedules", {{"limit", 2}, {"cursor", first.at("next_cursor")}});
  CHECK(second.at("schedules").size() == 1);
  CHECK_FALSE(second.contains("next_cursor"));
}
