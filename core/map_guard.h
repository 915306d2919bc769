// Keeps a memory-mapped file from costing more than its worth: a page that cannot be read does not
// end the program, and pages that were read do not stay in its memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace core {

// Reading a mapped page of a file that became shorter, or that the disk cannot give, raises SIGBUS.
// While a MapGuard watches the mapping, such a page reads as zeros instead, and the guard
// remembers. The handler is installed with the first guard and passes on what is not ours.
class MapGuard {
 public:
  MapGuard() = default;
  ~MapGuard();
  MapGuard(const MapGuard&) = delete;
  MapGuard& operator=(const MapGuard&) = delete;

  // Watches `bytes` from `base`, a mapping of a file, in place of what it watched before.
  void watch(const void* base, std::size_t bytes);
  // Before the mapping goes: its addresses may become another's.
  void stop();
  const void* base() const { return base_; }
  // True when a page could not be read: what came from the mapping is not to be trusted.
  bool faulted() const;

  // Tells that these bytes of the mapping are about to be read. When more than `max_bytes` may have
  // come into memory so, lets the system have them back; they stay in its file cache. 0: never.
  void touch(const void* data, std::size_t bytes, std::size_t max_bytes);

 private:
  void forget_touched();

  const void* base_ = nullptr;
  std::size_t bytes_ = 0;
  int slot_ = -1;
  std::vector<bool> touched_;  // by granule
  std::size_t touched_granules_ = 0;
  std::size_t touched_begin_ = 0, touched_end_ = 0;  // all that was touched lies between
};

}  // namespace core
