// Checks of one database that run beside each other.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "core/sqlite/sqlite.h"

namespace core {

// One check on some connection; the time it takes is measured by who runs it.
using Task = std::function<void(sqlite3*)>;

// Until when a run may go on.
struct Bound {
  std::stop_token stop;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();

  bool passed() const { return std::chrono::steady_clock::now() >= deadline; }
};

// Ends the connection's statements (cancelled) from then on; null: no more. Looks now and then.
// `bound` must outlive that.
void end_statements_at(sqlite3* connection, const Bound* bound);

// Runs tasks in order of their start, on one or more threads with a connection each (sealed_vfs.h).
// A stop or the deadline interrupts the statements that run; after a stop no task begins.
class Lanes {
 public:
  // `path` must outlive this.
  Lanes(const std::filesystem::path& path, std::vector<Task> tasks, Bound bound)
      : path_(path), tasks_(std::move(tasks)), bound_(std::move(bound)), stop_(bound_.stop) {}

  // Uses `first` as the connection of the first lane. Calls `tick` now and then until all is done.
  // Where the system gives fewer threads, or none, those there are do the work.
  void run(sqlite3* first, unsigned lanes, const std::function<void()>& tick);

 private:
  // False where the system gives no thread.
  bool start_lane(std::vector<std::jthread>& threads, sqlite3* connection);
  void work_on_new_connection();
  void work(sqlite3* connection);

  const std::filesystem::path& path_;
  std::vector<Task> tasks_;
  Bound bound_;
  const std::stop_token& stop_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;  // guards what follows
  std::condition_variable done_;
  std::vector<sqlite3*> open_;
  std::vector<sqlite::ConnectionHandle> connections_;  // stay open until all lanes have ended
  int running_ = 0;
};

}  // namespace core
