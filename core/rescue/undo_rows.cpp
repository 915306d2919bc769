#include "core/rescue/undo_rows.h"

#include <sqlite3.h>

#include <algorithm>
#include <set>
#include <unordered_set>

#include "core/base/call.h"
#include "core/base/lower_case.h"
#include "core/base/paths.h"
#include "core/catalog/manifest.h"
#include "core/catalog/run_records.h"
#include "core/platform/bounds.h"
#include "core/platform/run_lock.h"
#include "core/rescue/live_writer.h"
#include "core/rescue/row_changes.h"
#include "core/rescue/row_text.h"
#include "core/sqlite/sqlite.h"
#include "core/sqlite/virtual_tables.h"

namespace core {
namespace {

using sqlite::quote_identifier;
using Kind = RowChanged::Kind;

constexpr std::chrono::seconds kUndoTime{20};
// Each keeps at least one row more: of a chain of parents one generation.
constexpr int kMaxUndoRounds = 100;
constexpr std::size_t kMaxKept = 10'000;

struct Referrer {
  std::string child;
  ForeignKey key;
};

// What is known of a table that the changeset names.
struct LiveTable {
  std::vector<std::string> columns;
  std::vector<bool> key;
  std::vector<Referrer> referrers;
};

class Undoing {
 public:
  Undoing(sqlite3* connection, const std::string& changeset, UndoRowsResult& result)
      : connection_(connection), changeset_(changeset), result_(result) {}

  // Within an open transaction.
  Expected<> run();

 private:
  Expected<> read_tables();
  Expected<LiveTable> read_table(const std::string& name);
  Expected<> add_place(const std::string& name, LiveTable& table);
  Expected<> read_referrers();
  Expected<> apply(const std::set<std::string>& kept);
  Expected<> take_back(const RowChanged& change, const std::set<std::string>& kept);
  Expected<bool> execute(const RowChanged& change, const LiveTable& table);
  bool is_kept(const RowChanged& change, const LiveTable& table, const std::set<std::string>& kept);
  Expected<> note_parents(const RowChanged& change, const LiveTable& table);
  Expected<std::set<std::string>> needed_parents(std::uint64_t& orphans);
  void leave(const RowChanged& change, const std::string& reason);

