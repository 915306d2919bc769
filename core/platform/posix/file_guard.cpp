#include "core/platform/file_guard.h"

namespace core {

Expected<FileGuard> FileGuard::take(const std::filesystem::path&) {
  return FileGuard(Descriptor());
}

}  // namespace core
