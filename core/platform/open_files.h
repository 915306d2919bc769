// Which programs have a database open, where the system tells.
#pragma once

#include <string>
#include <vector>

#include "core/base/env.h"

namespace core {

struct Opener {
  int process_id = 0;   // 0: not known
  std::string program;  // as the system has it; may be empty
  std::string user{};   // its name or number, where that is another than ours
};

// Every process that has the file, its -wal, -shm or -journal open, this one included; through any
// name of the file. Reads /proc/*/fd and /proc/locks; on macOS asks libproc. Unless we are root, of
// other users' processes only those are there that hold a lock; on macOS, none. On
// Windows a file is opened for a moment so that nobody else may have it: that somebody has it is
// always seen, this process as one without a number.
std::vector<Opener> openers_of(const fs::path& database, const FileSystem& files);

// The same without this process.
std::vector<Opener> other_openers_of(const fs::path& database, const FileSystem& files);

// The paths by which processes have this very file open, as far as openers_of would name these.
std::vector<fs::path> open_names_of(const FileId& file, const FileSystem& files);

// "sqlite3 (process 4711) and node (process 12 of bob)"; at most a few.
std::string describe_openers(const std::vector<Opener>& openers);

// What a person knows a process by, a sentence for each of a few, with a blank before it: " Process
// 12 is a server of this Claude Code session, started as "node server.js", in the terminal pts/3."
// Reads /proc; empty where the system tells no more than describe_openers does.
std::string tell_of_openers(const std::vector<Opener>& openers, const FileSystem& files);

}  // namespace core
