// The memory of a page cache, on Windows.
#include "core/platform/page_cache.h"

#include "core/platform/windows/system.h"

namespace core {

char* PageCache::take_memory(std::size_t bytes) {
  return static_cast<char*>(
      ::VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
}

void PageCache::give_back(char* memory, std::size_t) {
  ::VirtualFree(memory, 0, MEM_RELEASE);
}

}  // namespace core
