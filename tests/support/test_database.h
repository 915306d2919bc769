// Databases to test with, shaped like the first user's: notes with full-text search over them, and
// two ledgers whose sums are equal after every transaction.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;

namespace test {

namespace fs = std::filesystem;

struct DatabaseOptions {
  std::string journal_mode = "wal";
  int page_size = 4096;
  int notes = 20;
};

// Creates it with `notes` notes, links between them and balanced ledgers; closes it cleanly.
void make_notes_database(const fs::path& path, const DatabaseOptions& options = {});
// One transaction that adds a note and one equal entry to each ledger, and counts itself.
std::string commit_sql(std::uint64_t number);

// Opens, runs, closes. Throws std::runtime_error with SQLite's words when that fails.
void run_sql(const fs::path& path, const std::string& sql);
std::int64_t query_integer(const fs::path& path, const std::string& sql);
std::string query_text(const fs::path& path, const std::string& sql);
std::vector<std::string> query_column(const fs::path& path, const std::string& sql);
inline std::int64_t notes_in(const fs::path& path) {
  return query_integer(path, "SELECT count(*) FROM notes");
}

// True when both ledgers have the same sum and each commit is there whole.
bool invariant_holds(const fs::path& path);

// A connection that stays open. Closes on destruction, without a checkpoint when told so.
class OpenDatabase {
 public:
  explicit OpenDatabase(const fs::path& path, bool checkpoint_on_close = true);
  ~OpenDatabase();
  OpenDatabase(const OpenDatabase&) = delete;
  OpenDatabase& operator=(const OpenDatabase&) = delete;
  void run(const std::string& sql);
  std::string text(const std::string& sql);
  sqlite3* get() const { return connection_; }

 private:
  sqlite3* connection_ = nullptr;
};

}  // namespace test
