// Asks the processor for memory that will be read soon.
#pragma once

#include <cstddef>
#ifdef _MSC_VER
#include <xmmintrin.h>
#endif

namespace core {

// The processor fetches ahead of a reader in sequence by itself, but not across a page of
// 4 KiB. This asks for `bytes` from `from`; an address that is not mapped does no harm.
inline void prefetch(const void* from, std::size_t bytes) {
  constexpr std::size_t kCacheLineBytes = 64;
  const auto* line = static_cast<const char*>(from);
  for (std::size_t i = 0; i < bytes; i += kCacheLineBytes) {
#ifdef _MSC_VER
    _mm_prefetch(line + i, _MM_HINT_T0);
#else
    __builtin_prefetch(line + i);
#endif
  }
}

}  // namespace core
