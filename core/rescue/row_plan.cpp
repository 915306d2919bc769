#include "core/rescue/row_plan.h"

#include <sqlite3.h>

#include <algorithm>

#include "core/base/call.h"
#include "core/rescue/keyless_rows.h"
#include "core/rescue/row_text.h"
#include "core/rescue/table_pairs.h"
#include "core/sqlite/sqlite.h"

namespace core {
namespace {

using sqlite::quote_identifier;

constexpr const char* kGathering = "cannot gather the rows";

class Planner {
 public:
  Planner(sqlite3* connection, const PlanRequest& request)
      : connection_(connection), request_(request) {}

  Expected<> gather(const std::string& snapshot, bool first);
  RowPlan take() { return std::move(plan_); }

 private:
  Expected<> choose(const RowTable& table);
  Expected<> choose_changed(const RowTable& table);
  Expected<> add_hanging(const std::vector<RowTable>& tables);
  Expected<std::uint64_t> hang_on(const RowTable& child, const ForeignKey& key,
                                  const std::string& parent_rows);
  Expected<std::size_t> batch_for(const RowTable& table, bool update);
  Expected<std::uint64_t> fill(std::size_t batch, const std::string& condition,
                               const std::string& join = {});
  std::string not_yet_taken(const RowTable& table) const;

