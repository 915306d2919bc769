// Which rows are meant, and what is done to look for them: shared by finding and putting back.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/base/error.h"
#include "core/rescue/row_table.h"
#include "core/sqlite/lanes.h"

namespace core {

// Rows of any of `tables` (empty: of all), with one of `keys` (key_text; empty: any) and with a
// value that contains `text` (ASCII letters in either case; empty: any).
struct RowChoice {
  std::vector<std::string> tables{};
  std::vector<std::string> keys{};
  std::string text{};

  bool wants(const std::string& table) const;
};

// For what writes: invalid_argument for a choice of all rows there are.
Expected<> check_choice(const RowChoice& choice);
// invalid_argument for a chosen table that is not among these.
Expected<> check_tables(const RowChoice& choice, const PairedTables& paired);

// For the rows of alias `s`: " AND backup_key(…) IN (…)", " AND (s.c LIKE ?1 …)"; empty where any
// will do. What is bound as ?1 is text_pattern().
std::string key_condition(const RowTable& table, const RowChoice& choice);
std::string text_condition(const RowTable& table, const RowChoice& choice);

// Attaches a sealed snapshot under that name to a connection with a live database, and lets that
// one's triggers use its views and full-text tables, as they may for the programs that own it.
Expected<> attach_snapshot(sqlite3* connection, const fs::path& snapshot, const std::string& name);

// Ends the statements of a connection at a deadline or a stop, for as long as it lives.
class Deadline {
 public:
  Deadline(sqlite3* connection, std::chrono::milliseconds limit, std::stop_token stop);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  bool passed() const { return bound_.passed(); }

 private:
  sqlite3* connection_;
  const Bound bound_;
};

}  // namespace core
