// Pages of a file that is read here and there: those found useful stay in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace core {

// SQLite's own page cache costs several looks into memory for each page that it finds; this one,
// one. Each page has but few places where it may lie, so that no list has to be kept. Serves one
// thread at a time.
class PageCache {
 public:
  // Fills `data` with the page at `offset` of the file; false where it cannot.
  using ReadPage = std::function<bool(void* data, std::int64_t offset)>;

  // All caches of the process together keep about so many bytes: one that comes late gets what is
  // left, and at least kLeastBytes.
  static constexpr std::size_t kAllBytes = 54 << 20;
  static constexpr std::size_t kLeastBytes = 2 << 20;

  // `page_bytes`: a page size of SQLite's, 512 to 65,536. Keeps up to `wanted_bytes`.
  PageCache(std::size_t page_bytes, std::size_t wanted_bytes);
  ~PageCache();
  PageCache(const PageCache&) = delete;
  PageCache& operator=(const PageCache&) = delete;

  std::size_t page_bytes() const { return page_bytes_; }

  // The page at `offset`, a multiple of the page size; it stays where it is until it was unpinned
  // as often as it was pinned. Null where it cannot be read, or where pinned pages take all its
  // places.
  void* pin(std::int64_t offset, const ReadPage& read);
  // Takes back one pin. False: `page` is none of this cache's.
  bool unpin(const void* page);

  // Of all caches in the process.
  static std::size_t bytes_in_use();

 private:
  static constexpr std::size_t kWays = 16;
  // The places of one set of pages. Page 1 is never asked for, so that 0 means empty.
  struct Set {
    std::uint32_t page[kWays] = {};
    std::uint32_t used_at[kWays] = {};
    std::uint32_t pins[kWays] = {};
  };

  // The system's. Comes as it is touched, in large pieces where the system has them: each spares
  // the processor hundreds of look-ups of addresses. Null where it gives none.
  static char* take_memory(std::size_t bytes);
  static void give_back(char* memory, std::size_t bytes);

  const std::size_t page_bytes_;
  const std::size_t bytes_;
  char* const memory_;  // null where the system gave none
  std::vector<Set> sets_;
  std::uint32_t now_ = 0;
  std::uint32_t misses_ = 0;
};

}  // namespace core
