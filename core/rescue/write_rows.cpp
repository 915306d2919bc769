#include "core/rescue/write_rows.h"

#include <sqlite3.h>

#include <algorithm>

#include "core/base/lower_case.h"
#include "core/rescue/row_changes.h"
#include "core/rescue/row_text.h"
#include "core/rescue/unrecorded_rows.h"
#include "core/sqlite/sqlite.h"
#include "core/sqlite/virtual_tables.h"

namespace core {
namespace {

using sqlite::quote_identifier;

constexpr std::size_t kMaxReasonBytes = 200;
// Each round leaves at least one row more; a rule that keeps many away does so in the first.
constexpr int kMaxWriteRounds = 50;

// A batch comes after those that its rows may refer to; in a circle, as it comes.
std::vector<std::size_t> parents_first(const RowPlan& plan) {
  std::vector<std::size_t> order, waiting;
  for (std::size_t i = 0; i < plan.batches.size(); ++i) waiting.push_back(i);
  const auto waits_for_another = [&](std::size_t at) {
    for (const ForeignKey& key : plan.batches[at].table.references) {
      for (const std::size_t other : waiting) {
        const bool itself = plan.batches[other].table.name == plan.batches[at].table.name;
        if (!itself && same_name(plan.batches[other].table.name, key.parent)) return true;
      }
    }
    return false;
  };
  while (!waiting.empty()) {
    auto next = std::find_if_not(waiting.begin(), waiting.end(), waits_for_another);
    if (next == waiting.end()) next = waiting.begin();
    order.push_back(*next);
    waiting.erase(next);
  }
  return order;
}

// Of this row, not of the whole.
bool keeps_row_away(int rc) {
  return rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
         rc == SQLITE_CONSTRAINT_ROWID || rc == SQLITE_CONSTRAINT_CHECK ||
         rc == SQLITE_CONSTRAINT_NOTNULL || rc == SQLITE_CONSTRAINT_DATATYPE;
}

std::string update_statement(const RowTable& table) {
  std::string set, where;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const std::string pair = quote_identifier(table.columns[i]) + " = ?" + std::to_string(i + 1);
    const bool key =
        std::find(table.key.begin(), table.key.end(), table.columns[i]) != table.key.end();
    (key ? where : set) += ((key ? where : set).empty() ? "" : key ? " AND " : ", ") + pair;
  }
  return "UPDATE main." + quote_identifier(table.name) + " SET " + set + " WHERE " + where;
}

struct Refusal {
  std::size_t batch;
  std::int64_t number;
  std::string reason;
};

Error trigger_error(const RowTable& table, const Error& error) {
  Error told = error;
  if (told.code == ErrorCode::internal) told.code = ErrorCode::conflict;
  told.message =
      "Rows of table " + table.name + " were refused, and nothing was changed: " + error.message;
  if (told.hint.empty() || told.code == ErrorCode::conflict) {
    told.hint = "Leave that table or these rows out; or restore the snapshot to a new file.";
  }
  return told;
}

// Of rows without a key: where each came to lie, by its number in the batch.
using Places = std::vector<std::pair<std::int64_t, std::int64_t>>;

Expected<> note_places(sqlite3* connection, const RowBatch& batch, const Places& places) {
  const std::string what = "cannot note the rows of table " + batch.table.name;
  BPD_TRY_AS(note,
             sqlite::prepare(
                 connection,
                 "UPDATE " + batch.name + " SET backup_rowid = ?2 WHERE backup_number = ?1", what));
  for (const auto& [number, place] : places) {
    sqlite3_bind_int64(note->get(), 1, number);
    sqlite3_bind_int64(note->get(), 2, place);
    const int rc = sqlite3_step(note->get());
    if (rc != SQLITE_DONE) return fail(sqlite::error_from(rc, connection, what));
    sqlite3_reset(note->get());
  }
  return {};
}

Expected<> write_batch(sqlite3* connection, const RowPlan& plan, std::size_t at,
                       std::vector<Refusal>& refusals) {
  const RowBatch& batch = plan.batches[at];
  if (batch.rows == 0) return {};
  const RowTable& table = batch.table;
  const std::string what = "cannot write to table " + table.name;
  const auto width = static_cast<int>(table.columns.size());
  const bool with_rowid = !batch.update && !table.rowid.empty();
  BPD_TRY_AS(rows, sqlite::prepare(connection,
                                   "SELECT " + listed(table.columns, "b") +
                                       ", b.backup_rowid, b.backup_number FROM " + batch.name +
                                       " AS b ORDER BY b.backup_number",
                                   what));
  BPD_TRY_AS(write, sqlite::prepare(
                        connection,
                        batch.update ? update_statement(table) : insert_statement(table), what));
  Places places;
  int rc = SQLITE_ROW;
  while ((rc = sqlite3_step(rows->get())) == SQLITE_ROW) {
    for (int i = 0; i < width + (with_rowid ? 1 : 0); ++i) {
      sqlite3_bind_value(write->get(), i + 1, sqlite3_column_value(rows->get(), i));
    }
    const int written = sqlite3_step(write->get());
    if (written != SQLITE_DONE && !keeps_row_away(written)) {
      return fail(trigger_error(table, sqlite::error_from(written, connection, what)));
    }
    if (written == SQLITE_DONE && (table.keyless || table.by_place)) {
      places.emplace_back(sqlite3_column_int64(rows->get(), width + 1),
                          sqlite3_last_insert_rowid(connection));
    }
    if (written != SQLITE_DONE) {
      refusals.push_back({at, sqlite3_column_int64(rows->get(), width + 1),
                          shown(sqlite3_errmsg(connection), kMaxReasonBytes)});
    }
    sqlite3_reset(write->get());
    sqlite3_clear_bindings(write->get());
  }
  if (rc != SQLITE_DONE) return fail(sqlite::error_from(rc, connection, what));
  return note_places(connection, batch, places);
}

// A trigger may pass over a row without a word: RAISE(IGNORE).
Expected<> find_absent(sqlite3* connection, const RowPlan& plan, std::vector<Refusal>& refusals) {
  for (std::size_t at = 0; at < plan.batches.size(); ++at) {
    const RowBatch& batch = plan.batches[at];
    BPD_TRY_AS(count, present(connection, batch));
    if (*count == batch.rows) continue;
    BPD_TRY(sqlite::for_each_row(
        connection,
        "SELECT b.backup_number FROM " + batch.name + " AS b WHERE NOT EXISTS (SELECT 1 FROM " +
            batch.table.now + " AS l WHERE " + same_key(batch.table, "l", "b") + ")",
        "cannot count the rows of " + batch.table.name, [&](sqlite3_stmt* row) {
          refusals.push_back(
              {at, sqlite3_column_int64(row, 0), "a trigger of the database does not let it in"});
        }));
  }
  return {};
}

Expected<> count_triggered(WrittenRows& written) {
  return each_change(written.changeset, false, [&](const RowChanged& change) -> Expected<> {
    if (change.indirect) ++written.triggered[change.table];
    return {};
  });
}

// What triggers wrote there, beside the rows that were put back, no undo has.
Expected<> forget_what_is_known(sqlite3* connection, const RowPlan& plan,
                                const std::map<std::string, std::int64_t>& before,
                                std::set<std::string>& unrecorded) {
  BPD_TRY_AS(now, count_unrecorded(connection, plan));
  for (const auto& [table, count] : *now) {
    std::int64_t put_back = 0;
    for (const RowBatch& batch : plan.batches) {
      if (batch.table.name == table && !batch.update) {
        put_back += static_cast<std::int64_t>(batch.rows);
      }
    }
    if (count == before.at(table) + put_back) unrecorded.erase(table);
  }
  return {};
}

Expected<> check_foreign_keys(sqlite3* connection, const RowPlan& plan) {
  std::uint64_t broken = 0;
  for (const RowBatch& batch : plan.batches) {
    BPD_TRY_AS(count, orphans(connection, batch));
    broken += *count;
  }
  int deferred = 0, unused = 0;
  sqlite3_db_status(connection, SQLITE_DBSTATUS_DEFERRED_FKS, &deferred, &unused, 0);
  if (broken == 0 && deferred == 0) return {};
  return fail(ErrorCode::conflict,
              "Rows would refer to others that are not there; nothing was changed.",
              "Choose the tables that they refer to as well.");
}

// The lower-case value of an option such as content='notes' in a CREATE VIRTUAL TABLE; of
// content="a b" without the quotes.
std::string option_of(const std::string& sql, const std::string& option) {
  const std::string text = lower_case(sql);
  for (auto at = text.find(option); at != text.npos; at = text.find(option, at + 1)) {
    const char before = at == 0 ? ' ' : text[at - 1];
    auto value = text.find_first_not_of(" \t\n\r", at + option.size());
    if (std::string_view(" \t\n\r,(").find(before) == std::string_view::npos ||
        value == text.npos || text[value] != '=') {
      continue;
    }
    value = text.find_first_not_of(" \t\n\r", value + 1);
    if (value == text.npos) return {};
    if (std::string_view("'\"`").find(text[value]) != std::string_view::npos) {
      const auto end = text.find(text[value], value + 1);
      return end == text.npos ? "" : text.substr(value + 1, end - value - 1);
    }
    const auto end = text.find_first_of(" \t\n\r,)", value);
    return text.substr(value, end == text.npos ? end : end - value);
  }
  return {};
}

Expected<std::uint64_t> count_unindexed(sqlite3* connection, const RowBatch& batch,
                                        const VirtualTable& index) {
  std::string number = option_of(index.sql, "content_rowid");
  if (number.empty()) number = "rowid";
  BPD_TRY_AS(count, sqlite::query_integer(
                        connection,
                        "SELECT count(*) FROM " + batch.name + " AS b JOIN main." +
                            quote_identifier(batch.table.name) + " AS l ON " +
                            (batch.table.keyless ? "l." + batch.table.rowid + " = b.backup_rowid"
                                                 : same_key(batch.table, "l", "b")) +
                            " WHERE NOT EXISTS (SELECT 1 FROM main." +
                            quote_identifier(index.name + "_docsize") + " AS d WHERE d.id = l." +
                            quote_identifier(number) + ")",
                        "cannot look at the index " + index.name));
  return static_cast<std::uint64_t>(*count);
}

}  // namespace

