#include "tools/paging.h"

#include "tests/tools/schedule_house.h"

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
