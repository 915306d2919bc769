// A live database, its snapshot, and rows lost since: for tests that find them and put them back.
#pragma once

#include <string>
#include <vector>

#include "core/rescue/lost_rows.h"
#include "core/rescue/put_back.h"
#include "core/rescue/undo_rows.h"
#include "core/snapshot/snapshot.h"
#include "support/catch.h"
#include "support/fake_env.h"
#include "support/test_database.h"

namespace test {

namespace fs = std::filesystem;

// Notes, what hangs on them, and a full-text index over them: the shape of the first user's.
inline constexpr const char* kNotesSchema = R"sql(
CREATE TABLE notes(id TEXT PRIMARY KEY, content TEXT NOT NULL, context TEXT, keywords TEXT,
  signal REAL DEFAULT 0);
CREATE VIRTUAL TABLE notes_fts USING fts5(content, context, keywords, content='notes',
  content_rowid='rowid', tokenize='porter unicode61');
CREATE TRIGGER notes_ai AFTER INSERT ON notes BEGIN
  INSERT INTO notes_fts(rowid, content, context, keywords)
  VALUES (new.rowid, new.content, new.context, new.keywords); END;
CREATE TRIGGER notes_ad AFTER DELETE ON notes BEGIN
  INSERT INTO notes_fts(notes_fts, rowid, content, context, keywords)
  VALUES ('delete', old.rowid, old.content, old.context, old.keywords); END;
CREATE TRIGGER notes_au AFTER UPDATE ON notes BEGIN
  INSERT INTO notes_fts(notes_fts, rowid, content, context, keywords)
  VALUES ('delete', old.rowid, old.content, old.context, old.keywords);
  INSERT INTO notes_fts(rowid, content, context, keywords)
  VALUES (new.rowid, new.content, new.context, new.keywords); END;
CREATE TABLE links(id TEXT PRIMARY KEY,
  from_note_id TEXT NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
  to_note_id TEXT NOT NULL REFERENCES notes(id) ON DELETE CASCADE, relationship TEXT NOT NULL);
CREATE UNIQUE INDEX idx_links_unique_edge ON links(from_note_id, to_note_id, relationship);
CREATE TABLE embeddings(note_id TEXT PRIMARY KEY REFERENCES notes(id) ON DELETE CASCADE,
  vector BLOB NOT NULL);
CREATE TABLE note_chunks(note_id TEXT NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
  chunk_index INTEGER NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (note_id, chunk_index));
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO notes SELECT 'n' || i, 'the content of note ' || i, NULL, 'word' || i, i / 2.0 FROM n;
INSERT INTO links SELECT 'l' || rowid, id, 'n' || (rowid % 40 + 1), 'next' FROM notes;
INSERT INTO embeddings SELECT id, zeroblob(600) FROM notes;
INSERT INTO note_chunks SELECT id, 0, x'00ff' FROM notes UNION ALL SELECT id, 1, x'01' FROM notes;
)sql";

struct RescueScene : FakeEnv {
  fs::path live = folder / "home/live.db";
  fs::path backups = folder / "backups";
  fs::path snapshot{};
  std::stop_source stop;

  // The schema and its rows, in WAL mode, and a snapshot of that.
  explicit RescueScene(const std::string& sql = kNotesSchema,
                       const std::string& journal_mode = "wal") {
    fs::create_directory(backups);
    run_sql(live, "PRAGMA journal_mode = " + journal_mode + ";" + sql);
    snapshot = take();
  }

  // With foreign keys, as the application has it.
  void run(const std::string& sql) { run_sql(live, "PRAGMA foreign_keys = ON;" + sql); }
  std::int64_t integer(const std::string& sql) { return query_integer(live, sql); }
  std::string text(const std::string& sql) { return query_text(live, sql); }

  fs::path take() {
    core::NoProgress progress;
    core::SnapshotRequest request;
    request.source = live;
    request.destination = backups;
    auto taken = core::take_snapshot(request, env(), progress, {});
    if (!taken) FAIL(taken.error().message);
    return taken->snapshot;
  }
  // The same a day later, beside the ones before.
  fs::path take_next_day() {
    clock.advance(std::chrono::hours(24));
    return take();
  }

  core::RestoreRowsRequest request(std::vector<std::string> tables = {}) {
    core::RestoreRowsRequest request;
    request.source = live;
    request.snapshots = {snapshot};
    request.destination = backups;
    request.choice.tables = std::move(tables);
    request.confirmed = true;
    return request;
  }
  core::Expected<core::RestoreRowsResult> try_restore(const core::RestoreRowsRequest& request) {
    core::NoProgress progress;
    return core::restore_rows(request, env(), progress, stop.get_token());
  }
  core::RestoreRowsResult restore(const core::RestoreRowsRequest& request) {
    auto restored = try_restore(request);
    if (!restored) FAIL(restored.error().message);
    return *restored;
  }
  core::RestoreRowsResult put_back(std::vector<std::string> tables) {
    return restore(request(std::move(tables)));
  }
  core::Error error_of(const core::RestoreRowsRequest& request) {
    auto restored = try_restore(request);
    REQUIRE_FALSE(restored);
    return restored.error();
  }
  core::UndoRowsResult undo(const std::string& name) {
    auto undone = core::undo_rows({.undo = name, .confirmed = true}, env(), {});
    if (!undone) FAIL(undone.error().message);
    return *undone;
  }
  core::LostRows find(core::LostRowsRequest request = {.source = {}}) {
    request.source = live;
    request.destination = backups;
    core::NoProgress progress;
    auto found = core::find_lost_rows(request, env(), progress, stop.get_token());
    if (!found) FAIL(found.error().message);
    return *found;
  }

  // All rows of all ordinary tables, as text: what an undo must bring back to the byte.
  std::string content() {
    std::string all;
    for (const std::string& table :
         query_column(live,
                      "SELECT replace(name, '\"', '\"\"') FROM sqlite_schema WHERE type = 'table' "
                      "AND rootpage > 0 "
                      "AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%\\_fts%' ESCAPE '\\' "
                      "ORDER BY name")) {
      std::string columns;
      for (const std::string& column :
           query_column(live, "SELECT name FROM pragma_table_info(replace('" + table +
                                  "', '\"\"', '\"'))")) {
        columns += (columns.empty() ? "" : " || ',' || ") + ("quote(\"" + column + "\")");
      }
      all += table + "\n";
      for (const std::string& row :
           query_column(live, "SELECT " + columns + " FROM \"" + table + "\" ORDER BY 1")) {
        all += row + "\n";
      }
    }
    return all;
  }
  // Structure, foreign keys and the full-text index are whole.
  void check_whole(bool full_text = true) {
    CHECK(text("PRAGMA integrity_check") == "ok");
    CHECK(query_column(live, "PRAGMA foreign_key_check").empty());
    if (full_text) {
      CHECK_NOTHROW(run("INSERT INTO notes_fts(notes_fts, rank) VALUES('integrity-check', 1)"));
    }
  }
};

}  // namespace test
