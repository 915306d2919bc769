#include "core/discovery/ignored.h"

#include <fstream>

#include "core/base/paths.h"
#include "support/catch.h"
#include "support/fake_env.h"

namespace fs = std::filesystem;
using core::ErrorCode;

namespace {

fs::path ignorable_file(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "x";
  return path;
}

}  // namespace

TEST_CASE("What is ignored is remembered until it is taken back") {
  test::FakeEnv house;
  const core::Env env = house.env();
  const fs::path one = ignorable_file(house / "home/a/notes.db");
  REQUIRE(core::read_ignored(house.places, core::system_files())->empty());

  auto result = core::set_ignored(one, true, env, {});
  REQUIRE(result);
  CHECK(result->changed);
  CHECK_FALSE(core::set_ignored(one, true, env, {})->changed);
  const auto ignored = core::read_ignored(house.places, core::system_files());
  REQUIRE(ignored);
  CHECK(core::is_ignored(one, *ignored));
  CHECK_FALSE(core::is_ignored(house / "home/a/notes.db2", *ignored));
  // It may be gone by then.
  fs::remove(one);
  result = core::set_ignored(one, false, env, {});
  REQUIRE(result);
  CHECK(result->changed);
  CHECK(result->ignored.empty());
  CHECK_FALSE(core::set_ignored(one, false, env, {})->changed);
}

TEST_CASE("An ignored folder takes in all below it, and only the folder can be taken back") {
  test::FakeEnv house;
  const core::Env env = house.env();
  const fs::path one = ignorable_file(house / "home/scratch/deep/notes.db");
  const auto result = core::set_ignored(house / "home/scratch", true, env, {});
  REQUIRE(result);
  CHECK(core::is_ignored(one, result->ignored));
  const auto refused = core::set_ignored(one, false, env, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::invalid_argument);
  CHECK_FALSE(core::set_ignored(house / "home/scratch", false, env, {})->changed == false);
}

TEST_CASE("What is not there is not ignored, and a damaged list is told and left alone") {
  test::FakeEnv house;
  const core::Env env = house.env();
  CHECK(core::set_ignored(house / "home/none.db", true, env, {}).error().code ==
        ErrorCode::not_found);
  const fs::path list = ignorable_file(house.places.config / "ignored.json");
  for (const char* text : {"{", "[]", R"({"format_version": 2, "ignored": []})",
                           R"({"format_version": 1, "ignored": [7]})", "\xff"}) {
    std::ofstream(list, std::ios::trunc) << text;
    const auto read = core::read_ignored(house.places, core::system_files());
    REQUIRE_FALSE(read);
    CHECK(read.error().message.find(core::text_of(list)) != std::string::npos);
    CHECK_FALSE(core::set_ignored(ignorable_file(house / "home/a.db"), true, env, {}));
    CHECK(fs::file_size(list) == std::string(text).size());
  }
}
