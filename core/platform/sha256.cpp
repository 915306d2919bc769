// The digest of a whole text or file.
#include "core/platform/sha256.h"

#include <vector>

#include "core/base/hex.h"
#include "core/base/paths.h"
#include "core/platform/open_file.h"

namespace core {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;

}  // namespace

std::string Sha256::finish() {
  const auto digest = finish_raw();
  return hex_of({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string sha256_of(std::string_view text) {
  Sha256 digest;
  digest.update(text.data(), text.size());
  return digest.finish();
}

Expected<std::string> sha256_of_file(const std::filesystem::path& path, std::stop_token stop,
                                     const std::function<void(std::uint64_t)>& on_bytes) {
  BPD_TRY_AS(file, open_for_reading(path));
  Sha256 digest;
  std::vector<unsigned char> buffer(kReadBytes);
  std::uint64_t done = 0;
  for (;;) {
    if (stop.stop_requested()) {
      return fail(ErrorCode::cancelled, "stopped while hashing " + text_of(path));
    }
    BPD_TRY_AS(got, read_at(file->get(), buffer.data(), buffer.size(), done, path));
    if (*got == 0) return digest.finish();
    digest.update(buffer.data(), *got);
    done += *got;
    if (on_bytes) on_bytes(done);
  }
}

}  // namespace core
