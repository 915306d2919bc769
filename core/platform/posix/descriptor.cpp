#include "core/platform/descriptor.h"

#include <unistd.h>

#include <cerrno>

namespace core {

void Descriptor::close() {
  if (handle_ < 0) return;
  const int error_number = errno;
  ::close(release());
  errno = error_number;
}

}  // namespace core
