// Random bytes of the system's generator.
#include "core/platform/secrets.h"

#include <cstdlib>

#include "core/platform/windows/system.h"

namespace core {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (::BCryptGenRandom(nullptr, reinterpret_cast<unsigned char*>(bytes.data()),
                        static_cast<ULONG>(bytes.size()), BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0) {
    std::abort();
  }
  return bytes;
}

}  // namespace core
