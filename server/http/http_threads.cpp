#include "server/http/http_threads.h"

#include <chrono>
#include <iterator>
#include <system_error>
#include <utility>

namespace server {
namespace {

// A thread without a connection waits that long for the next one.
constexpr std::chrono::milliseconds kThreadIdle{10'000};

}  // namespace

ConnectionThreads::ConnectionThreads(std::size_t max_connections, Work work)
    : max_(max_connections), work_(std::move(work)) {}

bool ConnectionThreads::take(Socket& socket) {
  std::unique_lock lock(mutex_);
  join_retired(lock);
  if (busy_ >= max_ + kMaxRefusals) return false;
  // One that waits but is spoken for already is no thread for this connection.
  if (waiting_ <= jobs_.size() && !add_thread()) return false;
  jobs_.push_back({std::move(socket), busy_ < max_ ? Treatment::serve : Treatment::refuse});
  ++busy_;
  wake_.notify_one();
  return true;
}

bool ConnectionThreads::add_thread() {
  threads_.emplace_back();
  try {
    threads_.back() = std::thread([this, self = std::prev(threads_.end())] { run(self); });
  } catch (const std::system_error&) {  // the user's or the container's bound on threads
    threads_.pop_back();
    return false;
  }
  return true;
}

void ConnectionThreads::run(Threads::iterator self) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++waiting_;
    wake_.wait_for(lock, kThreadIdle, [this] { return !jobs_.empty() || stopping_; });
    --waiting_;
    if (jobs_.empty()) break;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    work_(std::move(job.socket), job.treatment);
    lock.lock();
    --busy_;
  }
  retired_.splice(retired_.end(), threads_, self);
  retired_changed_.notify_all();
}

void ConnectionThreads::join_retired(std::unique_lock<std::mutex>& lock) {
  Threads retired;
  retired.swap(retired_);
  lock.unlock();
  for (std::thread& thread : retired) thread.join();
  lock.lock();
}

void ConnectionThreads::shutdown() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
  retired_changed_.wait(lock, [this] { return threads_.empty(); });
  join_retired(lock);
}

}  // namespace server
