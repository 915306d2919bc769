// Threads for handlers, and alarms.
#include "server/base/executor.h"

#include <algorithm>

#include "core/base/threads.h"

namespace server {

void Executor::join() {
  close();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool Executor::submit(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || queue_.size() >= max_queued_) return false;
    queue_.push_back(std::move(job));
    // A worker is started only if the idle ones are all spoken for.
    if (queue_.size() > idle_ && threads_.size() < workers_) {
      std::thread thread;
      if (core::start_thread(thread, [this] { work(); })) {
        threads_.push_back(std::move(thread));
      } else if (threads_.empty()) {  // else those there are will come to it
        queue_.pop_back();
        return false;
      }
    }
  }
  wake_.notify_one();
  return true;
}

void Executor::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  wake_.notify_all();
}

bool Executor::wait_idle(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return idle_changed_.wait_for(lock, limit,
                                [this] { return queue_.empty() && idle_ == threads_.size(); });
}

void Executor::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    idle_changed_.notify_all();
    wake_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    if (queue_.empty()) return;  // closed; stays counted as idle
    --idle_;
    std::function<void()> job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

void Alarms::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::uint64_t Alarms::after(std::chrono::milliseconds delay, std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t alarm = next_++;
  pending_.emplace(Key{std::chrono::steady_clock::now() + delay, alarm}, std::move(callback));
  // Without a thread it waits for the next call that gets one.
  if (!stopping_ && !thread_.joinable()) (void)core::start_thread(thread_, [this] { run(); });
  changed_.notify_all();
  return alarm;
}

void Alarms::cancel(std::uint64_t alarm) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(pending_.begin(), pending_.end(), [alarm](const auto& entry) {
    return entry.first.second == alarm;
  });
  if (found != pending_.end()) pending_.erase(found);
}

void Alarms::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (pending_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = pending_.begin();
    if (const auto due = first->first.first; due > std::chrono::steady_clock::now()) {
      changed_.wait_until(lock, due);
      continue;
    }
    const std::function<void()> callback = std::move(first->second);
    pending_.erase(first);
    lock.unlock();
    callback();
    lock.lock();
  }
}

}  // namespace server
