// A thread for each connection, up to a bound; never more than the system gives.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "server/platform/sockets.h"

namespace server {

enum class Treatment { serve, refuse };

// Thread-safe. Threads are made when needed, and end when they have had nothing to do for a while.
class ConnectionThreads {
 public:
  // Connections above the bound that are told so.
  static constexpr std::size_t kMaxRefusals = 32;

  // `work` is given each socket, and must not throw.
  using Work = std::function<void(Socket socket, Treatment)>;
  ConnectionThreads(std::size_t max_connections, Work work);
  ~ConnectionThreads() { shutdown(); }
  ConnectionThreads(const ConnectionThreads&) = delete;
  ConnectionThreads& operator=(const ConnectionThreads&) = delete;

  // False, and the socket stays the caller's: there are too many already, or the system has no
  // thread for it.
  bool take(Socket& socket);
  // Waits for all of them. No take() may come after.
  void shutdown();

 private:
  struct Job {
    Socket socket;
    Treatment treatment = Treatment::serve;
  };
  using Threads = std::list<std::thread>;

  bool add_thread();
  void run(Threads::iterator self);
  void join_retired(std::unique_lock<std::mutex>& lock);

  const std::size_t max_;
  const Work work_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable retired_changed_;
  std::deque<Job> jobs_;
  Threads threads_;
  Threads retired_;  // returned, to be joined
  std::size_t busy_ = 0;
  std::size_t waiting_ = 0;
  bool stopping_ = false;
};

}  // namespace server
