// Keeps a memory-mapped file from costing more than its worth: a page that cannot be read does not
// end the program, and pages that were read do not stay in its memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace core {

// What of a mapping may stay in the memory of the process.
struct MapLimits {
  std::size_t touched_bytes;  // exact for a reader in sequence
  // By how much the files in the memory of the whole process may have grown through all its
  // mappings. One page touched may bring in a whole folio, up to 2 MiB: only the system knows, and
  // asking it costs a microsecond now and then. 0: nobody asks.
  std::size_t growth_bytes;
  // A mapping whose pages go back before one byte in so many was read is given up (pays()): it
  // costs more than it saves.
  std::size_t min_reuse = 8;
};

// Reading a mapped page of a file that became shorter, or that the disk cannot give, raises SIGBUS.
// While a MapGuard watches the mapping, such a page reads as zeros instead, and the guard
// remembers. The handler is installed with the first guard and passes on what is not ours.
class MapGuard {
 public:
  // Windows raises an exception in whoever touches such a page, which nothing can mend, and lets
  // nobody cut short a file while it is mapped: there files are read.
#ifdef _WIN32
  static constexpr bool kMapsFiles = false;
#else
  static constexpr bool kMapsFiles = true;
#endif

  MapGuard() = default;
  ~MapGuard();
  MapGuard(const MapGuard&) = delete;
  MapGuard& operator=(const MapGuard&) = delete;

  // Watches `bytes` from `base`, a mapping of a file, in place of what it watched before.
  void watch(const void* base, std::size_t bytes);
  // Before the mapping goes: its addresses may become another's.
  void stop();
  const void* base() const {
    return base_;
  }
  // True when a page could not be read: what came from the mapping is not to be trusted.
  bool faulted() const;

  // Tells that these bytes of the mapping are about to be read. Beyond the limits, lets the system
  // have the mapping's pages back; they stay in its file cache. False where nothing is known to be
  // mapped: do not read there.
  bool touch(const void* data, std::size_t bytes, const MapLimits& limits);
  // Lets the system have all pages of the mapping back now.
  void let_go();
  // False once many pages had to go back after only a few reads, as where somebody reads here and
  // there in a large file: not mapping it is cheaper then. Until the next watch().
  bool pays() const {
    return pays_;
  }

 private:
  void forget_touched();

  const void* base_ = nullptr;
  std::size_t bytes_ = 0;
  int slot_ = -1;
  std::vector<bool> touched_;  // by granule
  std::size_t touched_granules_ = 0;
  std::size_t read_bytes_ = 0;  // since the pages went back
  bool pays_ = kMapsFiles;
};

}  // namespace core
