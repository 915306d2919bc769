// Random bytes of the system's generator.
#ifdef __APPLE__
#include <sys/random.h>
#endif
#include <unistd.h>

#include <cstdlib>

#include "core/platform/secrets.h"

namespace core {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  // Fails only for more than 256 bytes or a kernel without the call; then nothing may go on.
  if (::getentropy(bytes.data(), bytes.size()) != 0) std::abort();
  return bytes;
}

}  // namespace core
