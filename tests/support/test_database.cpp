#include "support/test_database.h"

#include <sqlite3.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "core/base/paths.h"

namespace test {
namespace {

constexpr int kMostWaits = 15'000;  // of 2 ms: half a minute and more

// SQLite's own waits grow to 100 ms, and a writer in rollback mode that commits all the time leaves
// a reader so few moments that each of fifty looks may miss them.
int wait_for_lock(void*, int waits) {
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  return waits < kMostWaits ? 1 : 0;
}

constexpr const char* kSchema = R"sql(
CREATE TABLE notes (
  id TEXT PRIMARY KEY, type TEXT NOT NULL, content TEXT NOT NULL, context TEXT, keywords TEXT,
  confidence TEXT DEFAULT 'medium', created_at TEXT NOT NULL);
CREATE INDEX idx_notes_type ON notes(type);
CREATE VIRTUAL TABLE notes_fts USING fts5(content, context, keywords, content='notes',
  content_rowid='rowid', tokenize='porter unicode61');
CREATE TRIGGER notes_ai AFTER INSERT ON notes BEGIN
  INSERT INTO notes_fts(rowid, content, context, keywords)
    VALUES (new.rowid, new.content, new.context, new.keywords);
END;
CREATE TRIGGER notes_ad AFTER DELETE ON notes BEGIN
  INSERT INTO notes_fts(notes_fts, rowid, content, context, keywords)
    VALUES ('delete', old.rowid, old.content, old.context, old.keywords);
END;
CREATE TABLE links (
  id TEXT PRIMARY KEY,
  from_note_id TEXT NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
  to_note_id TEXT NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
  relationship TEXT NOT NULL);
CREATE INDEX idx_links_from ON links(from_note_id);
CREATE TABLE ledger_in (number INTEGER PRIMARY KEY, amount INTEGER NOT NULL);
CREATE TABLE ledger_out (number INTEGER PRIMARY KEY, amount INTEGER NOT NULL);
CREATE TABLE counter (id INTEGER PRIMARY KEY CHECK (id = 1), commits INTEGER NOT NULL);
INSERT INTO counter VALUES (1, 0);
)sql";

[[noreturn]] void raise(sqlite3* connection, const std::string& sql) {
  throw std::runtime_error(std::string(sqlite3_errmsg(connection)) + " in: " + sql.substr(0, 200));
}

std::vector<std::string> column(sqlite3* connection, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(connection, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    raise(connection, sql);
  }
  std::vector<std::string> result;
  int rc = SQLITE_ROW;
  while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    result.emplace_back(text != nullptr ? text : "");
  }
  sqlite3_finalize(statement);
  if (rc != SQLITE_DONE) raise(connection, sql);
  return result;
}

}  // namespace

OpenDatabase::OpenDatabase(const fs::path& path, bool checkpoint_on_close) {
  if (sqlite3_open_v2(core::text_of(path).c_str(), &connection_,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) != SQLITE_OK) {
    sqlite3_close(connection_);
    throw std::runtime_error("cannot open " + path.string());
  }
  sqlite3_busy_handler(connection_, &wait_for_lock, nullptr);
  if (!checkpoint_on_close) {
    sqlite3_db_config(connection_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
}

OpenDatabase::~OpenDatabase() {
  sqlite3_close_v2(connection_);
}

void OpenDatabase::run(const std::string& sql) {
  if (sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    raise(connection_, sql);
  }
}

std::string OpenDatabase::text(const std::string& sql) {
  const auto rows = column(connection_, sql);
  if (rows.empty()) throw std::runtime_error("no row from: " + sql);
  return rows.front();
}

std::string commit_sql(std::uint64_t number) {
  const std::string n = std::to_string(number);
  const std::string amount = std::to_string(number * 7919 % 1000);
  return "BEGIN IMMEDIATE;"
         "INSERT INTO notes VALUES ('note-" +
         n + "', 'insight', 'The lighthouse keeper wrote entry " + n +
         " about weather and ships', 'context of " + n +
         "', 'lighthouse, weather', 'high', '2026-11-23T00:00:00Z');"
         "INSERT INTO links VALUES ('link-" +
         n + "', 'note-" + n + "', 'note-0', 'follows');" + "INSERT INTO ledger_in VALUES (" + n +
         ", " + amount + "); UPDATE counter SET commits = commits + 1;" +
         "INSERT INTO ledger_out VALUES (" + n + ", " + amount + "); COMMIT;";
}

void make_notes_database(const fs::path& path, const DatabaseOptions& options) {
  OpenDatabase database(path);
  database.run("PRAGMA page_size = " + std::to_string(options.page_size));
  database.text("PRAGMA journal_mode = " + options.journal_mode);
  database.run(std::string("BEGIN;") + kSchema + "COMMIT;");
  database.run("PRAGMA synchronous = OFF");
  for (int number = 0; number < options.notes; ++number) {
    database.run(commit_sql(static_cast<std::uint64_t>(number)));
  }
}

void run_sql(const fs::path& path, const std::string& sql) {
  OpenDatabase(path).run(sql);
}

std::string query_text(const fs::path& path, const std::string& sql) {
  return OpenDatabase(path).text(sql);
}

std::int64_t query_integer(const fs::path& path, const std::string& sql) {
  return std::stoll(query_text(path, sql));
}

std::vector<std::string> query_column(const fs::path& path, const std::string& sql) {
  const OpenDatabase database(path);
  return column(database.get(), sql);
}

bool invariant_holds(const fs::path& path) {
  return query_integer(path,
                       "SELECT (SELECT count(*) || '/' || total(amount) FROM ledger_in) ="
                       "       (SELECT count(*) || '/' || total(amount) FROM ledger_out)"
                       "   AND (SELECT count(*) FROM ledger_in) = (SELECT commits FROM counter)"
                       "   AND (SELECT count(*) FROM ledger_in) = (SELECT count(*) FROM notes)") ==
         1;
}

}  // namespace test
