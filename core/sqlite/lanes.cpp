#include "core/sqlite/lanes.h"

#include <sqlite3.h>

#include <algorithm>
#include <system_error>

#include "core/sqlite/sealed_vfs.h"

namespace core {
namespace {

// How often progress is told and a stop looked at.
constexpr std::chrono::milliseconds kTick{25};
// SQLite's virtual machine looks at the bound every so many instructions.
constexpr int kInstructionsPerLook = 10'000;

int look_at_bound(void* bound) {
  const auto& until = *static_cast<const Bound*>(bound);
  return until.stop.stop_requested() || until.passed() ? 1 : 0;
}

}  // namespace

void end_statements_at(sqlite3* connection, const Bound* bound) {
  // SQLite hands back what it was given; look_at_bound changes nothing of it.
  sqlite3_progress_handler(connection, kInstructionsPerLook,
                           bound != nullptr ? look_at_bound : nullptr, const_cast<Bound*>(bound));
}

void Lanes::run(sqlite3* first, unsigned lanes, const std::function<void()>& tick) {
  if (lanes <= 1) {
    const std::stop_callback interrupt(stop_, [first] { sqlite3_interrupt(first); });
    work(first);
    tick();
    return;
  }
  std::vector<std::jthread> threads;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if (!start_lane(threads, lane == 0 ? first : nullptr)) break;  // those there are do its work
  }
  if (threads.empty()) return run(first, 1, tick);
  std::unique_lock lock(mutex_);
  while (!done_.wait_for(lock, kTick, [this] { return running_ == 0; })) {
    // Again and again: an interrupt that falls between two statements has no effect.
    if (stop_.stop_requested()) {
      for (sqlite3* connection : open_) sqlite3_interrupt(connection);
    }
    lock.unlock();
    tick();
    lock.lock();
  }
}

bool Lanes::start_lane(std::vector<std::jthread>& threads, sqlite3* connection) {
  const auto count = [this](int change) {
    const std::lock_guard lock(mutex_);
    if ((running_ += change) == 0) done_.notify_one();
  };
  count(1);
  try {
    threads.emplace_back([this, connection, count] {
      connection != nullptr ? work(connection) : work_on_new_connection();
      count(-1);
    });
    return true;
  } catch (const std::system_error&) {
    count(-1);
    return false;
  }
}

void Lanes::work_on_new_connection() {
  auto connection = open_sealed(path_);
  if (!connection) return;  // the other lanes do this one's work
  sqlite3* raw = connection->get();
  {
    const std::lock_guard lock(mutex_);
    connections_.push_back(std::move(*connection));
  }
  work(raw);
}

void Lanes::work(sqlite3* connection) {
  end_statements_at(connection, &bound_);
  {
    const std::lock_guard lock(mutex_);
    open_.push_back(connection);
  }
  while (!stop_.stop_requested()) {
    const std::size_t task = next_.fetch_add(1);
    if (task >= tasks_.size()) break;
    tasks_[task](connection);
  }
  end_statements_at(connection, nullptr);
  const std::lock_guard lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), connection));
}

}  // namespace core
