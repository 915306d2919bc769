#include "core/sqlite/sealed_vfs.h"

#include <sqlite3.h>

#include <algorithm>

#include "core/platform/page_cache.h"
#include "core/platform/sha256.h"
#include "support/catch.h"
#include "support/resident.h"
#include "support/temp_folder.h"
#include "support/test_database.h"

namespace fs = std::filesystem;
namespace sqlite = core::sqlite;
using test::TempFolder;

namespace {

void make_filled(const fs::path& path, int rows) {
  test::make_notes_database(path, {.journal_mode = "delete"});
  test::run_sql(
      path,
      "PRAGMA synchronous = OFF; CREATE TABLE filler(a); WITH RECURSIVE n(i) AS (SELECT 1 "
      "UNION ALL SELECT i + 1 FROM n LIMIT " +
          std::to_string(rows) + ") INSERT INTO filler SELECT randomblob(900) FROM n");
}

core::Expected<std::string> digest_through(sqlite3* connection, std::uint64_t bytes) {
  core::Sha256 digest;
  const auto read = core::read_through(connection, bytes, [&](const void* data, std::size_t n) {
    digest.update(data, n);
    return true;
  });
  if (!read) return core::fail(read.error());
  return digest.finish();
}

}  // namespace

TEST_CASE("A sealed database is read whole and cannot be changed") {
  const TempFolder folder;
  const auto path = folder / "sealed.db";
  make_filled(path, 200);
  const std::string before = test::read_file(path);
  const auto connection = core::open_sealed(path);
  REQUIRE(connection);
  CHECK(sqlite::query_integer(connection->get(), "SELECT count(*) FROM filler", "read") == 200);
  CHECK(digest_through(connection->get(), before.size()) == core::sha256_of(before));
  (void)sqlite::execute(connection->get(), "DELETE FROM filler; PRAGMA user_version = 7", "change");
  (void)sqlite::execute(connection->get(), "VACUUM", "change");
  (void)sqlite::execute(connection->get(), "PRAGMA journal_mode = WAL", "change");
  CHECK(test::read_file(path) == before);
  CHECK(test::names_in(folder.path()) == "sealed.db");
}

TEST_CASE("What lies beside a sealed database is not looked at") {
  const TempFolder folder;
  const auto path = folder / "sealed.db";
  make_filled(path, 10);
  // A hot journal that would empty the database if it were rolled back.
  std::string journal("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7\xff\xff\xff\xff", 12);
  journal += std::string(4, '\0') + std::string("\0\0\0\1\0\0\2\0\0\0\x10\0", 12);
  test::write_file(path.string() + "-journal", journal + std::string(488, '\0'));
  test::write_file(path.string() + "-wal", "not a WAL");
  const auto connection = core::open_sealed(path);
  REQUIRE(connection);
  CHECK(sqlite::query_integer(connection->get(), "SELECT count(*) FROM filler", "read") == 10);
  CHECK(fs::exists(path.string() + "-journal"));
}

TEST_CASE("A header that says WAL is read as it is by us, and past it by SQLite") {
  const TempFolder folder;
  const auto path = folder / "sealed.db";
  test::make_notes_database(path, {.journal_mode = "wal"});
  const std::string before = test::read_file(path);
  REQUIRE(before[18] == 2);
  const auto connection = core::open_sealed(path);
  REQUIRE(connection);
  CHECK(sqlite::query_integer(connection->get(), "SELECT count(*) FROM notes", "read") == 20);
  CHECK(digest_through(connection->get(), before.size()) == core::sha256_of(before));
  CHECK(test::names_in(folder.path()) == "sealed.db");
}

TEST_CASE("A file that is cut while it is read gives an error, not the end of the program") {
  const TempFolder folder;
  const auto path = folder / "sealed.db";
  make_filled(path, 20'000);
  const auto bytes = fs::file_size(path);
  const auto connection = core::open_sealed(path);
  REQUIRE(connection);
  REQUIRE(sqlite::query_integer(connection->get(), "SELECT count(*) FROM notes", "read") == 20);
  fs::resize_file(path, bytes / 2);
  CHECK_FALSE(digest_through(connection->get(), bytes));
  const auto rows =
      sqlite::query_integer(connection->get(), "SELECT sum(length(a)) FROM filler", "read");
  REQUIRE_FALSE(rows);
  CHECK(
      (rows.error().code == core::ErrorCode::io || rows.error().code == core::ErrorCode::damaged));
}

TEST_CASE("The bytes that SQLite reads are counted") {
  const TempFolder folder;
  const auto path = folder / "sealed.db";
  make_filled(path, 5'000);
  const auto connection = core::open_sealed(path);
  REQUIRE(connection);
  REQUIRE(sqlite::query_integer(connection->get(), "SELECT sum(length(a)) FROM filler", "read"));
  const std::uint64_t read = core::bytes_read(connection->get());
  CHECK(read > 4'000'000);
  CHECK(read < 2 * fs::file_size(path));
}

#ifdef __linux__
TEST_CASE("Between two statements nothing of the file stays in the memory of the process") {
  const TempFolder folder;
  const auto path = folder / "sealed.db";
  make_filled(path, 40'000);
  const auto connection = core::open_sealed(path);
  REQUIRE(connection);
  const std::size_t before = test::resident_file_bytes();
  REQUIRE(sqlite::query_integer(connection->get(), "SELECT sum(length(a)) FROM filler", "read"));
  CHECK(test::resident_file_bytes() < before + (4 << 20));
}
#endif

TEST_CASE("Who looks here and there finds in memory what was used last, and gives it back") {
  const TempFolder folder;
  const auto path = folder / "sealed.db";
  test::run_sql(path,
                "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; "
                "CREATE TABLE filler(id INTEGER PRIMARY KEY, a); "
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) "
                "INSERT INTO filler SELECT i, i || zeroblob(3900) FROM n");
  const auto connection = core::open_sealed(path);
  REQUIRE(connection);
  std::size_t most = 0;
  sqlite3_progress_handler(
      connection->get(), 100,
      [](void* out) {
        auto& seen = *static_cast<std::size_t*>(out);
        seen = std::max(seen, core::PageCache::bytes_in_use());
        return 0;
      },
      &most);
  // Each row lies on a page of its own; the steps leap over so many that no mapping pays.
  const auto look = [&] {
    return sqlite::query_integer(
        connection->get(),
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 40000) "
        "SELECT count(*) FROM n JOIN filler ON id = 1 + i * 7919 % 20000 "
        "WHERE CAST(a AS INTEGER) = id",
        "read");
  };
  CHECK(look() == 40'000);
  CHECK(most == 0);
  core::keep_pages(connection->get(), true);
  CHECK(look() == 40'000);
  CHECK(most > core::PageCache::kLeastBytes);
  CHECK(most <= core::PageCache::kAllBytes);
  CHECK(core::PageCache::bytes_in_use() == 0);
  most = 0;
  core::keep_pages(connection->get(), false);
  CHECK(look() == 40'000);
  CHECK(most == 0);
}
