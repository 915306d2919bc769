// One of the checks that a verification puts together, and what came of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace core {

struct VerifyCheck {
  enum class Outcome { passed, failed, skipped };
  // "header", "side_files", "digest", "quick_check" or "integrity_check" (SQLite's, and our account
  // of all pages, which is more than SQLite's), "column_rules" (where content breaks the rules of
  // its schema), "indexes" (where some do not fit their tables), "row_counts", "foreign_keys",
  // "full_text" (where there are such tables), "virtual_tables" (where there are some that this
  // program cannot read), "live_source" (when asked for).
  std::string name;
  Outcome outcome = Outcome::skipped;
  std::vector<std::string> findings;  // at most kMaxFindings
  std::string reason;                 // why it was skipped; of a passed one: a remark, or empty
  bool unfinished = false;            // skipped, as it came to a bound: the verdict waits for it
  double elapsed_ms = 0;
};
inline constexpr std::size_t kMaxFindings = 20;
inline constexpr unsigned kMaxLanes = 4;
std::string_view to_string(VerifyCheck::Outcome outcome);

}  // namespace core
