#include <algorithm>
#include <filesystem>
#include <thread>

#include "core/snapshot/snapshot.h"
#include "core/sqlite/btree_page.h"
#include "core/sqlite/sealed_vfs.h"
#include "core/verify/verify.h"
#include "core/verify/verify_checks.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/test_database.h"
#include "tests/core/support/damaged_databases.h"

namespace fs = std::filesystem;
using core::VerifyCheck;
using core::VerifyLevel;
using core::VerifyReport;

namespace {

using Outcome = VerifyCheck::Outcome;
using Verdict = VerifyReport::Verdict;

constexpr std::size_t kFreeListAt = 32;

// A table in use, a free list, and what `last` creates at the end.
struct Scene {
  test::FakeEnv world;
  fs::path path = world / "live/source.db";

  explicit Scene(const std::string& last, const std::string& before = "") {
    fs::create_directory(world / "live");
    test::run_sql(path, before +
                            "CREATE TABLE keep(x); CREATE TABLE gone(x);"
                            "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE "
                            "i < 200) INSERT INTO keep SELECT 'k' || i || zeroblob(300) FROM c;"
                            "INSERT INTO gone SELECT a.x FROM keep AS a, (VALUES(1), (2), (3));"
                            "DELETE FROM gone;" +
                            last);
  }

  // The first page that the free list's first trunk names becomes `page`.
  void free_page(std::int64_t page) {
    std::string bytes = test::read_file(path);
    const std::size_t size = test::number_in(bytes, 16, 2);
    const std::size_t trunk = (test::number_in(bytes, kFreeListAt) - 1) * size;
    test::put_number(bytes, trunk + 8, static_cast<std::uint32_t>(page));
    fs::remove(path);
    test::write_file(path, bytes);
  }
  std::int64_t page_of(const std::string& name, const std::string& which = "leaf") {
    return test::query_integer(path, "SELECT min(pageno) FROM dbstat WHERE name = '" + name +
                                         "' AND pagetype = '" + which + "'");
  }
  VerifyReport verify(VerifyLevel level) {
    core::NoProgress progress;
    core::VerifyRequest request;
    request.snapshot = path;
    request.level = level;
    request.expected.emplace();
    const std::string bytes = test::read_file(path);
    request.expected->bytes = bytes.size();
    request.expected->page_size = test::number_in(bytes, 16, 2);
    request.expected->page_count =
        static_cast<std::uint32_t>(bytes.size() / request.expected->page_size);
    auto report = core::verify_snapshot(request, world.env(), progress, {});
    if (!report) FAIL(report.error().message);
    return *report;
  }
};

std::string failures(const VerifyReport& report) {
  return std::string(to_string(report.verdict)) + ": " + describe_failures(report);
}

// The account alone, of a database as it is.
VerifyCheck account(const fs::path& path, bool mapped = true) {
  auto connection = core::open_sealed(path);
  if (!connection) FAIL(connection.error().message);
  if (!mapped) {
    REQUIRE(core::sqlite::execute(connection->get(), "PRAGMA mmap_size = 0", "cannot unmap"));
  }
  core::FileHeader header;
  bool readable = false;
  const auto bytes = fs::file_size(path);
  core::check_header(connection->get(), bytes, header, readable);
  return core::check_pages(connection->get(), bytes, header, core::Accounting::all_pages, {}).pages;
}

}  // namespace

TEST_CASE("A page that the free list and a table both have is found whatever was created last") {
  const auto last = GENERATE(
      as<std::string>{}, "", "CREATE VIEW v AS SELECT count(*) FROM keep;",
      "CREATE VIRTUAL TABLE v USING fts5(x);", "CREATE VIRTUAL TABLE v USING rtree(id, a, b);",
      "CREATE TABLE t(a INTEGER PRIMARY KEY) WITHOUT ROWID; CREATE VIEW v AS SELECT 1;");
  INFO(last);
  Scene scene(last);
  for (const VerifyLevel level : {VerifyLevel::quick, VerifyLevel::full}) {
    CHECK(failures(scene.verify(level)) == "verified: ");
  }
  scene.free_page(scene.page_of("keep"));
  for (const VerifyLevel level : {VerifyLevel::quick, VerifyLevel::full}) {
    const VerifyReport report = scene.verify(level);
    INFO(failures(report));
    CHECK(report.verdict == Verdict::damaged);
  }
}

