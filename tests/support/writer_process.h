// Another process that has a database open: committing to it, holding a lock on it, or idle.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/platform/descriptor.h"

namespace test {

namespace fs = std::filesystem;

struct WriterOptions {
  enum class Mode {
    commit,         // commit_sql (test_database.h) every `interval`
    idle,           // a connection that has read once
    hold_read,      // a read transaction that stays open
    hold_write,     // BEGIN IMMEDIATE and a change, never committed
    hold_exclusive  // BEGIN EXCLUSIVE and a change, never committed
  };
  Mode mode = Mode::commit;
  std::chrono::milliseconds interval{10};
  bool checkpoints = true;  // false: no automatic checkpoints, the rows stay in the WAL
};

struct WriterResult {
  int exit_code = -1;  // 128 + signal when killed, on Windows as well
  std::uint64_t commits = 0;
  std::uint64_t failures = 0;  // commits that failed in spite of a busy timeout
};

class WriterProcess {
 public:
  // Returns when the process has done its first commit or has its lock. The database must be one
  // of make_notes_database. Throws std::runtime_error when the process does not get there in 10 s.
  explicit WriterProcess(const fs::path& database, const WriterOptions& options = {});
  // Kills the process if it still runs.
  ~WriterProcess();
  WriterProcess(const WriterProcess&) = delete;
  WriterProcess& operator=(const WriterProcess&) = delete;

  int pid() const { return pid_; }
  // What messages call it: "test_writer (process 4711)", or "a program" where the system does not
  // tell who has a file open. Wine does not.
  std::string as_told() const;
  // Asks it to end after its present transaction, closes the database cleanly.
  WriterResult stop();
  // SIGKILL: what it had open stays as it was.
  WriterResult kill();

 private:
  WriterResult wait();

  fs::path database_;
  int pid_ = -1;
  core::Descriptor output_;
  core::Descriptor process_, input_;  // on Windows, where its input ends to ask it to end
};

}  // namespace test
