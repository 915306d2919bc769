#include "support/golden.h"

#include <cstdlib>

#include "support/temp_folder.h"

namespace test {

std::string golden(const std::string& name, const std::string& actual) {
  const fs::path path = fs::path(BPD_SOURCE_DIR) / "tests/golden" / name;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): tests read their environment on one thread
  if (std::getenv("BPD_UPDATE_GOLDEN") != nullptr) write_file(path, actual);
  return read_file(path);
}

}  // namespace test
