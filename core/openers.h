// Which programs have a database open, where the system tells.
#pragma once

#include <string>
#include <vector>

#include "core/env.h"

namespace core {

struct Opener {
  int process_id = 0;
  std::string program;  // as /proc/<pid>/comm has it; may be empty
};

// Every process that has the file, its -wal, -shm or -journal open, this one included; through any
// name of the file. Reads /proc/*/fd: empty where there is none (macOS), and processes of other
// users are left out unless we are root.
std::vector<Opener> openers_of(const fs::path& database, const FileSystem& files);

// "sqlite3 (process 4711) and node (process 12)"; at most a few.
std::string describe_openers(const std::vector<Opener>& openers);

}  // namespace core