  sqlite3* connection_;
  const std::string& changeset_;
  UndoRowsResult& result_;
  std::map<std::string, LiveTable> tables_;
  std::unordered_set<std::string> removed_;  // parent_key of rows that this round took out
  UndoRowsResult round_;
};

std::string parent_key(const Referrer& referrer, const std::vector<sqlite3_value*>& values) {
  std::string text = lower_case(referrer.key.parent);
  for (const std::string& column : referrer.key.to) text += "\n" + lower_case(column);
  return text + "\n" + exact_key(values);
}

Expected<LiveTable> Undoing::read_table(const std::string& name) {
  LiveTable table;
  BPD_TRY(sqlite::for_each_row(
      connection_,
      "SELECT name, pk > 0 FROM pragma_table_xinfo(?1, 'main') WHERE hidden = 0 ORDER BY cid",
      "cannot read the schema",
      [&](sqlite3_stmt* row) {
        table.columns.push_back(sqlite::column_text(row, 0));
        table.key.push_back(sqlite3_column_int(row, 1) != 0);
      },
      {name}));
  if (std::find(table.key.begin(), table.key.end(), true) == table.key.end()) {
    BPD_TRY(add_place(name, table));
  }
  return table;
}

// Rows without a key were recorded with their rowid before them (unrecorded_rows.h).
Expected<> Undoing::add_place(const std::string& name, LiveTable& table) {
  BPD_TRY_AS(virtuals, virtual_tables(connection_));
  const bool is_virtual = std::any_of(virtuals->begin(), virtuals->end(),
                                      [&](const VirtualTable& one) { return one.name == name; });
  if (!is_virtual && is_without_rowid(connection_, name).value_or(true)) return {};
  const std::string place = free_rowid_name(table.columns);
  if (place.empty()) return {};
  table.columns.insert(table.columns.begin(), place);
  table.key.insert(table.key.begin(), true);
  return {};
}

// Which columns of which tables refer to those of the changeset.
Expected<> Undoing::read_referrers() {
  std::string last;
  BPD_TRY(sqlite::for_each_row(
      connection_,
      "SELECT m.name, f.\"table\", f.id, f.\"from\", f.\"to\" FROM main.sqlite_schema AS m, "
      "pragma_foreign_key_list(m.name, 'main') AS f "
      "WHERE m.type = 'table' AND m.rootpage > 0 ORDER BY m.name, f.id, f.seq",
      "cannot read the foreign keys", [&](sqlite3_stmt* row) {
        const std::string child = sqlite::column_text(row, 0);
        const std::string parent = sqlite::column_text(row, 1);
        const auto found = std::find_if(tables_.begin(), tables_.end(), [&](const auto& entry) {
          return same_name(entry.first, parent);
        });
        if (found == tables_.end()) return;
        LiveTable& table = found->second;
        const std::string id = child + "\n" + sqlite::column_text(row, 2);
        if (id != last) table.referrers.push_back({child, {found->first, {}, {}}});
        last = id;
        ForeignKey& key = table.referrers.back().key;
        key.from.push_back(sqlite::column_text(row, 3));
        key.to.push_back(sqlite::column_text(row, 4));
      }));
  for (auto& [name, table] : tables_) {
    for (Referrer& referrer : table.referrers) {
      if (!referrer.key.to.front().empty()) continue;
      // Not named: the primary key, in its order.
      std::vector<std::string> to;
      BPD_TRY(sqlite::for_each_row(
          connection_, "SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE pk > 0 ORDER BY pk",
          "cannot read the schema",
          [&](sqlite3_stmt* row) { to.push_back(sqlite::column_text(row, 0)); }, {name}));
      if (to.size() == referrer.key.from.size()) referrer.key.to = to;
    }
    std::erase_if(table.referrers,
                  [](const Referrer& referrer) { return referrer.key.to.front().empty(); });
  }
  return {};
}

Expected<> Undoing::read_tables() {
  BPD_TRY(each_change(changeset_, true, [&](const RowChanged& change) -> Expected<> {
    if (tables_.contains(change.table)) return {};
    BPD_TRY_AS(table, read_table(change.table));
    tables_[change.table] = std::move(*table);
    return {};
  }));
  return read_referrers();
}

void Undoing::leave(const RowChanged& change, const std::string& reason) {
  ++round_.left_total;
  if (round_.left.size() >= kMaxLeftShown) return;
  std::vector<sqlite3_value*> key;
  const auto& values = change.kind == Kind::insert ? change.after : change.before;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (change.key[i] && values[i] != nullptr) key.push_back(values[i]);
  }
  round_.left.push_back({change.table, shown(key_text(key), kMaxKeyBytes), reason});
}

// The values of the columns that a referrer refers to; empty where they did not change.
std::vector<sqlite3_value*> referred(const RowChanged& change, const LiveTable& table,
                                     const Referrer& referrer) {
  std::vector<sqlite3_value*> values;
  for (const std::string& column : referrer.key.to) {
    const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                    [&](const auto& one) { return same_name(one, column); });
    const auto at = static_cast<std::size_t>(found - table.columns.begin());
    if (at >= change.before.size() || change.before[at] == nullptr) return {};
    values.push_back(change.before[at]);
  }
  return values;
}

bool Undoing::is_kept(const RowChanged& change, const LiveTable& table,
                      const std::set<std::string>& kept) {
  if (change.kind == Kind::insert || kept.empty()) return false;
  return std::any_of(table.referrers.begin(), table.referrers.end(), [&](const Referrer& referrer) {
    const auto values = referred(change, table, referrer);
    return !values.empty() && kept.contains(parent_key(referrer, values));
  });
}

Expected<> Undoing::note_parents(const RowChanged& change, const LiveTable& table) {
  if (change.kind == Kind::insert) return {};
  for (const Referrer& referrer : table.referrers) {
    const auto values = referred(change, table, referrer);
    if (!values.empty()) removed_.insert(parent_key(referrer, values));
  }
  return {};
}

