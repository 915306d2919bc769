// A database under several names: hard links, or a file that is mounted by itself.
#pragma once

#include <string>

#include "core/base/env.h"
#include "core/base/error.h"

namespace core {

// SQLite looks for -wal and -journal beside the name by which a database is opened: what a program
// left there under another name is not seen, and no lock keeps its checkpoints from the pages that
// we read. https://www.sqlite.org/howtocorrupt.html, section 2.5
//
// True where `path` (links resolved) has other names, as far as the system tells.
bool may_have_second_names(const fs::path& path, const FileSystem& files);

// For a database in WAL mode that may have some: conflict where a -wal lies beside another name, or
// where the other names cannot all be found and none lies beside this one. Looks in the folder and
// at what programs have open.
Expected<> check_second_wal(const fs::path& path, const FileSystem& files);

// For one in rollback mode, while its shared lock is held: conflict where a journal that waits to
// be rolled back lies beside another name. `writing`: a program holds the lock to write, so that
// its journal is no left-over. Returns a warning, or an empty text, where not all names could be
// found.
Expected<std::string> check_second_journal(const fs::path& path, bool writing,
                                           const FileSystem& files);

}  // namespace core
