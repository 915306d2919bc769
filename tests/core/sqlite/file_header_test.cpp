#include "core/sqlite/file_header.h"

#include <sqlite3.h>

#include <vector>

#include "core/base/paths.h"
#include "core/base/side_files.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "support/test_database.h"

namespace {

namespace fs = std::filesystem;
using core::FileHeader;

std::vector<unsigned char> bytes_of(const fs::path& path) {
  const std::string text = test::read_file(path);
  return {text.begin(), text.end()};
}

std::string pragma(const fs::path& path, const std::string& name) {
  return test::query_text(path, "PRAGMA " + name);
}

}  // namespace

TEST_CASE("A file's header says what SQLite wrote into it") {
  const int page_size = GENERATE(512, 4096, 65536);
  const std::string mode = GENERATE("wal", "delete");
  const std::string vacuum = GENERATE("0", "1", "2");
  const test::TempFolder folder;
  const fs::path path = folder / "a.db";
  test::run_sql(path, "PRAGMA page_size = " + std::to_string(page_size) +
                          "; PRAGMA auto_vacuum = " + vacuum + "; PRAGMA user_version = -7; " +
                          "CREATE TABLE t(a); PRAGMA journal_mode = " + mode);
  const auto bytes = bytes_of(path);
  REQUIRE(core::has_file_magic(bytes.data()));
  const FileHeader header = core::read_file_header(bytes.data());
  CHECK(header.page_size == static_cast<std::uint32_t>(page_size));
  CHECK(header.bytes() == bytes.size());
  CHECK(header.count_is_current());
  CHECK(header.user_version == -7);
  CHECK(header.journal_mode() == mode);
  CHECK_FALSE(header.is_newer());
  CHECK((header.largest_root != 0) == (vacuum != "0"));
  CHECK(header.incremental_vacuum == (vacuum == "2"));
  CHECK(header.writer_version == SQLITE_VERSION_NUMBER);
  CHECK(header.schema_format == 4);
  CHECK(std::to_string(header.schema_cookie) == pragma(path, "schema_version"));
  CHECK(std::to_string(header.free_pages) == pragma(path, "freelist_count"));
}

TEST_CASE("Two headers are alike but for the journal mode and what a commit counts") {
  std::vector<unsigned char> a(core::kFileHeaderBytes, 1);
  std::size_t kept_up = 0;
  for (std::size_t at = 0; at < a.size(); ++at) {
    auto b = a;
    b[at] = 9;
    if (core::same_but_for_upkeep(a.data(), b.data())) ++kept_up;
  }
  CHECK(kept_up == 22);
  auto wal = a;
  core::set_versions(wal.data(), core::kWalVersion);
  CHECK(core::read_file_header(wal.data()).says_wal());
  CHECK(core::same_but_for_upkeep(a.data(), wal.data()));
}

TEST_CASE("A version beyond WAL is a newer format, and half of WAL is none") {
  std::vector<unsigned char> bytes(core::kFileHeaderBytes, 1);
  bytes[core::kReadVersionAt] = core::kWalVersion;
  CHECK_FALSE(core::read_file_header(bytes.data()).says_wal());
  CHECK_FALSE(core::read_file_header(bytes.data()).is_newer());
  bytes[core::kWriteVersionAt] = core::kWalVersion + 1;
  CHECK(core::read_file_header(bytes.data()).is_newer());
}

TEST_CASE("The files beside a database are told by their names") {
  const auto sides = core::side_paths_of("/x/a.db");
  CHECK(sides[0] == core::wal_of("/x/a.db"));
  CHECK(core::journal_of("/x/a.db") == "/x/a.db-journal");
  CHECK(core::shm_of("/x/a.db") == "/x/a.db-shm");
  for (const auto& side : sides) CHECK(core::is_side_file(core::text_of(side)));
  CHECK_FALSE(core::is_side_file("a.db"));
}
