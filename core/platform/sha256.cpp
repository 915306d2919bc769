// The digest of a whole text or file.
#include "core/platform/sha256.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/base/hex.h"
#include "core/base/paths.h"
#include "core/platform/descriptor.h"
#include "core/platform/folder.h"

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
  BPD_TRY_AS(folder, Folder::of(path));
  const Descriptor file(::openat(folder->descriptor(), path.filename().c_str(),
                                 O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return fail(error_from_errno(errno, "cannot open " + text_of(path)));
#ifdef POSIX_FADV_SEQUENTIAL
  (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
  Sha256 digest;
  std::vector<unsigned char> buffer(kReadBytes);
  std::uint64_t done = 0;
  for (;;) {
    if (stop.stop_requested()) {
      return fail(ErrorCode::cancelled, "stopped while hashing " + text_of(path));
    }
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got == 0) return digest.finish();
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail(error_from_errno(errno, "cannot read " + text_of(path)));
    }
    digest.update(buffer.data(), static_cast<std::size_t>(got));
    done += static_cast<std::uint64_t>(got);
    if (on_bytes) on_bytes(done);
  }
}

}  // namespace core
