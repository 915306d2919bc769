// Pages kept in memory: found again without reading, never moved while somebody holds them, and
// within the bounds.
#include "core/platform/page_cache.h"

#ifndef _WIN32
#include <unistd.h>
#endif

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include "support/catch.h"

using core::PageCache;

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::int64_t kPlaces = PageCache::kLeastBytes / kPageBytes;

// A file in which each page says where it lies.
class File {
 public:
  explicit File(PageCache& cache) : cache_(cache) {}

  void* pin(std::int64_t page) {
    void* data = cache_.pin(page * static_cast<std::int64_t>(kPageBytes),
                            [this](void* into, std::int64_t offset) {
                              ++reads;
                              std::memcpy(into, &offset, sizeof(offset));
                              return !broken;
                            });
    if (data != nullptr) CHECK(page_at(data) == page);
    return data;
  }
  void look_at(std::int64_t page) {
    const void* data = pin(page);
    REQUIRE(data != nullptr);
    CHECK(cache_.unpin(data));
  }
  static std::int64_t page_at(const void* data) {
    std::int64_t offset = 0;
    std::memcpy(&offset, data, sizeof(offset));
    return offset / static_cast<std::int64_t>(kPageBytes);
  }

  int reads = 0;
  bool broken = false;

 private:
  PageCache& cache_;
};

}  // namespace

TEST_CASE("As many pages as fit are found again without reading") {
  PageCache cache(kPageBytes, PageCache::kLeastBytes);
  File file(cache);
  for (int round = 0; round < 3; ++round) {
    for (std::int64_t page = 1; page <= kPlaces; ++page) file.look_at(page);
  }
  CHECK(file.reads == kPlaces);
}

TEST_CASE("A page used again and again stays while others pass by") {
  PageCache cache(kPageBytes, PageCache::kLeastBytes);
  File file(cache);
  for (std::int64_t page = 2; page < 10 * kPlaces; ++page) {
    file.look_at(1);
    file.look_at(page);
  }
  CHECK(file.reads == 10 * kPlaces - 1);
}

TEST_CASE("Of more pages than fit, read through again and again, a good part is found") {
  PageCache cache(kPageBytes, PageCache::kLeastBytes);
  File file(cache);
  const int rounds = 20;
  for (int round = 0; round < rounds; ++round) {
    for (std::int64_t page = 1; page <= 2 * kPlaces; ++page) file.look_at(page);
  }
  // Half of them fit; were the oldest to go each time, none would be found.
  CHECK(file.reads < rounds * 2 * kPlaces * 3 / 4);
}

TEST_CASE("Pages of yesterday make room for those of today") {
  PageCache cache(kPageBytes, PageCache::kLeastBytes);
  File file(cache);
  for (int round = 0; round < 50; ++round) {
    for (std::int64_t page = 1; page <= kPlaces / 2; ++page) file.look_at(page);
  }
  for (int round = 0; round < 50; ++round) {
    for (std::int64_t page = kPlaces + 1; page <= 2 * kPlaces; ++page) file.look_at(page);
  }
  const int before = file.reads;
  for (std::int64_t page = kPlaces + 1; page <= 2 * kPlaces; ++page) file.look_at(page);
  CHECK(file.reads - before < kPlaces / 10);
}

TEST_CASE("A pinned page keeps its place and its content, however many come") {
  PageCache cache(kPageBytes, PageCache::kLeastBytes);
  File file(cache);
  std::map<std::int64_t, void*> held;
  for (std::int64_t page = 1; page <= 40; ++page) held[page] = file.pin(page);
  for (std::int64_t page = 41; page < 5 * kPlaces; ++page) file.look_at(page);
  for (const auto& [page, data] : held) {
    CHECK(File::page_at(data) == page);
    CHECK(file.pin(page) == data);  // once more
    CHECK(cache.unpin(data));
    CHECK(cache.unpin(data));
  }
}

TEST_CASE("Where pinned pages take every place there is no page") {
  PageCache cache(kPageBytes, PageCache::kLeastBytes);
  File file(cache);
  std::vector<void*> held;
  for (std::int64_t page = 1; page <= kPlaces; ++page) held.push_back(file.pin(page));
  CHECK(file.pin(kPlaces + 1) == nullptr);
  REQUIRE(cache.unpin(held.front()));
  // Its place serves only the pages that may lie there.
  std::int64_t served = 0;
  for (std::int64_t page = kPlaces + 1; page <= 2 * kPlaces; ++page) {
    if (file.pin(page) != nullptr) ++served;
  }
  CHECK(served == 1);
}

TEST_CASE("A page that cannot be read is not kept") {
  PageCache cache(kPageBytes, PageCache::kLeastBytes);
  File file(cache);
  file.broken = true;
  CHECK(file.pin(7) == nullptr);
  file.broken = false;
  file.look_at(7);
  CHECK(file.reads == 2);
}

TEST_CASE("Pages here and there always have the content of their place") {
  for (const std::size_t page_bytes : {std::size_t{512}, std::size_t{65'536}}) {
    PageCache cache(page_bytes, PageCache::kLeastBytes);
    std::mt19937 random(11);
    std::vector<std::pair<std::int64_t, void*>> held;
    for (int i = 0; i < 50'000; ++i) {
      const std::int64_t offset =
          static_cast<std::int64_t>(1 + random() % 20'000) * static_cast<std::int64_t>(page_bytes);
      void* data = cache.pin(offset, [](void* into, std::int64_t at) {
        std::memcpy(into, &at, sizeof(at));
        return true;
      });
      if (data != nullptr) held.emplace_back(offset, data);
      if (held.size() < 12) continue;
      const auto [at, page] = held[random() % held.size()];
      std::int64_t says = 0;
      std::memcpy(&says, page, sizeof(says));
      if (says != at) FAIL("The page of " << at << " says " << says);
      for (const auto& [unused, each] : held) CHECK(cache.unpin(each));
      held.clear();
    }
    for (const auto& [unused, each] : held) CHECK(cache.unpin(each));
  }
}

TEST_CASE("What is no page of the cache is not taken back") {
  PageCache cache(kPageBytes, PageCache::kLeastBytes);
  const int other = 0;
  CHECK_FALSE(cache.unpin(&other));
}

TEST_CASE("All caches of the process keep within their bound, and one that comes late gets some") {
  const std::size_t before = PageCache::bytes_in_use();
  {
    const PageCache first(kPageBytes, PageCache::kAllBytes);
    CHECK(PageCache::bytes_in_use() == before + PageCache::kAllBytes);
    PageCache second(kPageBytes, PageCache::kAllBytes);
    CHECK(PageCache::bytes_in_use() == before + PageCache::kAllBytes + PageCache::kLeastBytes);
    File file(second);
    file.look_at(1);
  }
  CHECK(PageCache::bytes_in_use() == before);
}

#ifndef _WIN32
TEST_CASE("What reads a little past the end of any page reads memory that is there") {
  PageCache cache(kPageBytes, PageCache::kLeastBytes);
  File file(cache);
  const char* last = nullptr;
  for (std::int64_t page = 1; page <= kPlaces; ++page) {
    const auto* data = static_cast<const char*>(file.pin(page));
    REQUIRE(data != nullptr);
    last = std::max(last, data);
  }
  // A write from memory that is not mapped fails, where reading it would end the process.
  int ends[2] = {};
  REQUIRE(::pipe(ends) == 0);
  CHECK(::write(ends[1], last + kPageBytes, 256) == 256);
  ::close(ends[0]);
  ::close(ends[1]);
}
#endif
