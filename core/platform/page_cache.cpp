#include "core/platform/page_cache.h"

#include <algorithm>
#include <atomic>
#include <limits>

namespace core {
namespace {

constexpr std::uint32_t kAdmitted = 16;
// SQLite may read some bytes past the end of a page that is not what it says it is, as it may with
// a mapped file (kEofBuffer in guarded_fetch.cpp): behind the last page, too, there must be memory.
// Never touched otherwise, so only addresses; in the size of a large piece, which the system
// aligns.
constexpr std::size_t kBehindBytes = 2 << 20;

std::atomic<std::size_t> in_use{0};

// What is left for one more cache.
std::size_t reserve(std::size_t wanted) {
  std::size_t used = in_use;
  std::size_t bytes = 0;
  do {
    const std::size_t left = used < PageCache::kAllBytes ? PageCache::kAllBytes - used : 0;
    bytes = std::min(wanted, std::max(left, PageCache::kLeastBytes));
  } while (!in_use.compare_exchange_weak(used, used + bytes));
  return bytes;
}

}  // namespace

PageCache::PageCache(std::size_t page_bytes, std::size_t wanted_bytes)
    : page_bytes_(page_bytes),
      bytes_(reserve(wanted_bytes)),
      memory_(take_memory(bytes_ + kBehindBytes)) {
  if (memory_ != nullptr) sets_.resize(bytes_ / page_bytes_ / kWays);
}

PageCache::~PageCache() {
  if (memory_ != nullptr) give_back(memory_, bytes_ + kBehindBytes);
  in_use -= bytes_;
}

std::size_t PageCache::bytes_in_use() {
  return in_use;
}

void* PageCache::pin(std::int64_t offset, const ReadPage& read) {
  const std::size_t page = static_cast<std::size_t>(offset) / page_bytes_;
  if (sets_.empty() || page == 0 || page > std::numeric_limits<std::uint32_t>::max()) {
    return nullptr;
  }
  const std::size_t index = page % sets_.size();
  Set& set = sets_[index];
  ++now_;
  std::size_t way = kWays, oldest = kWays;
  for (std::size_t i = 0; i < kWays; ++i) {
    if (set.page[i] == page) way = i;
    // The difference tells the age even after `now_` began anew.
    const auto age = [&](std::size_t of) { return now_ - set.used_at[of]; };
    if (set.pins[i] == 0 && (oldest == kWays || age(i) > age(oldest))) oldest = i;
  }
  const auto place = [&](std::size_t of) { return memory_ + (index * kWays + of) * page_bytes_; };
  if (way == kWays) {
    if (oldest == kWays) return nullptr;
    way = oldest;
    // Most that come are not wanted again before they would have to go: a large index read through,
    // or a table. So a page counts as used when it is found again, and of the others every
    // kAdmitted'th: the rest only push each other out. (Bimodal insertion, as in processor caches.)
    const bool counts = set.page[way] == 0 || ++misses_ % kAdmitted == 0;
    set.page[way] = 0;
    if (!read(place(way), offset)) return nullptr;
    set.page[way] = static_cast<std::uint32_t>(page);
    if (counts) set.used_at[way] = now_;
  } else {
    set.used_at[way] = now_;
  }
  ++set.pins[way];
  return place(way);
}

bool PageCache::unpin(const void* page) {
  const auto at = reinterpret_cast<std::uintptr_t>(page);
  const auto begin = reinterpret_cast<std::uintptr_t>(memory_);
  if (at < begin || at >= begin + sets_.size() * kWays * page_bytes_) return false;
  const std::size_t place = (at - begin) / page_bytes_;
  --sets_[place / kWays].pins[place % kWays];
  return true;
}

}  // namespace core
