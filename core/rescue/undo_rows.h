// Takes out of a live database what restore_rows put back, and nothing else.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/env.h"
#include "core/rescue/row_plan.h"
#include "core/rescue/undo_file.h"

namespace core {

struct UndoRowsRequest {
  std::string undo;   // RestoreRowsResult::undo
  fs::path source{};  // empty: what the undo names
  bool dry_run = false;
  bool confirmed = false;
  std::chrono::milliseconds busy_timeout{5'000};
  std::chrono::milliseconds lock_timeout{60'000};
};

struct UndoRowsResult {
  fs::path source;
  bool dry_run = false;
  std::map<std::string, std::uint64_t> tables;  // rows taken out, or made again what they were
  std::uint64_t rows = 0;
  std::vector<LeftRow> left;  // rows that were written to since, or to which newer ones refer
  std::uint64_t left_total = 0;
};

// In one BEGIN IMMEDIATE, row by row: a row goes only where it is still, in every column, as it was
// put back; what refers to it and came since keeps it there, too. No foreign key's action runs, so
// nothing else goes with it; the database's triggers do run. Then the undo file is removed. A dry
// run does the same and rolls it back. Errors as of restore_rows; not_found for an undo that is not
// there, conflict where it is of another database.
Expected<UndoRowsResult> undo_rows(const UndoRowsRequest& request, const Env& env,
                                   std::stop_token stop);

}  // namespace core