// True where one row was as it should be, and was changed.
Expected<bool> Undoing::execute(const RowChanged& change, const LiveTable& table) {
  std::string where, set, columns, places;
  std::vector<sqlite3_value*> bound;
  const auto bind = [&](sqlite3_value* value) {
    bound.push_back(value);
    return "?" + std::to_string(bound.size());
  };
  for (std::size_t i = 0; i < change.before.size(); ++i) {
    const std::string column = quote_identifier(table.columns[i]);
    if (change.kind == Kind::insert) {
      columns += (i == 0 ? "" : ", ") + column;
      places += (i == 0 ? "" : ", ") + bind(change.after[i]);
      continue;
    }
    if (change.kind == Kind::update && change.after[i] != nullptr && !change.key[i]) {
      set += (set.empty() ? "" : ", ") + column + " = " + bind(change.after[i]);
    }
    if (change.before[i] == nullptr) continue;
    where += (where.empty() ? "" : " AND ") + column +
             (change.key[i] ? " = " + bind(change.before[i])
                            : " IS " + bind(change.before[i]) + " COLLATE BINARY");
  }
  const std::string name = "main." + quote_identifier(change.table);
  if (change.kind == Kind::update && set.empty()) return true;
  const std::string sql = change.kind == Kind::insert
                              ? "INSERT INTO " + name + "(" + columns + ") VALUES(" + places + ")"
                          : change.kind == Kind::update
                              ? "UPDATE " + name + " SET " + set + " WHERE " + where
                              : "DELETE FROM " + name + " WHERE " + where;
  const std::string what = "cannot take rows out of table " + change.table;
  BPD_TRY_AS(statement, sqlite::prepare(connection_, sql, what));
  for (std::size_t i = 0; i < bound.size(); ++i) {
    sqlite3_bind_value(statement->get(), static_cast<int>(i + 1), bound[i]);
  }
  const int rc = sqlite3_step(statement->get());
  if (rc == SQLITE_DONE) return sqlite3_changes64(connection_) > 0;
  const bool rule = (rc & 0xff) == SQLITE_CONSTRAINT && rc != SQLITE_CONSTRAINT_TRIGGER;
  if (rule) return false;
  Error error = sqlite::error_from(rc, connection_, what);
  if (error.code == ErrorCode::internal) error.code = ErrorCode::conflict;
  error.message += " Nothing was changed.";
  return fail(std::move(error));
}

Expected<> Undoing::take_back(const RowChanged& change, const std::set<std::string>& kept) {
  const LiveTable& table = tables_[change.table];
  const std::size_t width = change.before.size();
  const bool same_key = table.columns.size() >= width &&
                        std::equal(change.key.begin(), change.key.end(), table.key.begin()) &&
                        std::none_of(table.key.begin() + static_cast<std::ptrdiff_t>(width),
                                     table.key.end(), [](bool key) { return key; });
  if (!same_key) {
    leave(change, "its table is declared otherwise by now");
    return {};
  }
  if (is_kept(change, table, kept)) {
    leave(change, "rows that were written since refer to it");
    return {};
  }
  BPD_TRY_AS(done, execute(change, table));
  if (!*done) {
    // What a trigger did, another one undid, as likely as not.
    if (!change.indirect) leave(change, "it was changed or removed since");
    return {};
  }
  ++round_.tables[change.table];
  ++round_.rows;
  return note_parents(change, table);
}

// First what was put back, then what triggers made of it, where that is still there.
Expected<> Undoing::apply(const std::set<std::string>& kept) {
  round_ = {};
  removed_.clear();
  for (const bool indirect : {false, true}) {
    BPD_TRY(each_change(changeset_, true, [&](const RowChanged& change) -> Expected<> {
      if (change.indirect != indirect) return {};
      return take_back(change, kept);
    }));
  }
  return {};
}

// Of the rows that were taken out those that others refer to now.
Expected<std::set<std::string>> Undoing::needed_parents(std::uint64_t& orphans) {
  std::set<std::string> needed;
  orphans = 0;
  for (const auto& [name, table] : tables_) {
    for (const Referrer& referrer : table.referrers) {
      std::string whole;
      for (const std::string& column : referrer.key.from) {
        whole += "c." + quote_identifier(column) + " IS NOT NULL AND ";
      }
      BPD_TRY(sqlite::for_each_row(
          connection_,
          "SELECT DISTINCT " + listed(referrer.key.from, "c") + " FROM main." +
              quote_identifier(referrer.child) + " AS c WHERE " + whole +
              "NOT EXISTS (SELECT 1 FROM main." + quote_identifier(name) + " AS p WHERE " +
              refers(referrer.key, "c", "p") + ")",
          "cannot check the foreign keys of " + referrer.child, [&](sqlite3_stmt* row) {
            ++orphans;
            const std::string key = parent_key(referrer, values_of(row, sqlite3_column_count(row)));
            if (removed_.contains(key)) needed.insert(key);
          }));
    }
  }
  return needed;
}

