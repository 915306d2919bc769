#include "core/rescue/lost_rows.h"

#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "core/base/paths.h"
#include "core/rescue/keyless_rows.h"
#include "core/rescue/row_text.h"
#include "core/rescue/table_pairs.h"
#include "core/sqlite/pinned_source.h"

namespace core {
namespace {

using sqlite::quote_identifier;
using sqlite::StatementHandle;

constexpr const char* kSnapshot = "snap";

class Search {
 public:
  Search(const LostRowsRequest& request, const Env& env, ProgressSink& progress,
         std::stop_token stop)
      : request_(request), env_(env), progress_(progress), stop_(std::move(stop)) {}

  Expected<LostRows> run();

 private:
  Expected<> look_into(std::size_t number);
  Expected<> look_into_table(const RowTable& table, std::size_t number);
  Expected<> look_at_changes(const RowTable& table);
  Expected<bool> take(const RowTable& table, sqlite3_stmt* key, std::size_t number);
  Expected<> prepare(const RowTable& table);
  bool is_new(const RowTable& table, sqlite3_stmt* key);
  LostTable& entry(const RowTable& table);
  std::chrono::milliseconds time_left() const;

  const LostRowsRequest& request_;
  const Env& env_;
  ProgressSink& progress_;
  const std::stop_token stop_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  fs::path source_;
  SearchedSeries series_;
  LostRows result_;
  std::map<std::string, LostTable> tables_;
  std::unordered_set<std::size_t> seen_;
  // Of the snapshot that is looked into:
  sqlite3* connection_ = nullptr;
  StatementHandle has_text_, show_;
  // Of the table that is looked into, without the key, which is shown anyway:
  std::vector<std::string> shown_columns_;
};

std::chrono::milliseconds Search::time_left() const {
  const auto gone = std::chrono::steady_clock::now() - begun_;
  return std::max(std::chrono::milliseconds(0),
                  std::chrono::duration_cast<std::chrono::milliseconds>(kSearchTime - gone));
}

LostTable& Search::entry(const RowTable& table) {
  LostTable& lost = tables_[table.name];
  lost.name = table.name;
  lost.not_writable = table.not_writable;
  lost.keyless = table.keyless;
  return lost;
}

Expected<LostRows> Search::run() {
  BPD_TRY_AS(source, env_.files.canonical(request_.source));
  source_ = std::move(*source);
  auto series = request_.snapshot
                    ? snapshot_to_search(*request_.snapshot, env_)
                    : snapshots_to_search(source_, request_.destination, request_.since, env_);
  if (!series) return fail(series.error());
  series_ = std::move(*series);
  result_.of = series_.snapshots.size();
  result_.last_seen.assign(result_.of, 0);
  result_.warnings = std::move(series_.warnings);
  for (std::size_t i = 0; i < series_.snapshots.size(); ++i) {
    if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "The search was cancelled.");
    progress_.report(i, series_.snapshots.size(), "search");
    const auto looked = look_into(i);
    if (!looked && stop_.stop_requested()) {
      return fail(ErrorCode::cancelled, "The search was cancelled.");
    }
    if (!looked && time_left() == std::chrono::milliseconds(0)) break;
    if (!looked &&
        (series_.snapshots.size() == 1 || looked.error().code == ErrorCode::invalid_argument)) {
      return fail(looked.error());
    }
    if (!looked) {
      // One bad snapshot does not hide what the others have; a source that cannot be read fails
      // the first one, too.
      if (i == 0 && !PinnedSource::open(source_, request_.busy_timeout, env_, stop_)) {
        return fail(looked.error());
      }
      result_.warnings.push_back(text_of(series_.snapshots[i].path) +
                                 " was left out: " + looked.error().message);
    }
    result_.searched.push_back(series_.snapshots[i]);
  }
  if (result_.searched.size() < result_.of) {
    result_.warnings.push_back("The search ended after " + std::to_string(kSearchTime.count()) +
                               " s with " + std::to_string(result_.searched.size()) + " of " +
                               std::to_string(result_.of) +
                               " snapshots, the newest ones: name a table, or an older snapshot.");
  }
  if (seen_.size() >= kMaxLostRows) {
    result_.warnings.push_back("More than " + std::to_string(kMaxLostRows) +
                               " rows are gone; older snapshots may have more of them.");
  }
  for (auto& [name, table] : tables_) {
    result_.more = result_.more || table.lost > request_.skip + request_.limit ||
                   table.changed > request_.skip + request_.limit;
    if (table.lost > 0 && table.keyless) {
      result_.warnings.push_back(changed_counts_as_gone(name));
    }
    if (table.lost + table.changed > 0) result_.tables.push_back(std::move(table));
  }
  return std::move(result_);
}

Expected<> Search::look_into(std::size_t number) {
  BPD_TRY_AS(pinned, PinnedSource::open(source_, request_.busy_timeout, env_, stop_));
  connection_ = pinned->connection();
  const auto let_go = [this] {
    has_text_.reset();
    show_.reset();
  };
  BPD_TRY(sqlite::execute(connection_, "PRAGMA temp_store = FILE", "cannot search"));
  BPD_TRY(attach_snapshot(connection_, series_.snapshots[number].path, kSnapshot));
  BPD_TRY(add_key_function(connection_));
  if (!request_.choice.keys.empty()) {
    BPD_TRY(want_keys(connection_, request_.choice.keys));
  }
  const Deadline deadline(connection_, time_left(), stop_);
  BPD_TRY_AS(paired, pair_tables(connection_, kSnapshot));
  if (number == 0) {
    BPD_TRY(check_tables(request_.choice, *paired));
  }
  for (RefusedTable& refused : paired->refused) {
    if (number == 0 && request_.choice.wants(refused.name)) {
      result_.refused.push_back(std::move(refused));
    }
  }
  for (const RowTable& table : paired->tables) {
    if (!request_.choice.wants(table.name)) continue;
    auto looked = look_into_table(table, number);
    if (looked && request_.changed && number == 0) looked = look_at_changes(table);
    let_go();
    BPD_TRY(looked);
  }
  return pinned->intact();
}

Expected<> Search::prepare(const RowTable& table) {
  const std::string from = " FROM " + table.then + " AS s WHERE ";
  std::string by_key;
  for (std::size_t i = 0; i < table.key.size(); ++i) {
    by_key += (i == 0 ? "s." : " AND s.") + quote_identifier(table.key[i]) + " = ?" +
              std::to_string(i + 2);
  }
  has_text_.reset();
  if (!request_.choice.text.empty()) {
    BPD_TRY_AS(statement,
               sqlite::prepare(connection_,
                               "SELECT 1" + from + by_key + text_condition(table, request_.choice),
                               "cannot search " + table.name));
    has_text_ = std::move(*statement);
    const std::string pattern = like_pattern(request_.choice.text);
    sqlite3_bind_text(has_text_.get(), 1, pattern.data(), static_cast<int>(pattern.size()),
                      SQLITE_TRANSIENT);
  }
  shown_columns_ = columns_beside_key(table);
  const auto& columns = shown_columns_;
  BPD_TRY_AS(show, sqlite::prepare(
                       connection_,
                       "SELECT " + (columns.empty() ? "1" : listed(columns, "s")) + from + by_key,
                       "cannot read " + table.name));
  show_ = std::move(*show);
  return {};
}

bool Search::is_new(const RowTable& table, sqlite3_stmt* key) {
  const auto columns = static_cast<int>(table.key.size());
  return seen_.insert(std::hash<std::string>{}(table.name + '\n' + exact_key(key, columns))).second;
}

// Of a row that only the snapshot has. False where no more are told apart.
Expected<bool> Search::take(const RowTable& table, sqlite3_stmt* key, std::size_t number) {
  const auto bind = [&](sqlite3_stmt* statement) {
    sqlite3_reset(statement);
    for (int i = 0; i < static_cast<int>(table.key.size()); ++i) {
      sqlite3_bind_value(statement, i + 2, sqlite3_column_value(key, i));
    }
  };
  if (has_text_) {
    bind(has_text_.get());
    const int rc = sqlite3_step(has_text_.get());
    if (rc == SQLITE_DONE) return true;
    if (rc != SQLITE_ROW) {
      return fail(sqlite::error_from(rc, connection_, "cannot search " + table.name));
    }
  }
  if (seen_.size() >= kMaxLostRows) return false;
  if (!is_new(table, key)) return true;
  LostTable& lost = entry(table);
  ++result_.last_seen[number];
  if (++lost.lost <= request_.skip || lost.rows.size() >= request_.limit) return true;
  bind(show_.get());
  const int rc = sqlite3_step(show_.get());
  if (rc != SQLITE_ROW) {
    return fail(sqlite::error_from(rc, connection_, "cannot read " + table.name));
  }
  lost.rows.push_back(
      {shown_key(key, table.key.size()), line_of(show_.get(), shown_columns_), number});
  sqlite3_reset(show_.get());
  return true;
}

Expected<> Search::look_into_table(const RowTable& table, std::size_t number) {
  BPD_TRY(prepare(table));
  const std::string what = "cannot compare table " + table.name;
  // Of the key alone: SQLite then reads its index, and not each row.
  BPD_TRY_AS(missing, sqlite::prepare(connection_,
                                      "SELECT " + listed(table.key, "s") + " FROM " + table.then +
                                          " AS s WHERE " + has_key(table, "s") +
                                          " AND NOT EXISTS (SELECT 1 FROM " + table.now +
                                          " AS l WHERE " + same_key(table, "l", "s") + ")" +
                                          key_condition(table, request_.choice),
                                      what));
  int rc = SQLITE_ROW;
  while ((rc = sqlite3_step(missing->get())) == SQLITE_ROW) {
    BPD_TRY_AS(goes_on, take(table, missing->get(), number));
    if (!*goes_on) return {};
  }
  if (rc != SQLITE_DONE) return fail(sqlite::error_from(rc, connection_, what));
  return {};
}

Expected<> Search::look_at_changes(const RowTable& table) {
  const std::vector<std::string>& columns = shown_columns_;
  if (columns.empty() || table.keyless) return {};
  const std::string what = "cannot compare table " + table.name;
  BPD_TRY_AS(
      statement,
      sqlite::prepare(connection_,
                      "SELECT " + listed(table.key, "s") + ", " + listed(columns, "s") + ", " +
                          listed(columns, "l") + " FROM " + table.then + " AS s JOIN " + table.now +
                          " AS l ON " + same_key(table, "l", "s") + " WHERE " +
                          differs(table, "s", "l") + key_condition(table, request_.choice) +
                          text_condition(table, request_.choice),
                      what));
  sqlite3_stmt* row = statement->get();
  const std::string pattern = like_pattern(request_.choice.text);
  if (!request_.choice.text.empty()) {
    sqlite3_bind_text(row, 1, pattern.data(), static_cast<int>(pattern.size()), SQLITE_STATIC);
  }
  const auto keys = static_cast<int>(table.key.size());
  int rc = SQLITE_ROW;
  while ((rc = sqlite3_step(row)) == SQLITE_ROW) {
    LostTable& lost = entry(table);
    if (++lost.changed <= request_.skip || lost.changed_rows.size() >= request_.limit) continue;
    ChangedRow changed;
    changed.key = shown_key(row, table.key.size());
    changed.then = differing_line(row, keys, false, columns);
    changed.now = differing_line(row, keys, true, columns);
    lost.changed_rows.push_back(std::move(changed));
  }
  if (rc != SQLITE_DONE) return fail(sqlite::error_from(rc, connection_, what));
  return {};
}

}  // namespace

Expected<LostRows> find_lost_rows(const LostRowsRequest& request, const Env& env,
                                  ProgressSink& progress, std::stop_token stop) {
  return Search(request, env, progress, std::move(stop)).run();
}

}  // namespace core
