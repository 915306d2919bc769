#include "core/catalog/history.h"

#include <sqlite3.h>

#include <algorithm>
#include <limits>

#include "core/base/paths.h"
#include "core/base/side_files.h"
#include "core/catalog/history_repair.h"
#include "core/sqlite/sqlite.h"

namespace core {
namespace {

constexpr int kBusyTimeoutMs = 2'000;
constexpr std::chrono::milliseconds kPreparePause{10};
constexpr std::uint64_t kMaxLogBytes = 100 << 10;  // some eight runs; each opener reads all of it
constexpr std::int64_t kSchemaVersion = 1;
constexpr std::size_t kMaxListedRuns = 10'000;
constexpr std::int64_t kDayMs = 24 * 60 * 60 * 1000;

constexpr const char* kCreate = R"sql(
CREATE TABLE IF NOT EXISTS runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL, schedule TEXT NOT NULL, source TEXT NOT NULL, destination TEXT NOT NULL,
  snapshot TEXT NOT NULL, started_ms INTEGER NOT NULL, finished_ms INTEGER NOT NULL,
  ok INTEGER NOT NULL, error_code TEXT NOT NULL, error TEXT NOT NULL, bytes INTEGER NOT NULL,
  warnings TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS runs_by_source ON runs(source, id);
PRAGMA user_version = 1;
)sql";

constexpr const char* kColumns =
    "id, kind, schedule, source, destination, snapshot, started_ms, finished_ms, ok, error_code, "
    "error, bytes, warnings";

std::int64_t to_ms(Instant instant) {
  return std::chrono::floor<std::chrono::milliseconds>(instant).time_since_epoch().count();
}
Instant from_ms(std::int64_t ms) {
  return Instant{std::chrono::milliseconds{ms}};
}

tl::unexpected<Error> fail_newer(const fs::path& path, std::int64_t version) {
  return fail(ErrorCode::unsupported,
              text_of(path) + " has version " + std::to_string(version) +
                  " of a newer backup-plugin-db, and is left as it is.",
              "Update backup-plugin-db.");
}

// WAL with synchronous NORMAL needs no fsync for a row and cannot be left corrupt by a crash; a
// power failure may lose the latest rows. Not checkpointing on close keeps that so for a process
// that records one row and ends; shorten_log() does instead, now and then.
// https://www.sqlite.org/wal.html, https://www.sqlite.org/pragma.html#pragma_synchronous
Expected<sqlite::ConnectionHandle> open_history(const fs::path& path, int flags) {
  BPD_TRY_AS(connection, sqlite::open(text_of(path), flags | SQLITE_OPEN_NOMUTEX));
  sqlite3_busy_timeout(connection->get(), kBusyTimeoutMs);
  sqlite3_db_config(connection->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return connection;
}

Expected<> prepare_schema(sqlite3* connection, const fs::path& path, const Env& env) {
  const std::string what = "cannot prepare " + text_of(path);
  BPD_TRY_AS(version, sqlite::query_integer(connection, "PRAGMA user_version", what));
  if (*version == kSchemaVersion) return {};
  if (*version > kSchemaVersion) return fail_newer(path, *version);
  BPD_TRY(env.files.set_mode(path, kPrivateFile));
  BPD_TRY(sqlite::execute(connection, "PRAGMA journal_mode = WAL", what));
  return sqlite::execute(connection, std::string("BEGIN IMMEDIATE;") + kCreate + "COMMIT", what);
}

// The first two runs of a machine may come at one moment, and for a change of the journal mode
// SQLite does not wait (https://www.sqlite.org/c3ref/busy_handler.html).
Expected<> prepare_with_patience(sqlite3* connection, const fs::path& path, const Env& env) {
  const auto deadline = env.clock.steady_now() + std::chrono::milliseconds(kBusyTimeoutMs);
  while (true) {
    auto prepared = prepare_schema(connection, path, env);
    const bool busy = !prepared && prepared.error().code == ErrorCode::busy;
    if (!busy || env.clock.steady_now() >= deadline) return prepared;
    env.clock.sleep_for(kPreparePause, {});
  }
}

// Binds in order; SQLite copies nothing, so the values must live until the step.
class Binder {
 public:
  explicit Binder(sqlite3_stmt* statement) : statement_(statement) {}
  void text(const std::string& value) {
    sqlite3_bind_text(statement_, ++index_, value.data(), static_cast<int>(value.size()),
                      SQLITE_STATIC);
  }
  void number(std::int64_t value) { sqlite3_bind_int64(statement_, ++index_, value); }

 private:
  sqlite3_stmt* statement_;
  int index_ = 0;
};

std::string text_at(sqlite3_stmt* row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return text != nullptr
             ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(row, column)))
             : std::string();
}