Expected<WrittenRows> write_rows(sqlite3* connection, RowPlan& plan) {
  const char* const what = "cannot write the rows";
  const auto order = parents_first(plan);
  for (int round = 0; round < kMaxWriteRounds; ++round) {
    BPD_TRY(sqlite::execute(connection, "SAVEPOINT backup_rows", what));
    BPD_TRY_AS(before, count_unrecorded(connection, plan));
    BPD_TRY_AS(recording, RowRecording::start(connection));
    std::vector<Refusal> refusals;
    for (const std::size_t at : order) {
      BPD_TRY(write_batch(connection, plan, at, refusals));
    }
    if (refusals.empty()) {
      BPD_TRY(find_absent(connection, plan, refusals));
    }
    if (refusals.empty()) {
      BPD_TRY(check_foreign_keys(connection, plan));
      BPD_TRY_AS(changeset, (*recording)->changeset());
      WrittenRows written{std::move(*changeset), {}, (*recording)->unrecorded()};
      recording->reset();
      BPD_TRY(add_unrecorded(connection, plan, written.changeset));
      BPD_TRY(forget_what_is_known(connection, plan, *before, written.unrecorded));
      BPD_TRY(sqlite::execute(connection, "RELEASE backup_rows", what));
      BPD_TRY(count_triggered(written));
      return written;
    }
    recording->reset();
    BPD_TRY(sqlite::execute(connection, "ROLLBACK TO backup_rows; RELEASE backup_rows", what));
    for (const Refusal& refusal : refusals) {
      BPD_TRY(leave(connection, plan, plan.batches[refusal.batch], refusal.number, refusal.reason));
    }
    BPD_TRY(settle(connection, plan));
  }
  return fail(ErrorCode::conflict,
              "Rules of the database keep more and more of the rows away; nothing was changed.",
              "Choose fewer tables or rows.");
}

Expected<std::map<std::string, std::uint64_t>> unindexed(sqlite3* connection, const RowPlan& plan) {
  std::map<std::string, std::uint64_t> missing;
  BPD_TRY_AS(indexes, virtual_tables(connection));
  for (const VirtualTable& index : *indexes) {
    const std::string content = option_of(index.sql, "content");
    if (index.module != "fts5" || content.empty()) continue;
    for (const RowBatch& batch : plan.batches) {
      if (batch.rows == 0 || lower_case(batch.table.name) != content) continue;
      // Without these shadow tables (columnsize=0) it cannot be told.
      const auto count = count_unindexed(connection, batch, index);
      if (count && *count > 0) missing[index.name] += *count;
    }
  }
  return missing;
}

}  // namespace core