  sqlite3* connection_;
  const PlanRequest& request_;
  RowPlan plan_;
  std::size_t first_of_snapshot_ = 0;  // batches before it come from newer snapshots
};

// Keys in it keep their collation, so that two snapshots' keys are one where SQLite takes them so.
Expected<std::size_t> Planner::batch_for(const RowTable& table, bool update) {
  for (std::size_t i = first_of_snapshot_; i < plan_.batches.size(); ++i) {
    if (plan_.batches[i].table.name == table.name && plan_.batches[i].update == update) return i;
  }
  const std::string name = "backup_rows_" + std::to_string(plan_.batches.size());
  std::string columns;
  for (const std::string& column : table.columns) {
    columns += quote_identifier(column);
    const auto key = std::find(table.key.begin(), table.key.end(), column);
    if (key != table.key.end()) {
      const auto at = static_cast<std::size_t>(key - table.key.begin());
      columns += " COLLATE " + quote_identifier(table.collations[at]);
    }
    columns += ", ";
  }
  if (table.keyless) columns += std::string(kContentKey) + ", ";
  // A number of its own, whatever the table's columns are called.
  BPD_TRY(sqlite::execute(connection_,
                          "CREATE TEMP TABLE " + name + "(" + columns +
                              "backup_rowid, backup_number INTEGER PRIMARY KEY); "
                              "CREATE UNIQUE INDEX temp." +
                              name + "_key ON " + name + "(" + listed(table.key) + ")",
                          kGathering));
  plan_.batches.push_back({table, "temp." + name, update, 0, 0});
  return plan_.batches.size() - 1;
}

// " AND NOT EXISTS …" for each batch that may have the row already.
std::string Planner::not_yet_taken(const RowTable& table) const {
  std::string condition;
  for (const RowBatch& batch : plan_.batches) {
    if (batch.table.name != table.name) continue;
    condition += " AND NOT EXISTS (SELECT 1 FROM " + batch.name + " AS t WHERE " +
                 same_key(table, "t", "s") + ")";
  }
  return condition;
}

Expected<std::uint64_t> Planner::fill(std::size_t at, const std::string& condition,
                                      const std::string& join) {
  RowBatch& batch = plan_.batches[at];
  const RowTable& table = batch.table;
  std::vector<std::string> columns = table.columns;
  if (table.keyless) columns.push_back(kContentKey);
  const std::string place = table.keyless || table.by_place ? std::string("s.") + kPlace
                            : table.rowid.empty()           ? "NULL"
                                                            : "s." + table.rowid;
  const std::string sql = "INSERT INTO " + batch.name + "(" + listed(columns) +
                          ", backup_rowid) SELECT " + listed(columns, "s") + ", " + place +
                          " FROM " + table.then + " AS s" + join + " WHERE " + has_key(table, "s") +
                          condition + not_yet_taken(table);
  const std::string what = "cannot gather the rows of table " + table.name;
  BPD_TRY_AS(statement, sqlite::prepare(connection_, sql, what));
  const std::string pattern = like_pattern(request_.choice.text);
  if (sqlite3_bind_parameter_count(statement->get()) > 0) {
    sqlite3_bind_text(statement->get(), 1, pattern.data(), static_cast<int>(pattern.size()),
                      SQLITE_STATIC);
  }
  const int rc = sqlite3_step(statement->get());
  if (rc != SQLITE_DONE) return fail(sqlite::error_from(rc, connection_, what));
  const auto added = static_cast<std::uint64_t>(sqlite3_changes64(connection_));
  batch.rows += added;
  if (plan_.rows() > kMaxPutBack) {
    return fail(ErrorCode::conflict,
                "More than " + std::to_string(kMaxPutBack) + " rows would be put back.",
                "Choose fewer tables or rows; or restore the whole snapshot with " +
                    say(Action::restore) + ".");
  }
  return added;
}

std::string is_missing(const RowTable& table) {
  return " AND NOT EXISTS (SELECT 1 FROM " + table.now + " AS l WHERE " +
         same_key(table, "l", "s") + ")";
}

// Of the key alone where there is an index of it: SQLite then reads that, and of the table only the
// rows that are missing.
std::string is_missing_by_key(const RowTable& table, const std::string& condition) {
  if (table.keyless || table.by_place) return is_missing(table) + condition;
  const std::string key = listed(table.key, "s");
  return " AND (" + key + ") IN (SELECT " + key + " FROM " + table.then + " AS s WHERE " +
         has_key(table, "s") + is_missing(table) + condition + ")";
}

Expected<> Planner::choose(const RowTable& table) {
  BPD_TRY_AS(batch, batch_for(table, false));
  BPD_TRY_AS(chosen, fill(*batch, is_missing_by_key(table, key_condition(table, request_.choice)) +
                                      text_condition(table, request_.choice)));
  if (table.keyless && *chosen > 0) plan_.warnings.push_back(changed_counts_as_gone(table.name));
  return {};
}

Expected<> Planner::choose_changed(const RowTable& table) {
  const std::string differ = table.keyless ? "" : differs(table, "s", "l");
  if (differ.empty()) return {};
  if (!table.recorded) {
    plan_.warnings.push_back("Changed rows of table " + table.name +
                             " stay as they are: no undo of that would be exact.");
    return {};
  }
  BPD_TRY_AS(batch, batch_for(table, true));
  BPD_TRY(fill(*batch,
               " AND " + differ + key_condition(table, request_.choice) +
                   text_condition(table, request_.choice),
               " JOIN " + table.now + " AS l ON " + same_key(table, "l", "s")));
  return {};
}

Expected<std::uint64_t> Planner::hang_on(const RowTable& child, const ForeignKey& key,
                                         const std::string& parent_rows) {
  BPD_TRY_AS(batch, batch_for(child, false));
  return fill(*batch, " AND (" + listed(key.from, "s") + ") IN (SELECT " + listed(key.to, "p") +
                          " FROM " + parent_rows + " AS p)" + is_missing(child));
}

// Children of children, and rows that refer to their like, until there are no more.
Expected<> Planner::add_hanging(const std::vector<RowTable>& tables) {
  bool more = true;
  while (more) {  // each time at least one row more, up to kMaxPutBack
    more = false;
    for (std::size_t i = first_of_snapshot_; i < plan_.batches.size(); ++i) {
      if (plan_.batches[i].update || plan_.batches[i].rows == 0) continue;
      const RowTable parent = plan_.batches[i].table;
      const std::string rows = plan_.batches[i].name;
      for (const RowTable& child : tables) {
        for (const ForeignKey& key : child.references) {
          if (!same_name(key.parent, parent.name) || !child.not_writable.empty() ||
              !has_columns(parent, key.to)) {
            continue;
          }
          BPD_TRY_AS(added, hang_on(child, key, rows));
          BPD_TRY_AS(at, batch_for(child, false));
          plan_.batches[*at].hanging += *added;
          more = more || *added > 0;
        }
      }
    }
  }
  return {};
}

Expected<> Planner::gather(const std::string& snapshot, bool first) {
  first_of_snapshot_ = plan_.batches.size();
  BPD_TRY_AS(paired, pair_tables(connection_, snapshot));
  if (first) {
    BPD_TRY(check_tables(request_.choice, *paired));
  }
  for (RefusedTable& refused : paired->refused) {
    if (first && request_.choice.wants(refused.name)) plan_.refused.push_back(std::move(refused));
  }
  for (const RowTable& table : paired->tables) {
    if (!table.not_writable.empty()) {
      if (first && request_.choice.wants(table.name)) {
        plan_.refused.push_back({table.name, table.not_writable});
      }
      continue;
    }
    if (!request_.choice.wants(table.name)) continue;
    if (request_.missing) {
      BPD_TRY(choose(table));
    }
    if (request_.changed) {
      BPD_TRY(choose_changed(table));
    }
    if (first && !table.gone.empty()) {
      plan_.warnings.push_back("Table " + table.name + " has no column " + table.gone.front() +
                               " any more: what it held is not put back.");
    }
  }
  return add_hanging(paired->tables);
}

// Moves the rows of a batch that fulfil a condition to `left`.
Expected<std::uint64_t> take_out(sqlite3* connection, RowPlan& plan, RowBatch& batch,
                                 const std::string& condition, const std::string& reason) {
  const std::string what = "cannot look at the rows of table " + batch.table.name;
  if (!reason.empty()) {
    BPD_TRY(sqlite::for_each_row(
        connection,
        "SELECT " + listed(batch.table.key, "b") + " FROM " + batch.name + " AS b WHERE " +
            condition,
        what, [&](sqlite3_stmt* row) {
          ++plan.left_total;
          if (plan.left.size() >= kMaxLeftShown) return;
          plan.left.push_back({batch.table.name, shown_key(row, batch.table.key.size()), reason});
        }));
  }
  BPD_TRY(
      sqlite::execute(connection, "DELETE FROM " + batch.name + " AS b WHERE " + condition, what));
  const auto gone = static_cast<std::uint64_t>(sqlite3_changes64(connection));
  batch.rows -= std::min(batch.rows, gone);
  batch.hanging = std::min(batch.hanging, batch.rows);
  return gone;
}

std::string has_no_parent(const RowPlan* plan, const ForeignKey& key) {
  std::string condition;
  for (const std::string& column : key.from) {
    condition += "b." + quote_identifier(column) + " IS NOT NULL AND ";
  }
  condition += "NOT EXISTS (SELECT 1 FROM main." + quote_identifier(key.parent) + " AS p WHERE " +
               refers(key, "b", "p") + ")";
  if (plan == nullptr) return condition;
  for (const RowBatch& other : plan->batches) {
    if (other.update || !same_name(other.table.name, key.parent)) continue;
    if (!has_columns(other.table, key.to)) continue;
    condition += " AND NOT EXISTS (SELECT 1 FROM " + other.name + " AS p WHERE " +
                 refers(key, "b", "p") + ")";
  }
  return condition;
}

Expected<> leave_taken_values(sqlite3* connection, RowPlan& plan, RowBatch& batch) {
  for (const UniqueIndex& unique : batch.table.uniques) {
    std::string same, names;
    for (std::size_t i = 0; i < unique.columns.size(); ++i) {
      const std::string column = quote_identifier(unique.columns[i]);
      same += " AND l." + column + " = b." + column + " COLLATE " +
              quote_identifier(unique.collations[i]);
      names += (i == 0 ? "" : ", ") + unique.columns[i];
    }
    BPD_TRY(take_out(connection, plan, batch,
                     "EXISTS (SELECT 1 FROM " + batch.table.now + " AS l WHERE NOT (" +
                         same_key(batch.table, "l", "b") + ")" + same + ")",
                     "another row has the same " + names + " now"));
  }
  return {};
}

}  // namespace

std::uint64_t RowPlan::rows() const {
  std::uint64_t sum = 0;
  for (const RowBatch& batch : batches) sum += batch.rows;
  return sum;
}

Expected<RowPlan> make_plan(sqlite3* connection, const std::vector<std::string>& snapshots,
                            const PlanRequest& request) {
  BPD_TRY(add_key_function(connection));
  BPD_TRY(want_keys(connection, request.choice.keys));
  Planner planner(connection, request);
  bool first = true;
  for (const std::string& snapshot : snapshots) {
    BPD_TRY(planner.gather(snapshot, first));
    first = false;
  }
  RowPlan plan = planner.take();
  BPD_TRY(settle(connection, plan));
  return plan;
}

Expected<> settle(sqlite3* connection, RowPlan& plan) {
  for (RowBatch& batch : plan.batches) {
    if (batch.rows == 0) continue;
    BPD_TRY(look_again(connection, batch.table));
    const std::string there = "EXISTS (SELECT 1 FROM " + batch.table.now + " AS l WHERE " +
                              same_key(batch.table, "l", "b") + ")";
    BPD_TRY(take_out(connection, plan, batch, (batch.update ? "NOT " : "") + there, ""));
    BPD_TRY(leave_taken_values(connection, plan, batch));
  }
  std::uint64_t gone = 1;
  while (gone > 0) {  // each time at least one row less
    gone = 0;
    for (RowBatch& batch : plan.batches) {
      for (const ForeignKey& key : batch.table.references) {
        BPD_TRY_AS(now, take_out(connection, plan, batch, has_no_parent(&plan, key),
                                 "what it belongs to in " + key.parent + " is not there"));
        gone += *now;
      }
    }
  }
  return {};
}

Expected<> leave(sqlite3* connection, RowPlan& plan, RowBatch& batch, std::int64_t number,
                 const std::string& reason) {
  BPD_TRY(take_out(connection, plan, batch, "b.backup_number = " + std::to_string(number), reason));
  return {};
}

Expected<std::uint64_t> orphans(sqlite3* connection, const RowBatch& batch) {
  std::uint64_t sum = 0;
  for (const ForeignKey& key : batch.table.references) {
    BPD_TRY_AS(count, sqlite::query_integer(connection,
                                            "SELECT count(*) FROM " + batch.name + " AS b WHERE " +
                                                has_no_parent(nullptr, key),
                                            "cannot check the foreign keys"));
    sum += static_cast<std::uint64_t>(*count);
  }
  return sum;
}

Expected<std::uint64_t> present(sqlite3* connection, const RowBatch& batch) {
  BPD_TRY(look_again(connection, batch.table));
  BPD_TRY_AS(count,
             sqlite::query_integer(connection,
                                   "SELECT count(*) FROM " + batch.name +
                                       " AS b WHERE EXISTS (SELECT 1 FROM " + batch.table.now +
                                       " AS l WHERE " + same_key(batch.table, "l", "b") + ")",
                                   "cannot count the rows"));
  return static_cast<std::uint64_t>(*count);
}

Expected<std::vector<std::string>> keys_of(sqlite3* connection, const RowBatch& batch,
                                           std::size_t most) {
  std::vector<std::string> keys;
  BPD_TRY(sqlite::for_each_row(connection,
                               "SELECT " + listed(batch.table.key, "b") + " FROM " + batch.name +
                                   " AS b ORDER BY b.backup_number LIMIT " + std::to_string(most),
                               "cannot read the keys", [&](sqlite3_stmt* row) {
                                 keys.push_back(shown_key(row, batch.table.key.size()));
                               }));
  return keys;
}

}  // namespace core