RunRecord record_at(sqlite3_stmt* row) {
  RunRecord run;
  run.id = sqlite3_column_int64(row, 0);
  run.kind = text_at(row, 1);
  run.schedule = text_at(row, 2);
  run.source = text_at(row, 3);
  run.destination = text_at(row, 4);
  run.snapshot = text_at(row, 5);
  run.started_at = from_ms(sqlite3_column_int64(row, 6));
  run.finished_at = from_ms(sqlite3_column_int64(row, 7));
  run.ok = sqlite3_column_int(row, 8) != 0;
  run.error_code = text_at(row, 9);
  run.error = text_at(row, 10);
  run.bytes = static_cast<std::uint64_t>(sqlite3_column_int64(row, 11));
  run.warnings = decode_warnings(text_at(row, 12));
  return run;
}

// Under the next id, where none is given.
Expected<> insert(sqlite3* connection, const RunRecord& run, std::int64_t id,
                  const std::string& what) {
  BPD_TRY_AS(
      statement,
      sqlite::prepare(connection,
                      "INSERT INTO runs VALUES (nullif(?, 0), ?,?,?,?,?, ?,?, ?,?,?, ?,?)", what));
  const std::string warnings = encode_warnings(run.warnings);
  Binder bind(statement->get());
  bind.number(id);
  for (const std::string* text :
       {&run.kind, &run.schedule, &run.source, &run.destination, &run.snapshot}) {
    bind.text(*text);
  }
  bind.number(to_ms(run.started_at));
  bind.number(to_ms(run.finished_at));
  bind.number(run.ok ? 1 : 0);
  bind.text(run.error_code);
  bind.text(run.error);
  bind.number(static_cast<std::int64_t>(run.bytes));
  bind.text(warnings);
  const int rc = sqlite3_step(statement->get());
  if (rc != SQLITE_DONE) return fail(sqlite::error_from(rc, connection, what));
  return {};
}

// A scheduler asks every hour while a schedule fails: of like failures in a row only the first and
// the last are kept, or they would soon push everything else out. Their texts may differ: free
// bytes. So it is with runs that had nothing to write, as one of each hour may be; of these, a
// first and a last of each day.
Expected<> thin_streak(sqlite3* connection, const RunRecord& run, const std::string& what) {
  if ((run.ok && !run.unchanged()) || run.schedule.empty()) return {};
  BPD_TRY_AS(statement, sqlite::prepare(connection, R"sql(
WITH newest AS MATERIALIZED (SELECT * FROM runs WHERE schedule = ? ORDER BY id DESC LIMIT 3),
     alike AS (SELECT count(*) AS n FROM newest
               GROUP BY kind, source, destination, ok, error_code, iif(ok, snapshot, ''), bytes)
DELETE FROM runs WHERE id = (SELECT id FROM newest ORDER BY id DESC LIMIT 1 OFFSET 1)
                   AND (SELECT max(n) FROM alike) = 3
                   AND (SELECT max(started_ms) - min(started_ms) FROM newest) < ?)sql",
                                        what));
  Binder bind(statement->get());
  bind.text(run.schedule);
  bind.number(run.ok ? kDayMs : std::numeric_limits<std::int64_t>::max());
  const int rc = sqlite3_step(statement->get());
  if (rc != SQLITE_DONE) return fail(sqlite::error_from(rc, connection, what));
  return {};
}

// By rows, not by ids: streaks leave gaps.
Expected<> trim(sqlite3* connection, const std::string& what) {
  return sqlite::execute(connection,
                         "DELETE FROM runs WHERE id <= "
                         "(SELECT id FROM runs ORDER BY id DESC LIMIT 1 OFFSET " +
                             std::to_string(kMaxRuns) + R"sql() AND id NOT IN (
  SELECT max(id) FROM runs WHERE kind IN ('snapshot', 'offsite') AND ok GROUP BY kind, source
  UNION ALL
  SELECT max(id) FROM runs WHERE kind = 'verify' AND (ok OR error_code = 'damaged')
  GROUP BY snapshot))sql",
                         what);
}