TEST_CASE("SQLite is seen to leave out the account of pages where a view comes first") {
  const auto left = [](const Scene& scene) {
    auto connection = core::open_sealed(scene.path);
    REQUIRE(connection);
    return core::accounting_left_by_sqlite(connection->get());
  };
  CHECK(left(Scene("")) == core::Accounting::trees);
  CHECK(left(Scene("CREATE VIEW v AS SELECT 1;")) == core::Accounting::all_pages);
  CHECK(left(Scene("CREATE VIRTUAL TABLE v USING fts5(x);")) == core::Accounting::trees);
}

TEST_CASE("A database whose free list holds a page in use is not published as a snapshot") {
  Scene scene("CREATE VIEW v AS SELECT count(*) FROM keep;");
  scene.free_page(scene.page_of("keep"));
  fs::create_directory(scene.world / "backups");
  core::SnapshotRequest request;
  request.source = scene.path;
  request.destination = scene.world / "backups";
  request.flat = true;
  core::NoProgress progress;
  const auto taken = core::take_snapshot(request, scene.world.env(), progress, {});
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == core::ErrorCode::damaged);
  CHECK_THAT(taken.error().message, Catch::Contains("which is in use already"));
  CHECK_FALSE(fs::exists(scene.world / "backups/source-2026-11-23.db"));
}

TEST_CASE("What is wrong with the use of pages is told with whose they are") {
  Scene scene("CREATE INDEX i ON keep(x); CREATE VIEW v AS SELECT 1;");
  SECTION("a page that nothing uses") {
    std::string bytes = test::read_file(scene.path);
    test::put_number(bytes, kFreeListAt, 0);
    test::put_number(bytes, kFreeListAt + 4, 0);
    test::write_file(scene.path, bytes);
    CHECK_THAT(failures(scene.verify(VerifyLevel::quick)), Catch::Contains("is never used"));
  }
  SECTION("a free page that is not there") {
    scene.free_page(123456);
    CHECK(failures(scene.verify(VerifyLevel::quick)) ==
          "damaged: quick_check: The free list refers to page 123456, which is not there");
  }
  SECTION("an index that has fewer entries than its table has rows") {
    std::string bytes = test::read_file(scene.path);
    const std::size_t leaf = static_cast<std::size_t>(scene.page_of("i") - 1) * 4096;
    const std::uint32_t cells = test::number_in(bytes, leaf + 3, 2);
    const std::uint32_t last = test::number_in(bytes, leaf + 8 + 2 * (cells - 1), 2);
    // The cell at the start of the content goes, and with it its bytes.
    REQUIRE(last == test::number_in(bytes, leaf + 5, 2));
    test::put_number(bytes, leaf + 3, cells - 1, 2);
    test::put_number(bytes, leaf + 5, test::number_in(bytes, leaf + 8 + 2 * (cells - 2), 2), 2);
    test::write_file(scene.path, bytes);
    const VerifyReport report = scene.verify(VerifyLevel::quick);
    CHECK(failures(report) == "verified: ");
    CHECK(report.source_findings == std::map<std::string, std::uint64_t>{{"indexes", 1}});
    const auto told =
        std::find_if(report.checks.begin(), report.checks.end(),
                     [](const VerifyCheck& check) { return check.name == "indexes"; });
    REQUIRE(told != report.checks.end());
    CHECK(told->findings.front() == "Index i has 199 entries; Table keep has 200 rows.");
  }
}

