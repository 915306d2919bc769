#include "damaged_databases.h"

#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "support/temp_folder.h"
#include "support/test_database.h"

namespace test {
namespace {

constexpr std::size_t kFreeListAt = 32, kFreeCountAt = 36, kLargestRootAt = 52;

std::string schema_sql(bool full_text, bool view_last) {
  std::string sql =
      "CREATE TABLE keep(id INTEGER PRIMARY KEY, word TEXT UNIQUE, body TEXT);"
      "CREATE INDEX keep_body ON keep(body);"
      "CREATE INDEX keep_part ON keep(word) WHERE id % 3 = 0;"
      "CREATE TABLE pairs(a INT, b TEXT, PRIMARY KEY(a, b)) WITHOUT ROWID;"
      "CREATE INDEX pairs_b ON pairs(b);"
      "CREATE TABLE big(x BLOB);"
      "CREATE TABLE many(n INT);"
      "CREATE TABLE gone(x);";
  if (full_text) sql += "CREATE VIRTUAL TABLE words USING fts5(text);";
  const std::string numbers =
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
      "WHERE i < ";
  sql += numbers +
         "120) INSERT INTO keep SELECT i, 'w' || i, printf('%.*c', 20 + i % 60, 'b') || i "
         "FROM c;" +
         numbers + "150) INSERT INTO pairs SELECT i % 7, 'pair ' || i FROM c;" + numbers +
         "6) INSERT INTO big SELECT zeroblob(900 * i) FROM c;" + numbers +
         "900) INSERT INTO many SELECT i * 7919 FROM c;" + numbers +
         "30) INSERT INTO gone SELECT zeroblob(900) FROM c;";
  if (full_text) sql += "INSERT INTO words SELECT 'some words ' || word FROM keep;";
  sql += "DELETE FROM gone;";
  if (view_last) sql += "CREATE VIEW last AS SELECT count(*) FROM keep;";
  return sql;
}

void find_free_pages(SoundDatabase& database) {
  for (std::uint32_t trunk = number_in(database.bytes, kFreeListAt); trunk != 0;) {
    database.trunks.push_back(trunk);
    const std::size_t at = std::size_t{trunk - 1} * database.page_bytes;
    for (std::uint32_t i = 0; i < number_in(database.bytes, at + 4); ++i) {
      database.free_leaves.push_back(number_in(database.bytes, at + 8 + std::size_t{4} * i));
    }
    trunk = number_in(database.bytes, at);
  }
}

SoundDatabase make_sound(const fs::path& path, const std::string& name, int page_bytes,
                         const std::string& auto_vacuum, bool full_text, bool view_last) {
  run_sql(path, "PRAGMA page_size = " + std::to_string(page_bytes) + "; PRAGMA auto_vacuum = " +
                    auto_vacuum + ";" + schema_sql(full_text, view_last));
  SoundDatabase database;
  database.name = name;
  database.bytes = read_file(path);
  database.page_bytes = static_cast<std::uint32_t>(page_bytes);
  std::set<std::uint32_t> used;
  const auto list = [&](const char* which, std::vector<std::uint32_t>& pages) {
    for (const std::string& page :
         query_column(path, std::string("SELECT pageno FROM dbstat WHERE ") + which)) {
      pages.push_back(static_cast<std::uint32_t>(std::stoul(page)));
      used.insert(pages.back());
    }
  };
  const std::string index =
      "(name LIKE 'keep\\_%' ESCAPE '\\' OR name IN ('pairs', 'pairs_b') OR "
      "name LIKE '%auto%')";
  list(("pagetype = 'leaf' AND NOT " + index).c_str(), database.table_leaves);
  list(("pagetype = 'internal' AND NOT " + index).c_str(), database.table_interiors);
  list(("pagetype = 'leaf' AND " + index).c_str(), database.index_leaves);
  list(("pagetype = 'internal' AND " + index).c_str(), database.index_interiors);
  list("pagetype = 'overflow'", database.overflow);
  find_free_pages(database);
  used.insert(database.trunks.begin(), database.trunks.end());
  used.insert(database.free_leaves.begin(), database.free_leaves.end());
  for (std::uint32_t page = 1; page <= database.pages(); ++page) {
    if (used.count(page) == 0) database.pointer_maps.push_back(page);
  }
  return database;
}

class Connection {
 public:
  explicit Connection(const fs::path& path) {
    const std::string uri = "file:" + path.string() + "?immutable=1";
    sqlite3_open_v2(uri.c_str(), &raw_, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
  }
  ~Connection() { sqlite3_close_v2(raw_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Reads all values of all rows; calls `take` for each row. SQLite's words on a failure.
  template <class Take>
  std::string read(const std::string& sql, Take take) {
    sqlite3_stmt* statement = nullptr;
    int rc = sqlite3_prepare_v2(raw_, sql.c_str(), -1, &statement, nullptr);
    if (rc != SQLITE_OK) return std::string(sqlite3_errmsg(raw_)) + ": " + sql;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
      for (int i = 0; i < sqlite3_column_count(statement); ++i) sqlite3_column_blob(statement, i);
      if (!take(statement)) {
        rc = SQLITE_DONE;
        break;
      }
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? "" : std::string(sqlite3_errmsg(raw_)) + ": " + sql;
  }

 private:
  sqlite3* raw_ = nullptr;
};

std::string text_in(sqlite3_stmt* row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return text != nullptr ? text : "";
}

bool of_content(const std::string& line) {
  return line == "ok" || line.find(" value in ") != std::string::npos;
}

// Each page once in a b-tree or in the free list, but for those that tell where pages belong.
std::string account(Connection& connection, const std::string& bytes) {
  const std::uint32_t page_bytes = number_in(bytes, 16, 2);
  const auto pages = static_cast<std::uint32_t>(bytes.size() / page_bytes);
  std::map<std::uint32_t, int> uses;
  std::string fault;
  std::uint64_t rows = 0;
  const std::string failed =
      connection.read("SELECT pageno, pagetype FROM dbstat", [&](sqlite3_stmt* row) {
        ++uses[static_cast<std::uint32_t>(sqlite3_column_int64(row, 0))];
        if (text_in(row, 1) == "corrupted") fault = "a page is corrupted";
        return ++rows <= 4ULL * pages;  // else it goes in circles
      });
  if (!failed.empty()) return failed;
  std::uint32_t free_pages = 0;
  for (std::uint32_t trunk = number_in(bytes, kFreeListAt); trunk != 0;) {
    if (trunk > pages || ++uses[trunk] > 1) return "the free list goes wrong at a trunk";
    const std::size_t at = std::size_t{trunk - 1} * page_bytes;
    const std::uint32_t leaves = number_in(bytes, at + 4);
    if (leaves > page_bytes / 4 - 2) return "a trunk has too many leaves";
    for (std::uint32_t i = 0; i < leaves; ++i)
      ++uses[number_in(bytes, at + 8 + std::size_t{4} * i)];
    free_pages += 1 + leaves;
    trunk = number_in(bytes, at);
  }
  if (free_pages != number_in(bytes, kFreeCountAt)) return "the free list's count is wrong";
  const bool mapped = number_in(bytes, kLargestRootAt) != 0;
  const std::uint32_t each = (page_bytes - static_cast<unsigned char>(bytes[20])) / 5 + 1;
  for (std::uint32_t page = 1; page <= pages; ++page) {
    const int expected = mapped && page >= 2 && (page - 2) % each == 0 ? 0 : 1;
    if (uses[page] != expected) fault = "page " + std::to_string(page) + " is used wrongly";
  }
  if (uses.rbegin()->first > pages || uses.count(0) != 0) fault = "a page is not there";
  return fault;
}

}  // namespace

std::uint32_t number_in(const std::string& bytes, std::size_t at, int width) {
  std::uint32_t value = 0;
  for (int i = 0; i < width; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes.at(at + static_cast<std::size_t>(i)));
  }
  return value;
}

void put_number(std::string& bytes, std::size_t at, std::uint32_t value, int width) {
  for (int i = width - 1; i >= 0; --i, value >>= 8) {
    bytes.at(at + static_cast<std::size_t>(i)) = static_cast<char>(value & 0xff);
  }
}

std::vector<SoundDatabase> sound_databases(const fs::path& folder) {
  std::vector<SoundDatabase> all;
  all.push_back(make_sound(folder / "plain.db", "plain", 512, "0", false, false));
  all.push_back(make_sound(folder / "view.db", "view last", 512, "0", false, true));
  all.push_back(make_sound(folder / "words.db", "full text", 1024, "0", true, false));
  all.push_back(make_sound(folder / "vacuum.db", "auto-vacuum", 512, "2", false, false));
  all.push_back(make_sound(folder / "both.db", "auto-vacuum, view last", 512, "2", true, true));
  return all;
}

std::string fault_in(const fs::path& database, bool full) {
  Connection connection(database);
  std::string fault;
  const std::string check = full ? "PRAGMA integrity_check" : "PRAGMA quick_check";
  std::string failed = connection.read(check, [&](sqlite3_stmt* row) {
    const std::string line = text_in(row, 0);
    if (fault.empty() && !of_content(line)) fault = line;
    return true;
  });
  if (!failed.empty() || !fault.empty()) return failed.empty() ? fault : failed;
  std::vector<std::string> reads;
  failed = connection.read("SELECT type, name, tbl_name FROM sqlite_schema WHERE rootpage > 0",
                           [&](sqlite3_stmt* row) {
                             const std::string name = "\"" + text_in(row, 1) + "\"",
                                               table = "\"" + text_in(row, 2) + "\"";
                             if (text_in(row, 0) == "table") {
                               reads.push_back("SELECT * FROM " + table + " NOT INDEXED");
                             } else if (full && name.find("_part") == std::string::npos) {
                               reads.push_back("SELECT * FROM " + table + " INDEXED BY " + name);
                             }
                             return true;
                           });
  for (const std::string& read : reads) {
    if (!failed.empty()) break;
    failed = connection.read(read, [](sqlite3_stmt*) { return true; });
  }
  return failed.empty() ? account(connection, read_file(database)) : failed;
}

}  // namespace test
