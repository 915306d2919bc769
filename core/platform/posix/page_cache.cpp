// The memory of a page cache, on Linux and macOS.
#include "core/platform/page_cache.h"

#include <sys/mman.h>

namespace core {

char* PageCache::take_memory(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
#ifdef MADV_HUGEPAGE
  ::madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return static_cast<char*>(memory);
}

void PageCache::give_back(char* memory, std::size_t bytes) {
  ::munmap(memory, bytes);
}

}  // namespace core