TEST_CASE("A pointer map that is wrong about a free page or a root is found") {
  Scene scene("CREATE VIEW v AS SELECT 1;", "PRAGMA auto_vacuum = INCREMENTAL;");
  CHECK(failures(scene.verify(VerifyLevel::quick)) == "verified: ");
  std::string bytes = test::read_file(scene.path);
  const std::uint32_t page = GENERATE_REF(std::uint32_t{test::number_in(bytes, kFreeListAt)},
                                          static_cast<std::uint32_t>(3));
  test::put_number(bytes, 4096 + std::size_t{5} * (page - 3), 5, 1);
  test::write_file(scene.path, bytes);
  CHECK(failures(scene.verify(VerifyLevel::quick)) ==
        "damaged: quick_check: The pointer map is wrong about page " + std::to_string(page));
}

TEST_CASE("Pages are accounted for alike where the file is not mapped") {
  test::FakeEnv world;
  for (const test::SoundDatabase& sound : test::sound_databases(world.folder.path())) {
    INFO(sound.name);
    const fs::path path = world / "x.db";
    fs::remove(path);
    test::write_file(path, sound.bytes);
    CHECK(account(path, false).findings.empty());
    std::string bytes = sound.bytes;
    test::put_number(bytes, (sound.trunks.front() - 1) * std::size_t{sound.page_bytes} + 8, 2);
    fs::remove(path);
    test::write_file(path, bytes);
    const VerifyCheck check = account(path, false);
    CHECK(check.outcome == Outcome::failed);
    CHECK(check.findings == account(path).findings);
  }
}

TEST_CASE("The page with the lock byte is nobody's in a file of more than a gigabyte") {
  test::FakeEnv world;
  const fs::path path = world / "large.db";
  test::run_sql(path,
                "PRAGMA page_size = 65536; CREATE TABLE t(x); CREATE TABLE u(x); "
                "INSERT INTO u SELECT zeroblob(200000); DROP TABLE u;");
  std::string bytes = test::read_file(path);
  const std::uint32_t pages = (1U << 30) / 65536 + 3, lock_page = (1U << 30) / 65536 + 1;
  // A new trunk names all pages that are not there yet; the file itself has holes.
  const auto trunk = static_cast<std::uint32_t>(bytes.size() / 65536) + 1;
  const std::size_t at = bytes.size();
  bytes.resize(bytes.size() + 65536);
  test::put_number(bytes, at, test::number_in(bytes, kFreeListAt));
  std::uint32_t leaves = 0;
  for (std::uint32_t page = trunk + 1; page <= pages; ++page) {
    if (page != lock_page) test::put_number(bytes, at + 8 + std::size_t{4} * leaves++, page);
  }
  test::put_number(bytes, at + 4, leaves);
  test::put_number(bytes, kFreeListAt, trunk);
  test::put_number(bytes, kFreeListAt + 4, test::number_in(bytes, kFreeListAt + 4) + leaves + 1);
  test::put_number(bytes, 28, pages);
  test::write_file(path, bytes);
  fs::resize_file(path, std::uint64_t{pages} * 65536);
  CHECK(account(path).findings.empty());
  test::put_number(bytes, at + 8, lock_page);
  test::write_file(path, bytes);
  fs::resize_file(path, std::uint64_t{pages} * 65536);
  const VerifyCheck check = account(path);
  REQUIRE(check.findings.size() == 1);
  CHECK(check.findings.front() ==
        "The free list refers to page " + std::to_string(lock_page) + ", which is in use already.");
}

TEST_CASE("A b-tree page of any bytes is read within its bounds") {
  std::mt19937 random(1);
  core::BtreePage page;
  int read = 0;
  for (int round = 0; round < 3000; ++round) {
    // On the heap and exactly as large, so that a sanitizer sees a step beyond.
    std::vector<unsigned char> bytes(512);
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random());
    constexpr unsigned char kKinds[] = {2, 5, 10, 13};
    bytes[0] = kKinds[random() % 4];
    bytes[3] = 0;
    bytes[4] = static_cast<unsigned char>(random() % 6);
    for (std::size_t cell = 0; cell < 6; ++cell) {
      bytes[12 + 2 * cell] = static_cast<unsigned char>(random() % 2);
    }
    if (core::read_btree_page(bytes.data(), 0, 512, page)) ++read;
    CHECK(page.children.size() <= 7);
  }
  CHECK(read > 100);
}
