// Copies a pinned database into a file of its own, page for page.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "core/base/progress.h"
#include "core/platform/write_behind.h"
#include "core/sqlite/pinned_source.h"

namespace core {

struct CopyRequest {
  std::filesystem::path target;  // must not exist
  DigestMode digest = DigestMode::beside;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

// The copy: all its bytes handed to the system, neither hashed to the end nor on the disk yet.
struct Copy {
  std::unique_ptr<WriteBehind> file;
  // False when the pages carry a checksum (8 reserved bytes each, as SQLite's own checksum VFS
  // writes them): the header then keeps the source's journal mode.
  bool journal_mode_reset = true;
};

// Copies with SQLite's backup API from the pinned state, which therefore never restarts, into a
// write-gathering destination. The copy is the pinned state byte for byte, except that a header
// that says WAL (bytes 18 and 19) says rollback journal: it opens anywhere without side files.
//
// Closes `source` as soon as the last page is read. Reports pages (phase "copy"). Ends within 100
// ms of a stop request or of the deadline (cancelled, timed_out). On any error the target is
// removed. https://www.sqlite.org/backup.html
Expected<Copy> copy_database(PinnedSource& source, const CopyRequest& request, const Env& env,
                             ProgressSink& progress, std::stop_token stop);

}  // namespace core