// Opened to be written to: made where there is none.
Expected<sqlite::ConnectionHandle> open_to_record(const Env& env) {
  BPD_TRY(env.files.make_folders(env.places.state, kPrivateFolder));
  const fs::path path = history_path(env.places);
  BPD_TRY_AS(connection, open_history(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  BPD_TRY(prepare_with_patience(connection->get(), path, env));
  return std::move(*connection);
}

// SQLite's own checkpoints would never let the log begin again: what they have done is written in
// shared memory alone, which goes with each process. So the log would grow for ever, and the first
// opener reads all of it. Whoever reads just now is not waited for: the next run does it.
void shorten_log(sqlite3* connection) {
  sqlite3_busy_timeout(connection, 0);
  sqlite3_wal_checkpoint_v2(connection, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(connection, kBusyTimeoutMs);
}

Expected<> record_in(sqlite3* connection, const RunRecord& run, std::int64_t id, const Env& env) {
  const std::string what = "cannot record the run in " + text_of(history_path(env.places));
  BPD_TRY(sqlite::execute(connection, "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE", what));
  BPD_TRY(insert(connection, run, id, what));
  BPD_TRY(thin_streak(connection, run, what));
  BPD_TRY(trim(connection, what));
  BPD_TRY(sqlite::execute(connection, "COMMIT", what));
  const auto log = env.files.info(wal_of(history_path(env.places)));
  if (log && log->bytes > kMaxLogBytes) shorten_log(connection);
  return {};
}

Expected<> try_record(const RunRecord& run, std::int64_t id, const Env& env) {
  BPD_TRY_AS(connection, open_to_record(env));
  return record_in(connection->get(), run, id, env);
}

Expected<> try_to_add(const std::string& schedule, const std::string& lines, const Env& env) {
  const fs::path path = history_path(env.places);
  BPD_TRY_AS(connection, open_history(path, SQLITE_OPEN_READWRITE));
  sqlite3* raw = connection->get();
  const std::string what = "cannot record warnings in " + text_of(path);
  BPD_TRY_AS(version, sqlite::query_integer(raw, "PRAGMA user_version", what));
  if (*version == 0) return {};  // another process is just creating it
  if (*version > kSchemaVersion) return fail_newer(path, *version);
  BPD_TRY_AS(statement,
             sqlite::prepare(
                 raw,
                 "UPDATE runs SET warnings = warnings || iif(warnings = '', '', char(10)) || ? "
                 "WHERE id = (SELECT max(id) FROM runs WHERE schedule = ?)",
                 what));
  Binder bind(statement->get());
  bind.text(lines);
  bind.text(schedule);
  const int rc = sqlite3_step(statement->get());
  if (rc != SQLITE_DONE) return fail(sqlite::error_from(rc, raw, what));
  return {};
}

Expected<std::vector<RunRecord>> list_in(sqlite3* connection, const RunFilter& filter,
                                         const std::string& what) {
  std::string sql = std::string("SELECT ") + kColumns + " FROM runs WHERE id > ?";
  if (filter.kind) sql += " AND kind = ?";
  if (filter.schedule) sql += " AND schedule = ?";
  if (filter.source) sql += " AND source = ?";
  if (filter.before > 0) sql += " AND id < ?";
  if (filter.failed) sql += " AND ok = 0";
  sql += " ORDER BY id DESC LIMIT ?";
  BPD_TRY_AS(statement, sqlite::prepare(connection, sql, what));
  Binder bind(statement->get());
  bind.number(filter.after);
  for (const auto* text : {&filter.kind, &filter.schedule, &filter.source}) {
    if (*text) bind.text(**text);
  }
  if (filter.before > 0) bind.number(filter.before);
  bind.number(static_cast<std::int64_t>(std::min(filter.limit, kMaxListedRuns)));
  std::vector<RunRecord> runs;
  int rc = SQLITE_ROW;
  while ((rc = sqlite3_step(statement->get())) == SQLITE_ROW) {
    runs.push_back(record_at(statement->get()));
  }
  if (rc != SQLITE_DONE) return fail(sqlite::error_from(rc, connection, what));
  return runs;
}

Expected<std::vector<RunRecord>> try_to_list(const RunFilter& filter, const Env& env) {
  const fs::path path = history_path(env.places);
  const auto info = env.files.info(path);
  if (!info && info.error().code == ErrorCode::not_found) return std::vector<RunRecord>();
  if (!info) return fail(info.error());
  BPD_TRY_AS(connection, open_history(path, SQLITE_OPEN_READWRITE));
  const std::string what = "cannot read " + text_of(path);
  BPD_TRY_AS(version, sqlite::query_integer(connection->get(), "PRAGMA user_version", what));
  if (*version == 0) return std::vector<RunRecord>();  // another process is just creating it
  if (*version > kSchemaVersion) return fail_newer(path, *version);
  return list_in(connection->get(), filter, what);
}

// What tells that the history was begun anew since then.
RunFilter beginnings_since(Instant since) {
  RunFilter filter;
  filter.kind = "history";
  filter.after = to_ms(since) / 1000 - 1;  // see begin_anew: all but few runs are passed over
  filter.limit = 1;
  return filter;
}

std::optional<std::string> told_by(const Expected<std::vector<RunRecord>>& beginnings,
                                   Instant since) {
  if (!beginnings || beginnings->empty()) return std::nullopt;
  const RunRecord& newest = beginnings->front();
  if (newest.started_at < since || newest.warnings.empty()) return std::nullopt;
  return newest.warnings.front().text;
}

void begin_anew(const fs::path& aside, const Env& env) {
  RunRecord first;
  first.kind = "history";
  first.started_at = first.finished_at = env.clock.now();
  first.ok = true;
  // Beyond all that were: who waits for later runs than one of the old history must see the new.
  const std::int64_t id = to_ms(first.started_at) / 1000;
  first.warnings = {"The history of runs was damaged. It was kept as " + text_of(aside) +
                    " and begun anew; snapshots and their manifests are as they were."};
  (void)try_record(first, id, env);  // what is tried next has the same error
}

// Tries again where what it failed at was damage, which is kept aside first.
template <class Attempt>
auto with_repair(const Env& env, const Attempt& attempt) -> decltype(attempt()) {
  auto result = attempt();
  if (result || !is_damaged_history(result.error())) return result;
  const auto lock = lock_history_repair(env);
  if (!lock) return result;
  result = attempt();  // another process may have begun it anew by now
  if (result || !is_damaged_history(result.error())) return result;
  BPD_TRY_AS(aside, empty_history(env, *lock));
  begin_anew(*aside, env);
  return attempt();
}

}  // namespace

Expected<> record_run(const RunRecord& run, const Env& env) {
  return with_repair(env, [&] { return try_record(run, 0, env); });
}

Expected<> add_run_warnings(const std::string& schedule, const std::vector<Warning>& warnings,
                            const Env& env) {
  if (warnings.empty() || !env.files.info(history_path(env.places))) return {};
  const std::string lines = encode_warnings(warnings);
  return with_repair(env, [&] { return try_to_add(schedule, lines, env); });
}

Expected<std::vector<RunRecord>> list_runs(const RunFilter& filter, const Env& env) {
  return with_repair(env, [&] { return try_to_list(filter, env); });
}

std::optional<std::string> history_begun_anew(Instant since, const Env& env) {
  return told_by(list_runs(beginnings_since(since), env), since);
}

std::vector<std::string> record_and_tell(const RunRecord& run, const Env& env) {
  std::vector<std::string> warnings;
  // Milliseconds are what history.db keeps of a time.
  const Instant since = std::chrono::floor<std::chrono::milliseconds>(run.started_at);
  std::optional<std::string> anew;
  // Both through one connection: the first to open the file reads its whole WAL.
  const auto recorded = with_repair(env, [&]() -> Expected<> {
    BPD_TRY_AS(connection, open_to_record(env));
    BPD_TRY(record_in(connection->get(), run, 0, env));
    anew = told_by(list_in(connection->get(), beginnings_since(since), "cannot read the history"),
                   since);
    return {};
  });
  if (!recorded) {
    warnings.push_back("This run could not be recorded: " + recorded.error().message + " " +
                       recorded.error().hint);
    anew = history_begun_anew(since, env);
  }
  if (anew) warnings.push_back(std::move(*anew));
  return warnings;
}

}  // namespace core
