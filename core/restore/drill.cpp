#include "core/restore/drill.h"

#include <sqlite3.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "core/base/paths.h"
#include "core/catalog/run_records.h"
#include "core/platform/run_lock.h"
#include "core/restore/restore.h"
#include "core/sqlite/row_counts.h"
#include "core/sqlite/sqlite.h"
#include "core/sqlite/virtual_tables.h"

namespace core {

namespace {

constexpr std::chrono::milliseconds kDrillLockTimeout{2'000};
constexpr std::size_t kMaxWordBytes = 40;
constexpr std::size_t kMinWordBytes = 3;  // what a trigram index needs
constexpr int kInstancesTried = 50;
constexpr int kStepsBetweenLooks = 10'000;  // of SQLite's machine, for a stop request

// Nobody else's, and of no drill that goes on: the lock is held.
void empty_folder(const fs::path& folder, FileSystem& files) {
  const auto entries = files.list(folder, kMaxFolderEntries);
  if (!entries) return;
  for (const DirEntry& entry : *entries) (void)files.remove(folder / entry.name);
  (void)files.remove_empty_folder(folder);
}

struct EmptyAtEnd {
  fs::path folder;
  FileSystem& files;
  ~EmptyAtEnd() { empty_folder(folder, files); }
};

// A word that every tokenizer takes for one: letters and digits between blanks. Empty for none.
std::string word_in(const std::string& text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find_first_of(" \t\n", begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (word.size() >= kMinWordBytes && word.size() <= kMaxWordBytes &&
        std::all_of(word.begin(), word.end(), is_plain)) {
      return word;
    }
    begin = end + 1;
  }
  return "";
}

struct Place {
  std::int64_t row = 0;
  std::string column;
};

// Rows and columns that the index names: a column that it leaves out is not among them.
// https://www.sqlite.org/fts5.html#the_fts5vocab_virtual_table_module
Expected<std::vector<Place>> indexed_places(sqlite3* connection, const std::string& table) {
  const std::string what = "cannot read the index " + table;
  BPD_TRY(sqlite::execute(connection,
                          "DROP TABLE IF EXISTS temp.drill_terms; CREATE VIRTUAL TABLE "
                          "temp.drill_terms USING fts5vocab('main', " +
                              sqlite::quote_identifier(table) + ", 'instance')",
                          what));
  std::vector<Place> places;
  BPD_TRY(sqlite::for_each_row(
      connection,
      "SELECT doc, col FROM temp.drill_terms WHERE col IS NOT NULL LIMIT " +
          std::to_string(kInstancesTried),
      what, [&](sqlite3_stmt* row) {
        places.push_back({sqlite3_column_int64(row, 0), sqlite::column_text(row, 1)});
      }));
  return places;
}

// The word that was searched; empty where there is none to search. damaged where its own row is not
// among those found.
Expected<std::string> search_in(sqlite3* connection, const std::string& table) {
  const std::string name = sqlite::quote_identifier(table);
  const std::string what = "cannot search in " + table;
  BPD_TRY_AS(places, indexed_places(connection, table));
  for (const Place& place : *places) {
    const std::string row = std::to_string(place.row);
    std::string text;
    BPD_TRY(sqlite::for_each_row(
        connection,
        "SELECT " + sqlite::quote_identifier(place.column) + " FROM main." + name +
            " WHERE rowid = " + row,
        what, [&](sqlite3_stmt* found) { text = sqlite::column_text(found, 0); }));
    const std::string word = word_in(text);
    if (word.empty()) continue;
    bool found = false;
    BPD_TRY(sqlite::for_each_row(
        connection, "SELECT 1 FROM main." + name + " WHERE " + name + " MATCH ? AND rowid = " + row,
        what, [&](sqlite3_stmt*) { found = true; }, {'"' + word + '"'}));
    if (found) return word;
    return fail(ErrorCode::damaged, "In the restored database, a search in " + table + " for '" +
                                        word + "' does not find the row it stands in.");
  }
  return "";
}

Expected<> search(sqlite3* connection, const Manifest& manifest, DrillResult& result) {
  BPD_TRY_AS(tables, virtual_tables(connection));
  for (const VirtualTable& table : *tables) {
    if (table.module != "fts5") continue;
    auto word = search_in(connection, table.name);
    if (!word && word.error().code == ErrorCode::damaged && manifest.source_findings.empty()) {
      return fail(word.error());
    }
    // What the source had wrong itself, or what only its program can search.
    if (!word) result.warnings.push_back(word.error().message);
    if (!word || word->empty()) continue;
    result.searched = table.name;
    return {};
  }
  return {};
}

Expected<> compare_with_manifest(const RowCounts& counts, const Manifest& manifest) {
  const auto compare = [](const auto& counted, const auto& told) -> Expected<> {
    for (const auto& [table, rows] : told) {
      const auto found = counted.find(table);
      if (found != counted.end() && found->second == rows) continue;
      return fail(ErrorCode::damaged,
                  "The restored database has " +
                      (found == counted.end() ? std::string("no table ")
                                              : std::to_string(found->second) + " rows in ") +
                      table + ", where the manifest tells of " + std::to_string(rows) + " rows.");
    }
    return {};
  };
  BPD_TRY(compare(manifest_rows(counts.rows), manifest.rows));
  if (!manifest.virtual_rows) return {};
  return compare(manifest_rows(counts.virtual_rows), *manifest.virtual_rows);
}

// As the program that owns it would: read and write, in its journal mode.
Expected<> read_as_program(const fs::path& file, const Manifest& manifest, DrillResult& result,
                           std::stop_token stop) {
  BPD_TRY_AS(connection, sqlite::open(text_of(file), SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                                                         SQLITE_OPEN_PRIVATECACHE));
  sqlite3* raw = connection->get();
  sqlite::stand_in_for_collations(raw);
  sqlite3_progress_handler(
      raw, kStepsBetweenLooks,
      [](void* token) { return static_cast<std::stop_token*>(token)->stop_requested() ? 1 : 0; },
      &stop);
  const auto counts = count_rows(raw, stop);
  // Of what a newer SQLite wrote, the check has said as much.
  if (!counts && result.verdict == VerifyReport::Verdict::inconclusive &&
      counts.error().code != ErrorCode::cancelled) {
    result.warnings.push_back(counts.error().message);
    return {};
  }
  if (!counts) return fail(counts.error());
  for (const auto& [table, rows] : counts->all()) {
    ++result.tables;
    result.rows += rows;
  }
  BPD_TRY(compare_with_manifest(*counts, manifest));
  return search(raw, manifest, result);
}

Expected<> restore_and_read(const fs::path& folder, DrillResult& result, const Env& env,
                            ProgressSink& progress, const std::stop_token& stop) {
  RestoreRequest request;
  request.snapshot = result.snapshot;
  request.target = folder / "drill.db";
  request.recorded = false;
  BPD_TRY_AS(restored, restore_snapshot(request, env, progress, stop));
  result.verdict = restored->verification.verdict;
  std::move(restored->warnings.begin(), restored->warnings.end(),
            std::back_inserter(result.warnings));
  return read_as_program(restored->target, restored->verification.manifest.value_or(Manifest{}),
                         result, stop);
}

void record(const DrillRequest& request, DrillResult& result, const Expected<>& done,
            Instant started_at, const Env& env) {
  RunRecord run = ended_run("drill", started_at, env);
  run.schedule = request.schedule;
  run.source = result.source;
  run.snapshot = text_of(result.snapshot);
  run.warnings.assign(result.warnings.begin(), result.warnings.end());
  if (!done) note_failure(run, done.error());
  auto told = record_and_tell(run, env);
  std::move(told.begin(), told.end(), std::back_inserter(result.warnings));
}

}  // namespace

Expected<DrillResult> drill(const DrillRequest& request, const Env& env, ProgressSink& progress,
                            std::stop_token stop) {
  const Instant started_at = env.clock.now();
  DrillResult result;
  result.snapshot = env.files.canonical(request.snapshot).value_or(request.snapshot);
  if (const auto manifest = read_manifest(result.snapshot, env.files)) {
    result.source = manifest->source;
    result.taken_at = manifest->taken_at;
  }
  BPD_TRY_AS(lock, RunLock::acquire("drill", "a drill", kDrillLockTimeout, env, stop));
  const fs::path folder = env.places.state / "drill";
  empty_folder(folder, env.files);  // of one that was killed
  BPD_TRY(env.files.make_folders(folder, kPrivateFolder));
  const EmptyAtEnd cleaning{folder, env.files};
  const auto done = restore_and_read(folder, result, env, progress, stop);
  record(request, result, done, started_at, env);
  if (!done) return fail(done.error());
  return result;
}

}  // namespace core
