// The check of full-text indexes by their own modules, and of tables that no module here can read
// (declared in verify_checks.h).
#include <sqlite3.h>

#include <algorithm>
#include <vector>

#include "core/sqlite.h"
#include "core/verify_checks.h"

namespace core {
namespace {

using Outcome = VerifyCheck::Outcome;

// From this version on quick_check and integrity_check look into R-Trees themselves.
constexpr int kChecksRTrees = 3'044'000;

struct VirtualTable {
  std::string name;
  std::string module;  // lower case; empty when the statement could not be read
};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The next name or word of an SQL text, unquoted; empty at anything else.
std::string next_word(std::string_view& sql) {
  while (!sql.empty() && is_space(sql.front())) sql.remove_prefix(1);
  if (sql.empty()) return "";
  std::string word;
  const char open = sql.front();
  if (open == '"' || open == '`' || open == '[' || open == '\'') {
    const char close = open == '[' ? ']' : open;
    sql.remove_prefix(1);
    while (!sql.empty()) {
      const char c = sql.front();
      sql.remove_prefix(1);
      if (c == close) {
        const bool doubled = open != '[' && !sql.empty() && sql.front() == close;
        if (!doubled) return word;
        sql.remove_prefix(1);
      }
      word += c;
    }
    return "";
  }
  while (!sql.empty() && is_word(sql.front())) {
    word += sql.front();
    sql.remove_prefix(1);
  }
  return word;
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), lower);
  return text;
}

// SQLite stores "CREATE VIRTUAL TABLE " and then the statement's own text from the name on.
std::string module_of(std::string_view sql) {
  for (const char* keyword : {"create", "virtual", "table"}) {
    if (lower_case(next_word(sql)) != keyword) return "";
  }
  next_word(sql);
  if (lower_case(next_word(sql)) != "using") return "";
  return lower_case(next_word(sql));
}

Expected<std::vector<VirtualTable>> virtual_tables(sqlite3* connection) {
  auto statement = sqlite::prepare(connection,
                                   "SELECT name, sql FROM sqlite_schema WHERE type = 'table' "
                                   "AND sql LIKE 'create virtual table %' ORDER BY name",
                                   "cannot list the virtual tables");
  if (!statement) return fail(statement.error());
  std::vector<VirtualTable> tables;
  int rc = SQLITE_ROW;
  while ((rc = sqlite3_step(statement->get())) == SQLITE_ROW) {
    const auto* name = reinterpret_cast<const char*>(sqlite3_column_text(statement->get(), 0));
    const auto* sql = reinterpret_cast<const char*>(sqlite3_column_text(statement->get(), 1));
    if (name != nullptr && sql != nullptr) tables.push_back({name, module_of(sql)});
  }
  if (rc != SQLITE_DONE) {
    return fail(sqlite::error_from(rc, connection, "cannot list the virtual tables"));
  }
  return tables;
}

bool is_full_text(const VirtualTable& table) {
  return table.module == "fts5" || table.module == "fts4" || table.module == "fts3";
}

bool is_r_tree(const VirtualTable& table) {
  return table.module == "rtree" || table.module == "rtree_i32" || table.module == "geopoly";
}

// https://www.sqlite.org/fts5.html#the_integrity_check_command: with rank 1 the index is compared
// with an external content table, too. https://www.sqlite.org/fts3.html#integrity_check
std::string check_statement(const VirtualTable& table) {
  const std::string name = sqlite::quote_identifier(table.name);
  if (table.module == "fts5") {
    return "INSERT INTO main." + name + "(" + name + ", rank) VALUES('integrity-check', 1)";
  }
  return "INSERT INTO main." + name + "(" + name + ") VALUES('integrity-check')";
}

bool module_is_known(sqlite3* connection, const std::string& module) {
  sqlite3_stmt* raw = nullptr;
  sqlite3_prepare_v2(connection, "SELECT 1 FROM pragma_module_list WHERE lower(name) = ?", -1, &raw,
                     nullptr);
  const sqlite::StatementHandle statement(raw);
  if (!statement) return true;
  sqlite3_bind_text(raw, 1, module.data(), static_cast<int>(module.size()), SQLITE_STATIC);
  return sqlite3_step(raw) == SQLITE_ROW;
}

}  // namespace

CountedCheck check_full_text(sqlite3* connection, std::stop_token stop) {
  CountedCheck result;
  VerifyCheck& check = result.check;
  check.outcome = Outcome::passed;
  const auto tables = virtual_tables(connection);
  if (!tables) {
    check = ended_by("full_text", tables.error());
    return result;
  }
  for (const VirtualTable& table : *tables) {
    if (stop.stop_requested()) return result;
    if (!is_full_text(table)) continue;
    check.name = "full_text";
    const auto done = sqlite::execute(connection, check_statement(table),
                                      "The full-text index of table " + table.name);
    if (done) continue;
    if (done.error().code == ErrorCode::damaged) {
      ++result.total;
      check.outcome = Outcome::failed;
      if (check.findings.size() < kMaxFindings) {
        check.findings.push_back("The full-text index " + table.name +
                                 " is damaged or does not fit the content it indexes.");
      }
    } else {
      if (check.outcome == Outcome::passed) check.outcome = Outcome::skipped;
      check.reason += (check.reason.empty() ? "" : " ") + done.error().message;
    }
  }
  return result;
}

VerifyCheck check_virtual_tables(sqlite3* connection) {
  VerifyCheck check;
  const auto tables = virtual_tables(connection);
  if (!tables) return ended_by("virtual_tables", tables.error());
  for (const VirtualTable& table : *tables) {
    const bool known = module_is_known(connection, table.module);
    if (known && (!is_r_tree(table) || sqlite3_libversion_number() >= kChecksRTrees)) continue;
    check.name = "virtual_tables";
    check.outcome = Outcome::skipped;
    check.reason +=
        (check.reason.empty() ? "" : " ") + ("Table " + table.name) +
        (known ? " is an R-Tree: its rows were read, but not whether its nodes fit "
                 "each other (rtreecheck does that)."
               : " needs the module " + table.module + ", which this program does not have.");
  }
  return check;
}

}  // namespace core
