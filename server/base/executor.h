// Threads for handlers, and alarms: both bounded, both started only when first needed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace server {

// Runs jobs on up to `workers` threads; up to `max_queued` more wait. Jobs must not throw.
class Executor {
 public:
  Executor(std::size_t workers, std::size_t max_queued)
      : workers_(workers), max_queued_(max_queued) {}
  ~Executor() { join(); }
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // False, and the job is dropped, when the queue is full or close() was called, or when there is
  // no thread and the system gives none. With fewer threads than `workers` the jobs wait longer.
  bool submit(std::function<void()> job);
  // Takes no more jobs; those taken still run.
  void close();
  // close(), then waits for all of them. Once, not from a job.
  void join();
  // Waits until nothing runs and nothing is queued; false when `limit` passed first.
  bool wait_idle(std::chrono::milliseconds limit);

 private:
  void work();

  const std::size_t workers_;
  const std::size_t max_queued_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_changed_;
  std::deque<std::function<void()>> queue_;
  std::size_t idle_ = 0;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

// One-shot alarms on one thread. Callbacks must be short and must not throw.
class Alarms {
 public:
  Alarms() = default;
  ~Alarms() { stop(); }
  Alarms(const Alarms&) = delete;
  Alarms& operator=(const Alarms&) = delete;

  // Runs `callback` after the delay. Where the system gives no thread it comes late: the next call
  // tries again.
  std::uint64_t after(std::chrono::milliseconds delay, std::function<void()> callback);
  // The callback does not start any more (it may be running).
  void cancel(std::uint64_t alarm);
  // No callback runs any more after it returns. Not from a callback.
  void stop();

 private:
  using Key = std::pair<std::chrono::steady_clock::time_point, std::uint64_t>;
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, std::function<void()>> pending_;
  std::uint64_t next_ = 1;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace server
