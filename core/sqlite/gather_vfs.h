// The destination of a copy, as SQLite sees it: a VFS with one file, whose pages go to a
// WriteBehind.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/platform/write_behind.h"

namespace core {

// Registers itself with SQLite for its lifetime under a name of its own. The one database file that
// can be opened through it is the given WriteBehind; it has no journal, takes no locks and is
// synced by nobody but its owner.
//
// Page 1 is special. SQLite holds it back to the end of a backup and then changes its counters, but
// the copy is to be the source's pinned state, and its hash needs the first bytes first: so page 1
// is given here beforehand and written as the first page; what SQLite delivers in its place is only
// compared with it.
class GatherVfs {
 public:
  // `first_page` is the source's page 1, as it is to stand in the copy. `file` must outlive this.
  GatherVfs(WriteBehind& file, std::vector<unsigned char> first_page);
  ~GatherVfs();
  GatherVfs(const GatherVfs&) = delete;
  GatherVfs& operator=(const GatherVfs&) = delete;

  // For sqlite::open, with any file name.
  const char* name() const;
  // Why the last operation of SQLite's failed, where the reason is ours.
  Expected<> failure() const;
  // True once SQLite delivered its own page 1, equal to ours but for the fields it maintains: a
  // copy without this is not whole.
  bool first_page_confirmed() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace core
