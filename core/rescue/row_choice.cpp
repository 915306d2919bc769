#include "core/rescue/row_choice.h"

#include <sqlite3.h>

#include <algorithm>

#include "core/base/call.h"
#include "core/base/paths.h"
#include "core/rescue/row_text.h"
#include "core/sqlite/sealed_vfs.h"
#include "core/sqlite/sqlite.h"

namespace core {
namespace {

constexpr std::size_t kMaxTablesTold = 20;

}  // namespace

bool RowChoice::wants(const std::string& table) const {
  return tables.empty() || std::any_of(tables.begin(), tables.end(), [&](const std::string& one) {
           return same_name(one, table);
         });
}

Expected<> check_choice(const RowChoice& choice) {
  if (!choice.tables.empty() || !choice.keys.empty() || !choice.text.empty()) return {};
  return fail(ErrorCode::invalid_argument, "No rows were chosen.",
              "Give tables, keys or text: " + say(Action::find_rows) + " shows what is gone.");
}

Expected<> check_tables(const RowChoice& choice, const PairedTables& paired) {
  std::vector<std::string> known;
  for (const RowTable& table : paired.tables) known.push_back(table.name);
  for (const RefusedTable& table : paired.refused) known.push_back(table.name);
  for (const std::string& wanted : choice.tables) {
    if (std::any_of(known.begin(), known.end(),
                    [&](const std::string& one) { return same_name(one, wanted); })) {
      continue;
    }
    std::string names;
    for (std::size_t i = 0; i < known.size() && i < kMaxTablesTold; ++i) {
      names += (i == 0 ? "" : ", ") + shown(known[i], kMaxKeyBytes);
    }
    return fail(
        ErrorCode::invalid_argument,
        "There is no table " + shown(wanted, kMaxKeyBytes) + " in the database and the snapshot.",
        "Choose one of: " + names + ".");
  }
  return {};
}

std::string key_condition(const RowTable& table, const RowChoice& choice) {
  if (choice.keys.empty()) return {};
  return " AND backup_key(" + listed(table.key, "s") + ") IN (SELECT key FROM temp.backup_wanted)";
}

std::string text_condition(const RowTable& table, const RowChoice& choice) {
  if (choice.text.empty()) return {};
  std::string any;
  for (const std::string& column : table.columns) {
    const std::string name = "s." + sqlite::quote_identifier(column);
    any += (any.empty() ? "" : " OR ") + ("(typeof(" + name + ") = 'text' AND " + name) +
           " LIKE ?1 ESCAPE '\\')";
  }
  return " AND (" + any + ")";
}

Expected<> attach_snapshot(sqlite3* connection, const fs::path& snapshot, const std::string& name) {
  const std::string what = "cannot open " + text_of(snapshot) + " beside the live database";
  BPD_TRY_AS(uri, sealed_uri(snapshot));
  // The live database's triggers write to its full-text tables, which SQLite takes for unsafe where
  // schemas are not trusted. Of the snapshot none of it is compiled: no trigger, no view, no
  // generated column.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_VIEW, 1, nullptr);
  BPD_TRY_AS(attach, sqlite::prepare(connection, "ATTACH ?1 AS " + name, what));
  sqlite3_bind_text(attach->get(), 1, uri->data(), static_cast<int>(uri->size()), SQLITE_STATIC);
  const int rc = sqlite3_step(attach->get());
  if (rc != SQLITE_DONE) return fail(sqlite::error_from(rc, connection, what));
  return {};
}

Deadline::Deadline(sqlite3* connection, std::chrono::milliseconds limit, std::stop_token stop)
    : connection_(connection), bound_{std::move(stop), std::chrono::steady_clock::now() + limit} {
  end_statements_at(connection_, &bound_);
}

Deadline::~Deadline() {
  end_statements_at(connection_, nullptr);
}

}  // namespace core
