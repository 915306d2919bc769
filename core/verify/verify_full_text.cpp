// The check of full-text indexes by their own modules, and of tables that no module here can read
// (declared in verify_checks.h).
#include <sqlite3.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/base/lower_case.h"
#include "core/sqlite/sqlite.h"
#include "core/sqlite/virtual_tables.h"
#include "core/verify/verify_checks.h"

namespace core {
namespace {

using Outcome = VerifyCheck::Outcome;

// From this version on quick_check and integrity_check look into R-Trees themselves.
constexpr int kChecksRTrees = 3'044'000;

bool is_full_text(const VirtualTable& table) {
  return table.module == "fts5" || table.module == "fts4" || table.module == "fts3";
}

bool is_r_tree(const VirtualTable& table) {
  return table.module == "rtree" || table.module == "rtree_i32" || table.module == "geopoly";
}

// https://www.sqlite.org/fts5.html#the_integrity_check_command: with rank 1 the index is compared
// with an external content table, too. https://www.sqlite.org/fts3.html#integrity_check
std::string check_statement(const VirtualTable& table, bool with_content) {
  const std::string name = sqlite::quote_identifier(table.name);
  if (table.module == "fts5") {
    return "INSERT INTO main." + name + "(" + name + ", rank) VALUES('integrity-check', " +
           (with_content ? "1)" : "0)");
  }
  return "INSERT INTO main." + name + "(" + name + ") VALUES('integrity-check')";
}

// The text without what can be written in several ways.
std::string plain(const std::string& text) {
  std::string result;
  for (const char c : lower_case(text)) {
    if (std::string_view(" \t\n\r\f'\"[]`").find(c) == std::string_view::npos) result += c;
  }
  return result;
}

// A view as content: what it takes to read, or just to compile, nobody can tell. Rather one table
// too many than one too few.
bool may_read_view(const VirtualTable& table, const std::vector<std::string>& views) {
  constexpr std::string_view kOption = "content=";
  const std::string sql = plain(table.sql);
  for (std::size_t at = sql.find(kOption); at != std::string::npos; at = sql.find(kOption, at)) {
    at += kOption.size();
    for (const std::string& view : views) {
      if (sql.compare(at, view.size(), view) != 0) continue;
      // FTS3 and FTS4 pass over what follows the name.
      const char next = at + view.size() < sql.size() ? sql[at + view.size()] : ')';
      if (table.module != "fts5" || next == ',' || next == ')') return true;
    }
  }
  return false;
}

Expected<std::vector<std::string>> plain_names_of_views(sqlite3* connection) {
  std::vector<std::string> views;
  BPD_TRY(sqlite::for_each_row(
      connection, "SELECT name FROM sqlite_schema WHERE type = 'view' AND name IS NOT NULL",
      "cannot list the views",
      [&](sqlite3_stmt* row) { views.push_back(plain(sqlite::column_text(row, 0))); }));
  return views;
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
  const auto views = plain_names_of_views(connection);
  if (!views) {
    check = ended_by("full_text", views.error());
    return result;
  }
  std::string remark;
  for (const VirtualTable& table : *tables) {
    if (stop.stop_requested()) return result;
    if (!is_full_text(table)) continue;
    check.name = "full_text";
    const bool reads_view = may_read_view(table, *views);
    if (reads_view) {
      if (remark.empty()) {
        remark = "The index " + table.name + " was not compared with its content, which is a view.";
      }
      if (table.module != "fts5") continue;
    }
    const auto done = sqlite::execute(connection, check_statement(table, !reads_view),
                                      "The full-text index of table " + table.name);
    if (done) continue;
    // Half a count would be taken for the whole one, by those who compare it later.
    if (done.error().code == ErrorCode::cancelled) {
      return {ended_by("full_text", done.error()), 0};
    }
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
      const bool out_of_proportion = done.error().hint == sqlite::kOutOfProportion;
      check.unfinished = check.unfinished || out_of_proportion;
    }
  }
  if (check.outcome == Outcome::passed) check.reason = remark;
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