Expected<> Undoing::run() {
  const char* const what = "cannot take rows out";
  BPD_TRY(read_tables());
  std::set<std::string> kept;
  // A database may have broken references of its own.
  std::uint64_t before = 0, orphans = 0;
  BPD_TRY(needed_parents(before));
  for (int round = 0; round < kMaxUndoRounds && kept.size() <= kMaxKept; ++round) {
    BPD_TRY(sqlite::execute(connection_, "SAVEPOINT backup_undo", what));
    BPD_TRY(apply(kept));
    BPD_TRY_AS(needed, needed_parents(orphans));
    if (needed->empty() && orphans > before) break;
    if (needed->empty()) {
      BPD_TRY(sqlite::execute(connection_, "RELEASE backup_undo", what));
      result_.tables = std::move(round_.tables);
      result_.rows = round_.rows;
      result_.left = std::move(round_.left);
      result_.left_total = round_.left_total;
      return {};
    }
    BPD_TRY(sqlite::execute(connection_, "ROLLBACK TO backup_undo; RELEASE backup_undo", what));
    kept.merge(*needed);
  }
  return fail(ErrorCode::conflict,
              "Too much that was written since refers to these rows; nothing was changed.",
              "Take them out with the program that owns the database.");
}

Expected<UndoRowsResult> undo(const UndoRowsRequest& request, const Env& env,
                              std::stop_token stop) {
  BPD_TRY_AS(record, read_undo(request.undo, env));
  UndoRowsResult result;
  result.dry_run = request.dry_run;
  BPD_TRY_AS(source, env.files.canonical(request.source.empty() ? path_of(record->source)
                                                                : request.source));
  if (manifest_text(text_of(*source)) != record->source) {
    return fail(ErrorCode::conflict,
                "The undo " + request.undo + " is of " + record->source + ", not of " +
                    text_of(*source) + ".",
                "Leave out source.");
  }
  result.source = *source;
  if (!request.dry_run && !request.confirmed) {
    return fail(ErrorCode::needs_confirmation,
                "The undo takes rows out of " + text_of(*source) + ".",
                "Preview with " + say_parameter("dry_run") +
                    ". Only after the user's yes: the same call with " +
                    say_parameter("confirmed", true) + ".");
  }
  const Bounds bounds(env, {source->parent_path()});
  BPD_TRY_AS(lock, RunLock::acquire("rows\n" + text_of(*source),
                                    "rows of " + text_of(*source) + " being taken out",
                                    request.lock_timeout, bounds.env(), stop));
  BPD_TRY_AS(writer, LiveWriter::open(*source, request.busy_timeout, bounds.env(), stop));
  sqlite3* connection = writer->connection();
  // Or an action such as ON DELETE CASCADE would take along what came since.
  BPD_TRY(sqlite::execute(connection, "PRAGMA foreign_keys = OFF", "cannot prepare"));
  BPD_TRY(writer->begin());
  const Deadline deadline(connection, kUndoTime, stop);
  auto undone = Undoing(connection, record->changeset, result).run();
  if (!undone || request.dry_run) {
    writer->roll_back();
    if (!undone) return fail(undone.error());
    return result;
  }
  BPD_TRY(writer->commit());
  (void)forget_undo(request.undo, env);
  return result;
}

}  // namespace

Expected<UndoRowsResult> undo_rows(const UndoRowsRequest& request, const Env& env,
                                   std::stop_token stop) {
  RunRecord run = ended_run("rows", env.clock.now(), env);
  auto result = undo(request, env, std::move(stop));
  if (request.dry_run || !result) return result;
  run.finished_at = env.clock.now();
  run.source = text_of(result->source);
  (void)record_and_tell(run, env);
  return result;
}

}  // namespace core
